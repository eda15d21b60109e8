//go:build dlib

package dlib

import (
	"errors"
	"image"
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
	_, err = engine.Look(image.NewYCbCr(image.Rect(0, 0, 200, 200), image.YCbCrSubsampleRatio420))
	if !errors.Is(err, biometrics.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}

// TestLookRefusesWhatTheGateNeverMakes: the worker is handed frames alone, but
// does not take that on trust.
func TestLookRefusesWhatTheGateNeverMakes(t *testing.T) {
	short := image.NewYCbCr(image.Rect(0, 0, 200, 200), image.YCbCrSubsampleRatio420)
	short.Cr = short.Cr[:len(short.Cr)-1]
	for name, picture := range map[string]*image.YCbCr{
		"nothing":    {SubsampleRatio: image.YCbCrSubsampleRatio420},
		"a line":     image.NewYCbCr(image.Rect(0, 0, 200, 1), image.YCbCrSubsampleRatio420),
		"4:4:4":      image.NewYCbCr(image.Rect(0, 0, 200, 200), image.YCbCrSubsampleRatio444),
		"not from 0": image.NewYCbCr(image.Rect(2, 2, 200, 200), image.YCbCrSubsampleRatio420),
		"short":      short,
		"huge":       image.NewYCbCr(image.Rect(0, 0, 70_000, 16), image.YCbCrSubsampleRatio420),
	} {
		faces, err := testEngine(t).Look(picture)
		if err == nil {
			t.Errorf("%s: %d faces and no error", name, len(faces))
		}
	}
}
