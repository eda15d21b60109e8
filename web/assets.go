package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// staticFiles holds the SDK too: our own pages are made with it.
//
//go:embed static sdk/*.js
var staticFiles embed.FS

// assets are the static files under one prefix that names their content. One hash for all of them, instead of one in
// each name, keeps relative imports between modules working: an import map would have to be an inline script.
type assets struct {
	prefix string
	files  map[string]asset
}

type asset struct {
	body        []byte
	contentType string
}

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

func loadAssets() (assets, error) {
	found := map[string]asset{}
	sum := sha256.New()
	// WalkDir goes in lexical order, so equal files give an equal hash in every build.
	err := fs.WalkDir(staticFiles, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		contentType, ok := contentTypes[path.Ext(name)]
		if !ok {
			return fmt.Errorf("asset %s: no content type for this kind of file", name)
		}
		body, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(body))
		sum.Write(body)
		found[strings.TrimPrefix(name, "static/")] = asset{body: body, contentType: contentType}
		return nil
	})
	if err != nil {
		return assets{}, fmt.Errorf("load assets: %w", err)
	}
	return assets{prefix: "/static/" + hex.EncodeToString(sum.Sum(nil))[:12] + "/", files: found}, nil
}

var importLine = regexp.MustCompile(`(?m)^import .* from "(\.\.?/[^"]+)";$`)

// modules lists a module and everything it imports, itself first. Without telling the browser about all of them at
// once it would find them one level at a time, and buttons would be dead for as long.
func (a assets) modules(name string) ([]string, error) {
	list := []string{name}
	for i := 0; i < len(list); i++ {
		module, ok := a.files[list[i]]
		if !ok {
			return nil, fmt.Errorf("module %s does not exist", list[i])
		}
		for _, m := range importLine.FindAllSubmatch(module.body, -1) {
			if imported := path.Join(path.Dir(list[i]), string(m[1])); !slices.Contains(list, imported) {
				list = append(list, imported)
			}
		}
	}
	return list, nil
}

// url is what a template writes for a file below static; a name that is not there fails the rendering.
func (a assets) url(name string) (string, error) {
	if _, ok := a.files[name]; !ok {
		return "", fmt.Errorf("asset %s does not exist", name)
	}
	return a.prefix + name, nil
}

// SDK is the module that apps import. It hands on what the build in use has, below a path that names its content: so
// its parts fit each other, and only this line has to be asked for again.
func (p *Pages) SDK() string {
	return fmt.Sprintf("export * from %q;\n", p.assets.prefix+"sdk/sallyport.js")
}

// Asset finds the file that a request path under /static/ names. What it finds never changes under that path, so it
// may be cached for good; a path of another build is not found.
func (p *Pages) Asset(requestPath string) (body []byte, contentType string, ok bool) {
	name, ok := strings.CutPrefix(requestPath, p.assets.prefix)
	if !ok {
		return nil, "", false
	}
	found, ok := p.assets.files[name]
	return found.body, found.contentType, ok
}
