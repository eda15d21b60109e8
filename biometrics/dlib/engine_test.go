//go:build dlib

package dlib

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/facetest"
)

// linkModels makes a model folder that a test may spoil.
func linkModels(t *testing.T) string {
	t.Helper()
	models, err := filepath.Abs(facetest.Models(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range append(biometrics.ModelFiles(), biometrics.ManifestFile) {
		err := os.Symlink(filepath.Join(models, name), filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func replace(t *testing.T, path, content string) {
	t.Helper()
	err := os.Remove(path)
	if err == nil {
		err = os.WriteFile(path, []byte(content), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		spoil    func(dir string)
		detector string
		want     string
	}{
		"missing file":     {func(dir string) { _ = os.Remove(filepath.Join(dir, biometrics.LandmarksFile)) }, "hog", "no such file"},
		"other file":       {func(dir string) { replace(t, filepath.Join(dir, biometrics.DetectorFile), "x") }, "hog", "differs from MANIFEST.json"},
		"broken manifest":  {func(dir string) { replace(t, filepath.Join(dir, biometrics.ManifestFile), "{") }, "hog", "MANIFEST.json"},
		"unknown detector": {func(string) {}, "eyes", "neither hog nor cnn"},
		"no model": {func(dir string) {
			_ = os.Remove(filepath.Join(dir, biometrics.ManifestFile))
			replace(t, filepath.Join(dir, biometrics.DescriptorFile), "not a net")
		}, "hog", "loading face models"},
		"untrained detector": {func(dir string) {
			manifest := `{"model":"m","files":[{"file":"` + biometrics.DescriptorFile + `","sha256":"a"},{"file":"` +
				biometrics.LandmarksFile + `","sha256":"b"},{"file":"` + biometrics.DetectorFile + `","sha256":"c","trained":false}]}`
			replace(t, filepath.Join(dir, biometrics.ManifestFile), manifest)
		}, "cnn", "never trained"},
	} {
		dir := linkModels(t)
		test.spoil(dir)
		engine, err := Open(dir, test.detector)
		if err == nil {
			engine.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error that says %q", name, err, test.want)
		}
	}
}

func TestClosedEngine(t *testing.T) {
	engine, err := Open(facetest.Models(t), biometrics.DetectorHOG)
	if err != nil {
		t.Fatal(err)
	}
	engine.Close()
	engine.Close()
	var out bytes.Buffer
	err = jpeg.Encode(&out, image.NewRGBA(image.Rect(0, 0, 200, 200)), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = engine.Look(out.Bytes())
	if !errors.Is(err, biometrics.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}

// TestLookRefusesWhatTheGateNeverMakes: the worker is handed frames alone, but
// does not take that on trust.
func TestLookRefusesWhatTheGateNeverMakes(t *testing.T) {
	encode := func(write func(*bytes.Buffer) error) []byte {
		var out bytes.Buffer
		err := write(&out)
		if err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	colour := encode(func(out *bytes.Buffer) error { return jpeg.Encode(out, image.NewRGBA(image.Rect(0, 0, 200, 200)), nil) })
	for name, picture := range map[string][]byte{
		"nothing": {},
		"png":     encode(func(out *bytes.Buffer) error { return png.Encode(out, image.NewRGBA(image.Rect(0, 0, 200, 200))) }),
		"grey":    encode(func(out *bytes.Buffer) error { return jpeg.Encode(out, image.NewGray(image.Rect(0, 0, 200, 200)), nil) }),
		"cut":     colour[:len(colour)-10],
		"huge":    encode(func(out *bytes.Buffer) error { return jpeg.Encode(out, image.NewRGBA(image.Rect(0, 0, 5000, 16)), nil) }),
	} {
		faces, err := testEngine(t).Look(picture)
		if err == nil {
			t.Errorf("%s: %d faces and no error", name, len(faces))
		}
	}
}
