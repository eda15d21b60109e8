package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/biometrics"
)

// faceModels makes a folder that has nothing of face models but their manifest.
func faceModels(t *testing.T, trained bool) string {
	t.Helper()
	m := biometrics.Manifest{Model: biometrics.ModelDlibV1Q8}
	for _, name := range biometrics.ModelFiles() {
		m.Files = append(m.Files, biometrics.ManifestEntry{
			File: name, SHA256: strings.Repeat("1", 64), From: "a test", Trained: trained || name != biometrics.DetectorFile,
		})
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, biometrics.ManifestFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// What face lacks makes face unavailable and stops nothing else; an admin
// reads why.
func TestFaceSaysWhatItLacks(t *testing.T) {
	t.Parallel()
	empty, missing := t.TempDir(), filepath.Join(t.TempDir(), "sallyport-face")
	for name, c := range map[string]struct {
		over map[string]string
		why  string
	}{
		"switched off": {map[string]string{"SALLYPORT_FACE_ENABLED": "false", "SALLYPORT_FACE_MODELS": faceModels(t, true)}, "face.enabled"},
		"no models":    {map[string]string{"SALLYPORT_FACE_MODELS": empty}, "no face models in " + empty},
		"no worker":    {map[string]string{"SALLYPORT_FACE_MODELS": faceModels(t, true), "SALLYPORT_FACE_WORKER": missing}, "no face worker at " + missing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, problems := load(t, "", c.over)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			engine, stop := startFace(t.Context(), config, slog.New(slog.DiscardHandler))
			defer stop()
			if status := engine.Status(); status.Ready || !strings.Contains(status.Reason, c.why) {
				t.Errorf("got %+v, want %q", status, c.why)
			}
			if _, err := engine.Analyze(t.Context(), nil); !errors.Is(err, biometrics.ErrUnavailable) {
				t.Errorf("analyses all the same: %v", err)
			}
		})
	}
}

// A net that is there only to be loaded finds no faces: with it nobody would
// get in, and nothing would say why.
func TestAnUntrainedDetectorIsNotConfigured(t *testing.T) {
	t.Parallel()
	untrained, trained := faceModels(t, false), faceModels(t, true)
	for _, c := range []struct {
		models, detector, enabled string
		wrong                     bool
	}{
		{untrained, "cnn", "true", true},
		{untrained, "cnn", "false", false},
		{untrained, "hog", "true", false},
		{trained, "cnn", "true", false},
		{t.TempDir(), "cnn", "true", false}, // told at the start: face is unavailable
	} {
		_, problems := load(t, "", map[string]string{
			"SALLYPORT_FACE_MODELS": c.models, "SALLYPORT_FACE_DETECTOR": c.detector, "SALLYPORT_FACE_ENABLED": c.enabled,
		})
		told := errors.Join(problems...)
		if (told != nil) != c.wrong || c.wrong && !strings.HasPrefix(told.Error(), "face.detector: ") {
			t.Errorf("%+v: got %v", c, told)
		}
	}
}
