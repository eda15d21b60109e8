//go:build dlib

package dlib

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/facetest"
)

// shared is one engine for all tests: loading takes a second and 100 MB.
var shared struct {
	sync.Mutex
	engine *Engine
}

func testEngine(t testing.TB) *Engine {
	t.Helper()
	models := facetest.Models(t)
	shared.Lock()
	defer shared.Unlock()
	if shared.engine == nil {
		engine, err := Open(models, biometrics.DetectorHOG)
		if err != nil {
			t.Fatal(err)
		}
		shared.engine = engine
	}
	return shared.engine
}

var testGate = sync.OnceValue(func() *biometrics.Gate {
	gate, err := biometrics.NewGate(biometrics.DefaultGateConfig())
	if err != nil {
		panic(err)
	}
	return gate
})

// openFrame is a picture file through the gate.
func openFrame(t testing.TB, path string) biometrics.Frame {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	frame, err := testGate().Open(context.Background(), data)
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	return frame
}

// look finds the faces of a picture file.
func look(t testing.TB, path string) []biometrics.Face {
	t.Helper()
	seen, err := testEngine(t).Analyze(t.Context(), []biometrics.Frame{openFrame(t, path)})
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	return seen[0].Faces
}

// euclidean is the yardstick of the default policy.
var euclidean = biometrics.Yardstick{Metric: biometrics.MetricEuclidean, Fusion: biometrics.FusionMean, Threshold: 0.45}
