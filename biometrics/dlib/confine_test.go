//go:build dlib

package dlib

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/facetest"
)

// TestWorkerYields: every thread of a worker is as nice as it was told to be, also
// those that were there before it could say so and those that came after.
func TestWorkerYields(t *testing.T) {
	pool, events := startWorkers(t, 1, "-nice", "7")
	pid := awaitReady(t, events)
	_, err := pool.Analyze(t.Context(), []biometrics.Frame{openFrame(t, filepath.Join(facetest.Samples(t), "sample2-face1.jpg"))})
	if err != nil {
		t.Fatal(err)
	}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(threads) < 2 {
		t.Fatalf("threads %v: %v", threads, err)
	}
	for _, path := range threads {
		stat, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue // it has ended
		}
		if err != nil {
			t.Fatal(err)
		}
		// Behind the name in parentheses: state, then fifteen numbers, then niceness.
		_, rest, _ := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(rest); len(fields) < 17 || fields[16] != "7" {
			t.Errorf("%s: %s", path, rest)
		}
	}
	session, err := os.ReadFile(fmt.Sprintf("/proc/%d/autogroup", pid))
	if err != nil {
		t.Logf("this kernel keeps no sessions apart: %v", err)
		return
	}
	own, err := os.ReadFile("/proc/self/autogroup")
	if err != nil || !strings.HasSuffix(string(session), " nice 7\n") || bytes.Equal(session, own) {
		t.Errorf("its session is %q, that of this process %q, %v", session, own, err)
	}
}

// TestPictureBeyondTheMemoryLimit: a picture that needs more memory than a worker
// may have fails alone, with an error that can be tried again, and the next one is
// looked at.
func TestPictureBeyondTheMemoryLimit(t *testing.T) {
	// A worker has 200 MiB of private memory when it has loaded its models, 340 after
	// its first face, and needs 640 for a frame of 4000x4000.
	pool, events := startWorkers(t, 1, "-memory", "420")
	pid := awaitReady(t, events)
	small := openFrame(t, filepath.Join(facetest.Samples(t), "sample2-face1.jpg"))
	_, err := pool.Analyze(t.Context(), []biometrics.Frame{small})
	if err != nil {
		t.Fatalf("within the limit: %v", err)
	}

	_, err = pool.Analyze(t.Context(), []biometrics.Frame{square(t, 4000)}) // no gate of ours lets so much through
	if !errors.Is(err, biometrics.ErrCrashed) {
		t.Errorf("beyond the limit: %v, want ErrCrashed", err)
	}
	t.Logf("worker %d, now %+v: %v", pid, pool.Processes(), err)
	seen, err := pool.Analyze(t.Context(), []biometrics.Frame{small})
	if err != nil || len(seen[0].Faces) != 1 {
		t.Errorf("after it: %v, %v", seen, err)
	}
}

var (
	roomDetector = flag.String("room-detector", biometrics.DetectorHOG, "detector of TestMemoryLimitLeavesRoom")
	roomMiB      = flag.Int("room-mib", 512, "memory limit of TestMemoryLimitLeavesRoom")
)

// TestMemoryLimitLeavesRoom: half of what a worker may take by default (cmd/sallyport)
// is enough for the largest frame that the gate makes.
func TestMemoryLimitLeavesRoom(t *testing.T) {
	pool, events := startWorkers(t, 1, "-detector", *roomDetector, "-memory", strconv.Itoa(*roomMiB))
	awaitReady(t, events)
	started := pool.Processes()[0].Resident
	for _, frame := range []biometrics.Frame{
		openFrame(t, filepath.Join(facetest.Samples(t), "sample2-face1.jpg")), square(t, biometrics.DefaultGateConfig().LongSide),
	} {
		_, err := pool.Analyze(t.Context(), []biometrics.Frame{frame})
		if err != nil {
			t.Fatalf("%s, %d MiB: %dx%d: %v", *roomDetector, *roomMiB, frame.Width(), frame.Height(), err)
		}
		t.Logf("%s: resident %d MiB after start, %d after %dx%d", *roomDetector, started>>20, pool.Processes()[0].Resident>>20, frame.Width(), frame.Height())
	}
}

// square is a frame of nothing, from a gate that lets its size through.
func square(t *testing.T, side int) biometrics.Frame {
	t.Helper()
	config := biometrics.DefaultGateConfig()
	config.LongSide = side
	gate, err := biometrics.NewGate(config)
	if err != nil {
		t.Fatal(err)
	}
	var upload bytes.Buffer
	err = jpeg.Encode(&upload, image.NewRGBA(image.Rect(0, 0, side, side)), nil)
	if err != nil {
		t.Fatal(err)
	}
	frame, err := gate.Open(t.Context(), upload.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

// TestWorkerNamesItsBLAS: what the worker says of its library is what the engine of
// this process finds, with one thread whatever this process has.
func TestWorkerNamesItsBLAS(t *testing.T) {
	pool, events := startWorkers(t, 1)
	awaitReady(t, events)
	got, want := pool.Processes()[0].BLAS, LoadedBLAS()
	if got.Name == "" || got.Name != want.Name {
		t.Errorf("the worker runs on %q, this process on %q", got, want)
	}
	if got.Name == biometrics.BLASOpen && got.Threads != 1 {
		t.Errorf("the worker runs on %q, want one thread", got)
	}
}
