//go:build dlib

package dlib

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	face "github.com/Kagami/go-face"

	"github.com/sallyport/sallyport/biometrics"
)

// Engine is dlib in this process: one recognizer, one frame at a time.
type Engine struct {
	model biometrics.Model

	mu         sync.Mutex
	recognizer *face.Recognizer // nil once closed; guarded by mu
}

var _ biometrics.Engine = (*Engine)(nil)

// errClosed stands for what go-face would answer with a segmentation fault.
var errClosed = &biometrics.UnavailableError{Reason: "face engine is closed"}

// Open loads the three files of a model directory and checks them against its
// manifest, which may be missing where an operator installed files by hand. The
// detector is biometrics.DetectorHOG or DetectorCNN.
func Open(models, detector string) (*Engine, error) {
	model, err := identify(models, detector)
	if err != nil {
		return nil, err
	}
	recognizer, err := face.NewRecognizer(models)
	if err != nil {
		return nil, fmt.Errorf("loading face models from %s: %w", models, err)
	}
	return &Engine{model: model, recognizer: recognizer}, nil
}

func identify(models, detector string) (biometrics.Model, error) {
	manifest, known, err := readManifest(models)
	if err != nil {
		return biometrics.Model{}, err
	}
	// Without a manifest nothing says that a detector is untrained.
	if !known {
		manifest.Files = []biometrics.ManifestEntry{{File: biometrics.DetectorFile, Trained: true}}
	}
	err = manifest.CheckDetector(detector)
	if err != nil {
		return biometrics.Model{}, err
	}
	ids := make(map[string]biometrics.FileID)
	for _, name := range biometrics.ModelFiles() {
		id, err := biometrics.IdentifyFile(filepath.Join(models, name))
		if err != nil {
			return biometrics.Model{}, fmt.Errorf("face models: %w", err)
		}
		if known && id.SHA256 != manifest.Entry(name).SHA256 {
			return biometrics.Model{}, fmt.Errorf("face models: %s differs from %s", filepath.Join(models, name), biometrics.ManifestFile)
		}
		ids[name] = id
	}
	landmarks, err := countLandmarks(filepath.Join(models, biometrics.LandmarksFile))
	if err != nil {
		return biometrics.Model{}, err
	}
	return biometrics.Model{
		Landmarks:        landmarks,
		Name:             manifest.Name(ids[biometrics.DescriptorFile]),
		Detector:         detector,
		DescriptorSHA256: ids[biometrics.DescriptorFile].SHA256,
		LandmarksSHA256:  ids[biometrics.LandmarksFile].SHA256,
		DetectorSHA256:   ids[biometrics.DetectorFile].SHA256,
	}, nil
}

// countLandmarks reads how many points a shape predictor gives.
func countLandmarks(path string) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("face models: %w", err)
	}
	defer func() { _ = f.Close() }()
	header := make([]byte, biometrics.ShapeHeader)
	if _, err := io.ReadFull(f, header); err != nil {
		return 0, fmt.Errorf("face models: %s: %v", path, err)
	}
	n, err := biometrics.ShapePoints(header)
	if err != nil {
		return 0, fmt.Errorf("face models: %s: %v", path, err)
	}
	return n, nil
}

func readManifest(models string) (m biometrics.Manifest, known bool, err error) {
	data, err := os.ReadFile(filepath.Join(models, biometrics.ManifestFile))
	if errors.Is(err, os.ErrNotExist) {
		return biometrics.Manifest{}, false, nil
	}
	if err != nil {
		return biometrics.Manifest{}, false, fmt.Errorf("face models: %w", err)
	}
	m, err = biometrics.ParseManifest(data)
	if err != nil {
		return biometrics.Manifest{}, false, fmt.Errorf("face models: %w", err)
	}
	return m, true, nil
}

// Close frees the recognizer. It waits for a frame being looked at; whoever comes
// later gets biometrics.ErrUnavailable.
func (e *Engine) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.recognizer != nil {
		e.recognizer.Close()
		e.recognizer = nil
	}
}

// Status implements biometrics.Engine.
func (e *Engine) Status() biometrics.Status {
	return biometrics.Status{Ready: true, Model: e.model}
}

// Analyze implements biometrics.Engine. It looks for the end of ctx between two
// frames: native code can't be interrupted.
func (e *Engine) Analyze(ctx context.Context, frames []biometrics.Frame) ([]biometrics.Observation, error) {
	out := make([]biometrics.Observation, len(frames))
	for i, f := range frames {
		err := ctx.Err()
		if err != nil {
			return nil, err
		}
		out[i].Faces, err = e.Look(f.Pixels())
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
