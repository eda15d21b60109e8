//go:build dlib

package dlib

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/draw"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/facetest"
)

// shots plays a camera before one photo: noisy frames of it, from that seed on.
func shots(t *testing.T, path string, n int, seed uint64) []biometrics.Frame {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	frames := make([]biometrics.Frame, n)
	for i := range frames {
		noisy := image.NewRGBA(img.Bounds())
		draw.Draw(noisy, noisy.Bounds(), img, img.Bounds().Min, draw.Src)
		for j, v := range noisy.Pix {
			noisy.Pix[j] = uint8(max(0, min(255, int(v)+r.IntN(13)-6)))
		}
		var out bytes.Buffer
		err := jpeg.Encode(&out, noisy, &jpeg.Options{Quality: 85})
		if err != nil {
			t.Fatal(err)
		}
		frames[i], err = testGate().Open(context.Background(), out.Bytes())
		if err != nil {
			t.Fatal(err)
		}
	}
	return frames
}

// capture is what three frames of somebody who is in that photo are described by.
func capture(t *testing.T, path string, seed uint64) []biometrics.Descriptor {
	t.Helper()
	seen, err := testEngine(t).Analyze(t.Context(), shots(t, path, 3, seed))
	if err != nil {
		t.Fatal(err)
	}
	var descriptors []biometrics.Descriptor
	for _, o := range seen {
		if len(o.Faces) != 1 {
			t.Fatalf("%s: %d faces", filepath.Base(path), len(o.Faces))
		}
		descriptors = append(descriptors, o.Faces[0].Descriptor)
	}
	return descriptors
}

// TestSamples needs nothing but what make models brings: each person of a group
// photo enrols and comes back, and nobody else of that photo passes for them.
func TestSamples(t *testing.T) {
	faces, err := filepath.Glob(filepath.Join(facetest.Samples(t), "*-face*.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	if len(faces) != 19 {
		t.Fatalf("%d sample faces, want 19", len(faces))
	}
	enrolled := make(map[string][]biometrics.Descriptor)
	for i, path := range faces {
		enrolled[path] = capture(t, path, uint64(2*i))
	}
	genuine, impostors := 0, 0
	for i, path := range faces {
		probes := capture(t, path, uint64(2*i+1))
		photo, _, _ := strings.Cut(filepath.Base(path), "-")
		for _, other := range faces {
			same := other == path
			if !same && !strings.HasPrefix(filepath.Base(other), photo+"-") {
				continue // perhaps the same person
			}
			got, err := euclidean.Compare("", enrolled[other], probes)
			if err != nil {
				t.Fatal(err)
			}
			if got.Accepted != same {
				t.Errorf("%s against the templates of %s: %v", filepath.Base(path), filepath.Base(other), got)
			}
			if same {
				genuine++
			} else {
				impostors++
			}
		}
	}
	if genuine != 19 || impostors != 50 {
		t.Errorf("%d genuine and %d impostor comparisons, want 19 and 50", genuine, impostors)
	}
}

// TestSamplesSeen: what the real engine finds in pictures of nobody, of one and of
// several is what a capture is told.
func TestSamplesSeen(t *testing.T) {
	samples := facetest.Samples(t)
	blank := image.NewRGBA(image.Rect(0, 0, 640, 480))
	draw.Draw(blank, blank.Bounds(), image.NewUniform(color.Gray{120}), image.Point{}, draw.Src)
	var out bytes.Buffer
	err := jpeg.Encode(&out, blank, nil)
	if err != nil {
		t.Fatal(err)
	}
	nobody, err := testGate().Open(context.Background(), out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for want, frame := range map[biometrics.CaptureCode]biometrics.Frame{
		biometrics.CodeNoFace:    nobody,
		"":                       openFrame(t, filepath.Join(samples, "sample1-face1.jpg")),
		biometrics.CodeManyFaces: openFrame(t, filepath.Join(samples, "sample1.jpg")),
	} {
		seen, err := testEngine(t).Analyze(t.Context(), []biometrics.Frame{frame})
		if err != nil {
			t.Fatal(err)
		}
		got := biometrics.See(frame, seen[0], biometrics.DefaultRules())
		if got.Problem == nil && want != "" || got.Problem != nil && got.Problem.Code != want {
			t.Errorf("%d faces: %v, want %q", len(seen[0].Faces), got.Problem, want)
		}
	}
}
