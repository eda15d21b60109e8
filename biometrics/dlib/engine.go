//go:build dlib

package dlib

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
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
	return biometrics.Model{
		Name:             ids[biometrics.DescriptorFile].ModelName(),
		Detector:         detector,
		DescriptorSHA256: ids[biometrics.DescriptorFile].SHA256,
		LandmarksSHA256:  ids[biometrics.LandmarksFile].SHA256,
		DetectorSHA256:   ids[biometrics.DetectorFile].SHA256,
	}, nil
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
		out[i].Faces, err = e.Look(f.JPEG())
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// maxSide is the longest side that Look hands on. go-face allocates what a header
// asks for; the image gate keeps far below this.
const maxSide = 4096

// Look finds the faces of one JPEG made by the image gate, left to right. It is
// for the worker process, to which frames come as bytes.
func (e *Engine) Look(picture []byte) ([]biometrics.Face, error) {
	config, err := jpeg.DecodeConfig(bytes.NewReader(picture))
	if err != nil {
		return nil, fmt.Errorf("frame is no JPEG: %v", err)
	}
	if config.ColorModel != color.YCbCrModel || config.Width > maxSide || config.Height > maxSide {
		return nil, fmt.Errorf("frame of %dx%d is not one that the image gate makes", config.Width, config.Height)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.recognizer == nil {
		return nil, errClosed
	}
	recognize := e.recognizer.Recognize
	if e.model.Detector == biometrics.DetectorCNN {
		recognize = e.recognizer.RecognizeCNN
	}
	found, err := recognize(picture)
	if err != nil {
		return nil, fmt.Errorf("frame: %v", err)
	}
	faces := make([]biometrics.Face, len(found))
	for i, f := range found {
		// dlib's rectangles include their last row and column.
		box := f.Rectangle
		box.Max = box.Max.Add(image.Pt(1, 1))
		faces[i] = biometrics.Face{Box: box, Landmarks: f.Shapes, Descriptor: biometrics.Descriptor(f.Descriptor)}
	}
	return faces, nil
}
