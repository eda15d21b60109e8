//go:build dlib

package dlib

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport/biometrics/facetest"
)

// TestChosenPairs runs whole captures of photos far enough from the threshold for
// the outcome to be beyond doubt. It is a test of the path, not a measurement: an
// FMR and an FNMR take thousands of pairs.
func TestChosenPairs(t *testing.T) {
	faces := filepath.Join(facetest.Dir(t), "faces")
	for _, test := range []struct {
		enrolled, probe string
		want            bool
	}{
		{"obama-1.jpg", "obama-3.jpg", true},
		{"tzuyu-1.jpg", "tzuyu-2.jpg", true},
		{"harington-1.jpg", "harington-2.jpg", true},
		{"lacamoire-1.jpg", "lacamoire-2.jpg", true},
		{"obama-1.jpg", "biden-1.jpg", false},
		{"tzuyu-1.jpg", "harington-1.jpg", false},
		{"harington-1.jpg", "lacamoire-1.jpg", false},
		{"lacamoire-1.jpg", "obama-1.jpg", false},
		{"leslie-1.jpg", "tzuyu-2.jpg", false},
	} {
		got, err := euclidean.Compare("",
			capture(t, filepath.Join(faces, test.enrolled), 1),
			capture(t, filepath.Join(faces, test.probe), 2))
		if err != nil {
			t.Fatal(err)
		}
		if got.Accepted != test.want {
			t.Errorf("%s against %s: %v", test.probe, test.enrolled, got)
		}
	}
}

func TestTwoPeopleAndNone(t *testing.T) {
	faces := filepath.Join(facetest.Dir(t), "faces")
	for name, want := range map[string]int{"two-people.jpg": 2, "jimin-3.jpg": 0, "alpha-32bit.png": 1} {
		if got := len(look(t, filepath.Join(faces, name))); got != want {
			t.Errorf("%s shows %d faces, want %d", name, got, want)
		}
	}
}

func TestFaceIsWhereItIs(t *testing.T) {
	frame := openFrame(t, filepath.Join(facetest.Samples(t), "sample2.jpg"))
	faces, err := testEngine(t).Look(frame.Pixels())
	if err != nil || len(faces) != 1 {
		t.Fatal(len(faces), err)
	}
	f := faces[0]
	if n := len(f.Landmarks); n != 68 && n != 5 {
		t.Errorf("%d landmarks", n)
	}
	for _, p := range f.Landmarks {
		if !p.In(f.Box.Inset(-f.Box.Dx() / 2)) {
			t.Errorf("landmark %v is far from the face at %v", p, f.Box)
		}
	}
	length := 0.0
	for _, v := range f.Descriptor {
		length += float64(v) * float64(v)
	}
	if math.Abs(math.Sqrt(length)-1) > 0.6 {
		t.Errorf("a descriptor of length %.2f", math.Sqrt(length))
	}
}
