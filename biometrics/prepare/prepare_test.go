package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/biometrics"
)

// setup is a preparer without network or compiler, and what it said.
func setup(t *testing.T) (*preparer, *strings.Builder) {
	t.Helper()
	var said strings.Builder
	base := t.TempDir()
	p := &preparer{
		dir:         filepath.Join(base, "models"),
		work:        filepath.Join(base, "work"),
		source:      filepath.Join(base, "source"),
		landmarks68: filepath.Join(base, "landmarks68.dat"),
		converter:   filepath.Join(base, "convert.cc"),
		say:         func(format string, args ...any) { fmt.Fprintf(&said, format+"\n", args...) },
	}
	write(t, filepath.Join(p.dir, "samples", "there"), "already")
	return p, &said
}

func write(t *testing.T, path, content string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(content), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func fillSource(t *testing.T, p *preparer) {
	t.Helper()
	for _, name := range biometrics.ModelFiles() {
		write(t, filepath.Join(p.source, name), "the file "+name)
	}
}

func TestLocalSource(t *testing.T) {
	t.Parallel()
	p, said := setup(t)
	fillSource(t, p)
	err := p.run(t.Context())
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	manifest, err := readManifest(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(manifest.Model, "sha256:") || len(manifest.Files) != 3 {
		t.Errorf("manifest %+v", manifest)
	}
	for _, name := range biometrics.ModelFiles() {
		if got := read(t, filepath.Join(p.dir, name)); got != "the file "+name {
			t.Errorf("%s holds %q", name, got)
		}
	}

	// The second time takes nothing from anywhere and changes nothing.
	err = os.RemoveAll(p.source)
	if err != nil {
		t.Fatal(err)
	}
	before := read(t, filepath.Join(p.dir, biometrics.ManifestFile))
	err = p.run(t.Context())
	if err != nil {
		t.Fatalf("the second time: %v\n%s", err, said)
	}
	if diff := cmp.Diff(before, read(t, filepath.Join(p.dir, biometrics.ManifestFile))); diff != "" {
		t.Errorf("manifest changed: %s", diff)
	}
}

func TestChangedFileIsMovedAside(t *testing.T) {
	t.Parallel()
	p, said := setup(t)
	fillSource(t, p)
	err := p.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(p.dir, biometrics.DescriptorFile)
	write(t, path, "somebody's own")
	err = p.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if read(t, path+".unknown") != "somebody's own" || read(t, path) != "the file "+biometrics.DescriptorFile {
		t.Error("the changed file was not moved aside")
	}
	if !strings.Contains(said.String(), "moved to") {
		t.Errorf("nobody was told: %s", said)
	}
}

func TestMissingFilesSayWhy(t *testing.T) {
	t.Parallel()
	p, said := setup(t)
	write(t, p.landmarks68, "sixty-eight points")
	// A tarball that is not the one we know is refused and not used again.
	write(t, filepath.Join(p.work, npmTarball), "not it")
	err := p.run(t.Context())
	if err == nil {
		t.Fatal("no error without a descriptor net")
	}
	for _, want := range []string{
		biometrics.DescriptorFile + "  missing: official: switched off; local: no ", "want " + npmSHA256,
		biometrics.LandmarksFile, licence68, "converter: open",
	} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("it did not say %q:\n%s", want, said)
		}
	}
	for _, name := range []string{filepath.Join(p.dir, biometrics.ManifestFile), filepath.Join(p.work, npmTarball)} {
		_, err := os.Stat(name)
		if err == nil {
			t.Errorf("%s is there", name)
		}
	}
}

// hello is bzip2 of "hello\n", which Go can't write.
const hello = "BZh91AY&SY\xc1\xc0\x80\xe2\x00\x00\x01\x41\x00\x00\x10\x02\x44\xa0\x00\x30\xcd\x00\xc3\x46\x29\x97\x17\x72\x45\x38\x50\x90\xc1\xc0\x80\xe2"

func TestOfficialMismatchIsRefused(t *testing.T) {
	t.Parallel()
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if !strings.HasSuffix(r.URL.Path, ".dat.bz2") {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(hello))
	}))
	defer server.Close()
	p, said := setup(t)
	p.official = server.URL
	err := p.run(t.Context())
	if err == nil || asked != 3 {
		t.Errorf("%d files asked for, %v", asked, err)
	}
	if n := strings.Count(said.String(), "is not the official file: its git blob id is ce013625030ba8dba906f756967f9e9ca394464a"); n != 3 {
		t.Errorf("%d refusals:\n%s", n, said)
	}
	left, err := filepath.Glob(filepath.Join(p.dir, "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestUnreachablePlaceIsTriedOnce(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	p, said := setup(t)
	p.official = server.URL
	fillSource(t, p)
	err := p.run(t.Context())
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if p.officialErr == nil {
		t.Error("an unreachable place was not remembered")
	}
}

func TestDequantise(t *testing.T) {
	t.Parallel()
	const layout = `[{"weights":[
		{"name":"a","shape":[1,3],"dtype":"float32","quantization":{"dtype":"uint8","scale":0.5,"min":-1}},
		{"name":"b","shape":[1],"dtype":"float32"}],"paths":["x"]}]`
	data := binary.LittleEndian.AppendUint32([]byte{0, 2, 255}, math.Float32bits(7.25))
	got, err := dequantise([]byte(layout), data)
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	for _, v := range []float32{-1, 0, 126.5, 7.25} {
		want = binary.LittleEndian.AppendUint32(want, math.Float32bits(v))
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
	for name, bad := range map[string]struct{ layout, data string }{
		"too few":   {layout, string(data[:6])},
		"too many":  {layout, string(data) + "x"},
		"no layout": {"{", ""},
		"no groups": {"[]", ""},
		"huge":      {`[{"weights":[{"name":"a","shape":[2000000000,2000000000],"dtype":"float32"}]}]`, ""},
		"int":       {`[{"weights":[{"name":"a","shape":[1],"dtype":"int32"}]}]`, "1234"},
	} {
		_, err := dequantise([]byte(bad.layout), []byte(bad.data))
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestUnpackRefusesNonsense(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write(bytes.Repeat([]byte("not a tar "), 100))
	_ = w.Close()
	for name, data := range map[string][]byte{"no gzip": []byte("x"), "no tar": zipped.Bytes()} {
		_, err := unpack(data)
		if err == nil {
			t.Errorf("%s: unpacked", name)
		}
	}
}
