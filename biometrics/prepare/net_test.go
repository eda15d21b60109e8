package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/biometrics"
)

// small is the archive of a net that nobody could run.
var small = biometrics.Net{Name: "small-v1", Packed: "small.dat.bz2", PackedBlob: "7a5ef9c1a6e8a8b6c2a5a6d9c2a5f0b5d1c3e4f6"}

// archive is a preparer that is asked for the small net, whose archive is hello.
func archive(t *testing.T) (*preparer, *strings.Builder) {
	t.Helper()
	p, said := setup(t)
	fillSource(t, p)
	path := filepath.Join(p.source, small.Packed)
	write(t, path, hello)
	id, err := biometrics.IdentifyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p.net = small
	p.net.PackedBlob = id.Blob
	return p, said
}

func TestANetIsUnpackedAndNamed(t *testing.T) {
	t.Parallel()
	p, said := archive(t)
	if err := p.run(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if got := read(t, filepath.Join(p.dir, biometrics.DescriptorFile)); got != "hello\n" {
		t.Errorf("unpacked %q", got)
	}
	manifest, err := readManifest(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	id, err := biometrics.IdentifyFile(filepath.Join(p.dir, biometrics.DescriptorFile))
	if err != nil {
		t.Fatal(err)
	}
	if manifest.Model != "small-v1" || manifest.Name(id) != "small-v1" || manifest.Entry(biometrics.DescriptorFile).SHA256 != id.SHA256 {
		t.Errorf("manifest %+v", manifest)
	}
	if _, err := os.Stat(filepath.Join(p.work, small.Packed)); err == nil {
		t.Error("the archive is left behind")
	}

	// Whoever prepares the folder again without the name keeps net and name.
	p.net = biometrics.Net{}
	if err := p.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again, err := readManifest(p.dir); err != nil || again.Model != "small-v1" {
		t.Errorf("the second time: %+v, %v", again, err)
	}
}

func TestANetIsFetchedWhereItIsPublished(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/"+small.Packed {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(hello))
	}))
	defer server.Close()
	p, said := archive(t)
	if err := os.Remove(filepath.Join(p.source, small.Packed)); err != nil {
		t.Fatal(err)
	}
	p.official = server.URL
	if err := p.run(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if manifest, err := readManifest(p.dir); err != nil || manifest.Model != "small-v1" {
		t.Errorf("manifest %+v, %v", manifest, err)
	}
}

func TestAnotherArchiveIsRefused(t *testing.T) {
	t.Parallel()
	p, said := archive(t)
	p.net.PackedBlob = small.PackedBlob
	if err := p.run(t.Context()); err == nil {
		t.Error("no error without the net")
	}
	if want := "is not the published small.dat.bz2: its git blob id is"; !strings.Contains(said.String(), want) {
		t.Errorf("it did not say %q:\n%s", want, said)
	}
	if _, err := os.Stat(filepath.Join(p.dir, biometrics.DescriptorFile)); err == nil {
		t.Error("the net was installed")
	}
}

func TestANetTakesNoOthersFolder(t *testing.T) {
	t.Parallel()
	p, _ := archive(t)
	net := p.net
	p.net = biometrics.Net{}
	if err := p.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.net = net
	if err := p.run(t.Context()); err == nil || !strings.Contains(err.Error(), "folder of its own") {
		t.Errorf("got %v", err)
	}
	// Nor is a file that lies there taken for it.
	if err := os.Remove(filepath.Join(p.dir, biometrics.ManifestFile)); err != nil {
		t.Fatal(err)
	}
	if err := p.run(t.Context()); err != nil || read(t, filepath.Join(p.dir, biometrics.DescriptorFile)) != "hello\n" {
		t.Errorf("got %v", err)
	}
}

func TestNetsThatCanBeAskedFor(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{biometrics.ModelTaguchiV1: true, biometrics.ModelDlibV1: false, "other": false, "": false} {
		p, _ := setup(t)
		if err := p.choose(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}
