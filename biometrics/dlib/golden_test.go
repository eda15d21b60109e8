//go:build dlib

package dlib

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/facetest"
)

var update = flag.Bool("update", false, "write the golden table of the models at hand")

// table is what the photos of the test data look like to one set of models: how
// many faces each shows, and the distances of those that show one. It belongs to
// the models' key, in whose name it is stored.
type table struct {
	Model     biometrics.Model   `json:"model"`
	Faces     map[string]int     `json:"faces"`
	Distances map[string]float64 `json:"distances"`
}

// tolerance is far above what BLAS libraries and processors differ by, and far
// below what another model or a change to the gate would move.
const tolerance = 0.02

func measure(t *testing.T) table {
	t.Helper()
	photos, err := filepath.Glob(filepath.Join(facetest.Dir(t), "faces", "*.[jp][pn]g"))
	if err != nil {
		t.Fatal(err)
	}
	if len(photos) < 20 {
		t.Fatalf("only %d photos", len(photos))
	}
	out := table{Model: testEngine(t).Status().Model, Faces: make(map[string]int), Distances: make(map[string]float64)}
	single := make(map[string]biometrics.Descriptor)
	var names []string
	for _, path := range photos {
		name := filepath.Base(path)
		faces := look(t, path)
		out.Faces[name] = len(faces)
		if len(faces) != 1 {
			continue
		}
		for _, other := range names {
			d := biometrics.Distance(single[other], faces[0].Descriptor)
			out.Distances[other+" "+name] = math.Round(d*1e4) / 1e4
		}
		single[name] = faces[0].Descriptor
		names = append(names, name)
	}
	return out
}

func TestGoldenDistances(t *testing.T) {
	got := measure(t)
	path := filepath.Join("testdata", "distances-"+got.Model.Key()+".json")
	if *update {
		data, err := json.MarshalIndent(got, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		err = os.WriteFile(path, append(data, '\n'), 0o644)
		if err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		missing := fmt.Sprintf("no golden table for these models (%s): make one with -update and look at it", got.Model.Name)
		if os.Getenv("SALLYPORT_REQUIRE_TESTDATA") == "1" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	if err != nil {
		t.Fatal(err)
	}
	var want table
	err = json.Unmarshal(data, &want)
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range want.Faces {
		if got.Faces[name] != n {
			t.Errorf("%s shows %d faces, want %d", name, got.Faces[name], n)
		}
	}
	for pair, d := range want.Distances {
		if !(math.Abs(got.Distances[pair]-d) <= tolerance) {
			t.Errorf("%s: distance %.4f, want %.4f", pair, got.Distances[pair], d)
		}
	}
	if len(got.Distances) != len(want.Distances) {
		t.Errorf("%d pairs, want %d", len(got.Distances), len(want.Distances))
	}
}
