//go:build dlib

package dlib

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	face "github.com/Kagami/go-face"
	"golang.org/x/image/draw"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/facetest"
	"github.com/sallyport/sallyport/biometrics/worker"
)

// nice is what workers have by default. On a machine that has other things to do
// their measurement is fair with 0 alone.
var nice = flag.Int("nice", 10, "niceness of the workers in benchmarks")

// captureFrames is how many frames a verification of the benchmarks has.
const captureFrames = 3

var benchSizes = []image.Point{{X: 640, Y: 480}, {X: 1280, Y: 720}}

// BenchmarkVerify measures, on the same pictures and in turns, so that a noisy
// machine is noisy for all: a whole verification of three frames without HTTP (gate,
// worker, quality, comparison), go-face's bare Recognize of the same uploads, and
// face-api where -face-api names a folder that has it. The frames of a verification
// come one by one, each after the answer to the last, as the socket of a capture has
// them.
func BenchmarkVerify(b *testing.B) {
	oneThread(b)
	one := benchPool(b, 1)
	recognizer, err := face.NewRecognizer(facetest.Models(b))
	if err != nil {
		b.Fatal(err)
	}
	defer recognizer.Close()
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dx%d", size.X, size.Y), func(b *testing.B) {
			uploads, pixels := pictures(b, size)
			template, yardstick := seenIn(b, one, uploads[:1]), benchYardstick(b)
			bare := &side{name: "go-face Recognize", frames: captureFrames, run: func() {
				for _, upload := range uploads {
					faces, err := recognizer.Recognize(upload)
					if err != nil || len(faces) != 1 {
						b.Fatal(len(faces), err)
					}
				}
			}}
			verify := func(name string, pool *worker.Pool) *side {
				return &side{name: name, frames: captureFrames, pids: pids(pool), run: func() {
					d, err := yardstick.Compare("owner", template, seenIn(b, pool, uploads))
					if err != nil || !d.Accepted {
						b.Fatal(d, err)
					}
				}}
			}
			sides := append([]*side{
				bare,
				verify("verification, 1 worker", one),
			}, faceAPISides(b, size, pixels)...)
			for b.Loop() {
				for _, s := range sides {
					s.measure(b)
				}
			}
			b.ReportMetric(0, "ns/op")
			report(b, sides, sides[:2]...)
		})
	}
}

// BenchmarkThroughput measures frames per second of one worker and of two, in turns:
// of the workers alone, with frames that went through the gate before, and with the
// gate's work, which has no core of its own.
func BenchmarkThroughput(b *testing.B) {
	oneThread(b)
	one, two := benchPool(b, 1), benchPool(b, 2)
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dx%d", size.X, size.Y), func(b *testing.B) {
			uploads, _ := pictures(b, size)
			frames := make([]biometrics.Frame, len(uploads))
			for i, upload := range uploads {
				frame, err := testGate().Open(b.Context(), upload)
				if err != nil {
					b.Fatal(err)
				}
				frames[i] = frame
			}
			workers := func(pool *worker.Pool) func(i int) {
				return func(i int) {
					seen, err := pool.Analyze(b.Context(), []biometrics.Frame{frames[i%len(frames)]})
					if err != nil || len(seen[0].Faces) != 1 {
						b.Error(err)
					}
				}
			}
			whole := func(pool *worker.Pool) func(i int) {
				return func(i int) { seenIn(b, pool, uploads[i%len(uploads):][:1]) }
			}
			const perTurn = 24
			turn := func(look func(i int)) func() {
				return func() {
					var next atomic.Int64
					var callers sync.WaitGroup
					for range 4 {
						callers.Go(func() {
							for i := next.Add(1); i <= perTurn; i = next.Add(1) {
								look(int(i))
							}
						})
					}
					callers.Wait()
				}
			}
			sides := []*side{
				{name: "frames, 1 worker", frames: perTurn, pids: pids(one), run: turn(workers(one))},
				{name: "frames, 2 workers", frames: perTurn, pids: pids(two), run: turn(workers(two))},
				{name: "gate and frames, 1 worker", frames: perTurn, pids: pids(one), run: turn(whole(one))},
				{name: "gate and frames, 2 workers", frames: perTurn, pids: pids(two), run: turn(whole(two))},
			}
			for b.Loop() {
				for _, s := range sides {
					s.measure(b)
				}
			}
			b.ReportMetric(0, "ns/op")
			report(b, sides[:2], sides[0])
			report(b, sides[2:], sides[2])
		})
	}
}

// oneThread refuses a comparison in which this process has other threads for BLAS
// than workers have.
func oneThread(b *testing.B) {
	b.Helper()
	if blas := LoadedBLAS(); blas.Name == biometrics.BLASOpen && blas.Threads != 1 {
		b.Fatalf("%v: run with OPENBLAS_NUM_THREADS=1, as workers have it", blas)
	}
}

func benchPool(b *testing.B, workers int) *worker.Pool {
	b.Helper()
	pool, events := startWorkers(b, workers, "-nice", strconv.Itoa(*nice), "-memory", "1024")
	for range workers {
		awaitReady(b, events)
	}
	return pool
}

func pids(pool *worker.Pool) []int {
	var out []int
	for _, p := range pool.Processes() {
		out = append(out, p.PID)
	}
	return out
}

// seenIn is what a server does with uploads before it compares.
func seenIn(b *testing.B, pool *worker.Pool, uploads [][]byte) []biometrics.Descriptor {
	b.Helper()
	var found []biometrics.Descriptor
	rules := biometrics.DefaultRules()
	for _, upload := range uploads {
		frame, err := testGate().Open(b.Context(), upload)
		if err != nil {
			b.Error(err)
			return found
		}
		seen, err := pool.Analyze(b.Context(), []biometrics.Frame{frame})
		if err != nil {
			b.Error(err)
			return found
		}
		sight := biometrics.See(frame, seen[0], rules)
		frame.Wipe()
		if sight.Problem != nil {
			b.Error(sight.Problem)
			return found
		}
		found = append(found, seen[0].Faces[0].Descriptor)
	}
	return found
}

// benchYardstick is the dearest way to compare: normalised by a cohort of the
// default size. Its members are no people, which makes no difference to the time.
func benchYardstick(b *testing.B) biometrics.Yardstick {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	members := make([]biometrics.CohortMember, biometrics.DefaultCohortRules().Size)
	for i := range members {
		members[i].Owner = strconv.Itoa(i)
		for j := range members[i].Descriptor {
			members[i].Descriptor[j] = float32(random.NormFloat64()) / 12 // of length about 1
		}
	}
	cohort, err := biometrics.NewCohort("benchmark", 20, math.Inf(1), members)
	if err != nil {
		b.Fatal(err)
	}
	return biometrics.Yardstick{Metric: biometrics.MetricNormalized, Fusion: biometrics.FusionMean, Threshold: 0.5, Cohort: cohort}
}

// pictures are three crops of one photo, a few pixels apart, as JPEG of that size,
// and the first one's pixels.
func pictures(b *testing.B, size image.Point) (uploads [][]byte, pixels *image.RGBA) {
	b.Helper()
	data, err := os.ReadFile(filepath.Join(facetest.Dir(b), "faces", "obama-4.jpg"))
	if err != nil {
		b.Fatal(err)
	}
	photo, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		b.Fatal(err)
	}
	for i := range captureFrames {
		// The largest part of the photo that has the shape of size.
		part := photo.Bounds().Inset(2 * captureFrames)
		if width := part.Dy() * size.X / size.Y; width < part.Dx() {
			part.Min.X += (part.Dx() - width) / 2
			part.Max.X = part.Min.X + width
		} else {
			part.Max.Y = part.Min.Y + part.Dx()*size.Y/size.X
		}
		out := image.NewRGBA(image.Rectangle{Max: size})
		draw.CatmullRom.Scale(out, out.Bounds(), photo, part.Add(image.Pt(3*i, 2*i)), draw.Src, nil)
		var encoded bytes.Buffer
		err = jpeg.Encode(&encoded, out, &jpeg.Options{Quality: 90})
		if err != nil {
			b.Fatal(err)
		}
		uploads = append(uploads, encoded.Bytes())
		if i == 0 {
			pixels = out
		}
	}
	return uploads, pixels
}
