//go:build dlib

package dlib

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	face "github.com/Kagami/go-face"
	"golang.org/x/image/draw"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/facetest"
)

// BenchmarkMatch compares, on the same picture and in the same run, what a match
// takes through the gate and a worker process with go-face's own Recognize. Run it
// with OPENBLAS_NUM_THREADS=1, as workers have it. The two take turns, so that a
// noisy machine is noisy for both.
func BenchmarkMatch(b *testing.B) {
	pool, events := startWorkers(b, 1)
	awaitReady(b, events)
	recognizer, err := face.NewRecognizer(facetest.Models(b))
	if err != nil {
		b.Fatal(err)
	}
	defer recognizer.Close()
	for _, size := range []image.Point{{X: 640, Y: 480}, {X: 1280, Y: 720}} {
		b.Run(fmt.Sprintf("%dx%d", size.X, size.Y), func(b *testing.B) {
			upload := picture(b, size)
			template := []biometrics.Descriptor{{}}
			var ours, gate, theirs []time.Duration
			for b.Loop() {
				start := time.Now()
				frame, err := testGate().Open(context.Background(), upload)
				if err != nil {
					b.Fatal(err)
				}
				gate = append(gate, time.Since(start))
				seen, err := pool.Analyze(b.Context(), []biometrics.Frame{frame})
				if err != nil || len(seen[0].Faces) != 1 {
					b.Fatal(seen, err)
				}
				_, err = biometrics.Match(template, []biometrics.Descriptor{seen[0].Faces[0].Descriptor}, 0.45)
				if err != nil {
					b.Fatal(err)
				}
				ours = append(ours, time.Since(start))

				start = time.Now()
				faces, err := recognizer.Recognize(upload)
				if err != nil || len(faces) != 1 {
					b.Fatal(len(faces), err)
				}
				theirs = append(theirs, time.Since(start))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(ours), "ms-ours")
			b.ReportMetric(median(gate), "ms-gate")
			b.ReportMetric(median(theirs), "ms-go-face")
		})
	}
}

// picture is one face in a JPEG of that size.
func picture(b *testing.B, size image.Point) []byte {
	b.Helper()
	data, err := os.ReadFile(filepath.Join(facetest.Samples(b), "sample2-face1.jpg"))
	if err != nil {
		b.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		b.Fatal(err)
	}
	out := image.NewRGBA(image.Rectangle{Max: size})
	left := (size.X - size.Y) / 2
	draw.CatmullRom.Scale(out, image.Rect(left, 0, left+size.Y, size.Y), img, img.Bounds(), draw.Src, nil)
	var encoded bytes.Buffer
	err = jpeg.Encode(&encoded, out, &jpeg.Options{Quality: 90})
	if err != nil {
		b.Fatal(err)
	}
	return encoded.Bytes()
}

func median(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2].Microseconds()) / 1000
}
