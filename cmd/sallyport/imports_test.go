package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sallyport/sallyport"

// ours says which of our packages each package may import; what is not listed
// is refused. "server/*" stands for any package below server.
var ours = map[string][]string{
	"cmd/sallyport":             {"*", "!biometrics/dlib"},
	"cmd/sallyport-chat":        {}, // an app of others': it knows us by what we answer
	"cmd/sallyport-face":        {"biometrics", "biometrics/dlib", "biometrics/wire"},
	"server":                    {"server/*", "models", "models/mfa", "web", "biometrics"},
	"server/web":                {"models", "web"},
	"server/outbound":           {},
	"server/hook":               {"server/outbound", "models"},
	"server/guard":              {},
	"server/guard/fiberguard":   {"server/guard"},
	"server/*":                  {"server/web", "models", "models/mfa", "models/risk", "models/seal", "biometrics", "web"},
	"models":                    {},
	"models/mfa":                {"models"},
	"models/seal":               {"models"},
	"models/postgres":           {"models", "models/seal", "migrations"},
	"models/postgres/pgtest":    {"models", "models/postgres", "models/seal", "migrations"},
	"biometrics":                {},
	"biometrics/evaluate":       {"biometrics"},
	"biometrics/wire":           {"biometrics", "biometrics/wire"},
	"biometrics/worker":         {"biometrics", "biometrics/wire"},
	"biometrics/dlib":           {"biometrics"},
	"biometrics/prepare":        {"biometrics"},
	"biometrics/facetest":       {},
	"biometrics/biometricstest": {"biometrics", "biometrics/synth"},
	"biometrics/synth":          {"biometrics"},
	"biometrics/synth/play":     {"biometrics", "biometrics/synth", "biometrics/worker"},
	"web":                       {},
	"web/plot":                  {},
	"migrations":                {},
	"docs/samples/spa":          {"server/guard"},

	"docs/samples/transactions/go": {},
}

// theirs says which packages may use a third-party module. Modules that are
// not listed may be used by nobody.
var theirs = map[string][]string{
	"github.com/gofiber/fiber/v2":             {"server", "server/*", "!server/guard"},
	"github.com/gofiber/contrib/websocket":    {"server/live", "server/face"},
	"github.com/valyala/fasthttp":             {"server", "server/*", "!server/guard"},
	"github.com/go-webauthn/webauthn":         {"server/passkey"},
	"github.com/pquerna/otp":                  {"server/totp"},
	"github.com/boombuler/barcode":            {"server/totp"},
	"github.com/jackc/pgx/v5":                 {"models/postgres", "models/postgres/pgtest", "cmd/sallyport", "cmd/sallyport-chat"},
	"github.com/jackc/tern/v2":                {"models/postgres", "cmd/sallyport"},
	"github.com/riverqueue/river":             {"models/postgres", "cmd/sallyport"},
	"github.com/wneessen/go-mail":             {"server/mail"},
	"github.com/zitadel/oidc/v3":              {"server/oidc"},
	"github.com/go-jose/go-jose/v4":           {"server/oidc", "server/guard", "cmd/sallyport-chat"},
	"github.com/fasthttp/websocket":           {"cmd/sallyport-chat"},
	"github.com/rs/cors":                      {"server/oidc"},
	"github.com/tink-crypto/tink-go/v2":       {"models/seal"},
	"github.com/Kagami/go-face":               {"biometrics/dlib"},
	"github.com/alecthomas/kong":              {"cmd/sallyport"},
	"github.com/knadh/koanf":                  {"cmd/sallyport"},
	"go.yaml.in/yaml/v3":                      {"server/policy", "cmd/sallyport"},
	"golang.org/x/image":                      {"biometrics", "biometrics/dlib", "biometrics/synth", "biometrics/synth/play"},
	"golang.org/x/crypto":                     {"server/auth", "server/recovery", "server/web"},
	"golang.org/x/text":                       {"server/auth"},
	"golang.org/x/sync":                       {"server/auth"},
	"github.com/ccojocar/zxcvbn-go":           {"server/auth"},
	"github.com/oschwald/maxminddb-golang/v2": {"server/place"},
	"github.com/mileusna/useragent":           {"server/web", "server/mail"},
	"golang.org/x/oauth2":                     {"cmd/sallyport-chat", "docs/samples/spa"},
	"github.com/coreos/go-oidc/v3":            {"cmd/sallyport-chat", "docs/samples/spa"},
	"golang.org/x/net/idna":                   {"server/auth"},
	"golang.org/x/net/publicsuffix":           {"cmd/sallyport"},
}

// pure packages decide and never act: they may not touch the world.
var pure = map[string][]string{
	"models/mfa": {"net", "os", "database/sql", "math/rand", "crypto/rand", "context"},
}

// timeless packages are told what time it is. Those that models/mfa may import
// are among them, or it could ask them.
var timeless = []string{"models", "models/mfa"}

// clocks are what package time has for whoever isn't told.
var clocks = []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTimer", "NewTicker"}

type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Module     *struct{ Path string }
}

func TestImportRule(t *testing.T) {
	t.Parallel()
	packages := listPackages(t)
	standard := func(path string) bool {
		first, _, _ := strings.Cut(path, "/")
		return !strings.Contains(first, ".")
	}
	for _, p := range packages {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		allowed, ok := lookup(ours, name)
		if !ok {
			t.Errorf("%s is not in the import rule: list it, and what it may import", name)
			continue
		}
		for _, imported := range p.Imports {
			switch {
			case imported == "C" || imported == "unsafe" && name == "biometrics/dlib":
			case strings.HasPrefix(imported, module):
				dep := strings.TrimPrefix(strings.TrimPrefix(imported, module), "/")
				if !permits(allowed, dep) {
					t.Errorf("%s imports %s, which the import rule forbids", name, dep)
				}
			case standard(imported):
				for _, refused := range pure[name] {
					if imported == refused || strings.HasPrefix(imported, refused+"/") {
						t.Errorf("%s imports %s: it must stay pure", name, imported)
					}
				}
			default:
				if !permitsModule(imported, name) {
					t.Errorf("%s imports %s, which is not its business", name, imported)
				}
			}
		}
	}
}

func TestTheStateMachineHasNoClock(t *testing.T) {
	t.Parallel()
	for _, name := range timeless {
		files, err := filepath.Glob(filepath.Join("../..", name, "*.go"))
		if err != nil || len(files) < 2 {
			t.Fatalf("%s has the files %v: %v", name, files, err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, read := range readings(file) {
				t.Errorf("%s reads a clock: it must be told the time", fset.Position(read.Pos()))
			}
		}
	}
}

// readings are where a file takes a clock from package time, under whatever
// name it imports it.
func readings(file *ast.File) (found []ast.Node) {
	imported := "time"
	for _, spec := range file.Imports {
		if spec.Path.Value == `"time"` && spec.Name != nil {
			imported = spec.Name.Name
			if imported == "." {
				return []ast.Node{spec} // its functions would look like the file's own
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok && slices.Contains(clocks, selector.Sel.Name) {
			if from, ok := selector.X.(*ast.Ident); ok && from.Name == imported {
				found = append(found, n)
			}
		}
		return true
	})
	return found
}

// TestServerBuildsWithoutCgo proves that face matching stays in its own
// process: the server links no C.
func TestServerBuildsWithoutCgo(t *testing.T) {
	t.Parallel()
	build := exec.Command("go", "build", "-o", os.DevNull, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func listPackages(t *testing.T) []listed {
	t.Helper()
	list := exec.Command("go", "list", "-e", "-tags", "dlib", "-json=ImportPath,Standard,Imports,Module", module+"/...")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p listed
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 5 {
		t.Fatalf("go list found %d packages: the rule would hold over nothing", len(packages))
	}
	return packages
}

func lookup(rule map[string][]string, name string) ([]string, bool) {
	if allowed, ok := rule[name]; ok {
		return allowed, true
	}
	parent, _, nested := strings.Cut(name, "/")
	allowed, ok := rule[parent+"/*"]
	return allowed, ok && nested
}

func permits(allowed []string, dep string) bool {
	ok := false
	for _, a := range allowed {
		prefix, wild := strings.CutSuffix(a, "*")
		switch {
		case a == "!"+dep:
			return false
		case a == dep, wild && strings.HasPrefix(dep, prefix):
			ok = true
		}
	}
	return ok
}

func permitsModule(imported, name string) bool {
	for mod, users := range theirs {
		if imported == mod || strings.HasPrefix(imported, mod+"/") {
			return permits(users, name)
		}
	}
	return false
}
