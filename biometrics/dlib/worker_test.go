//go:build dlib

package dlib

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/facetest"
	"github.com/sallyport/sallyport/biometrics/worker"
)

var matches = flag.Int("matches", 200, "how many matches the memory test makes")

// startWorkers starts the real face worker, with further arguments, and returns the
// process ids as they become ready.
func startWorkers(t testing.TB, n int, args ...string) (*worker.Pool, chan worker.Event) {
	t.Helper()
	events := make(chan worker.Event, 100)
	pool, err := worker.New(worker.Config{
		Command: append([]string{facetest.Worker(t), "-models", facetest.Models(t)}, args...),
		Workers: n,
		Queue:   100,
		// For a machine that is busy; what hangs is a matter of package worker's tests.
		RequestTimeout: time.Minute,
		Observe:        func(e worker.Event) { events <- e },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Stop)
	pool.Start(t.Context())
	return pool, events
}

func awaitReady(t testing.TB, events chan worker.Event) int {
	t.Helper()
	for {
		select {
		case e := <-events:
			if e.Kind == worker.EventReady {
				return e.PID
			}
			t.Logf("worker: %s", e.Reason)
		case <-time.After(time.Minute):
			t.Fatal("no worker became ready")
		}
	}
}

func TestWorkerSaysWhatTheEngineSays(t *testing.T) {
	pool, events := startWorkers(t, 1)
	awaitReady(t, events)
	if pool.Status().Model != testEngine(t).Status().Model {
		t.Errorf("worker runs %+v", pool.Status().Model)
	}
	frames := []biometrics.Frame{
		openFrame(t, filepath.Join(facetest.Samples(t), "sample2.jpg")),
		openFrame(t, filepath.Join(facetest.Samples(t), "sample5.jpg")),
	}
	got, err := pool.Analyze(t.Context(), frames)
	if err != nil {
		t.Fatal(err)
	}
	want, err := testEngine(t).Analyze(t.Context(), frames)
	if err != nil {
		t.Fatal(err)
	}
	for i := range frames {
		if len(got[i].Faces) != len(want[i].Faces) {
			t.Fatalf("frame %d: %d faces, want %d", i, len(got[i].Faces), len(want[i].Faces))
		}
		for j, f := range got[i].Faces {
			// Another count of BLAS threads may round otherwise.
			if d := biometrics.Distance(f.Descriptor, want[i].Faces[j].Descriptor); f.Box != want[i].Faces[j].Box || d > 1e-3 {
				t.Errorf("frame %d, face %d: box %v, want %v; descriptors %g apart", i, j, f.Box, want[i].Faces[j].Box, d)
			}
		}
	}
}

// TestWorkerKilledMidMatch kills the process while it computes: the person it was
// computing for gets one retryable error, five who wait get their answers.
func TestWorkerKilledMidMatch(t *testing.T) {
	frame := openFrame(t, filepath.Join(facetest.Samples(t), "sample5.jpg"))
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSEGV} {
		pool, events := startWorkers(t, 1)
		pid := awaitReady(t, events)
		idle := ticks(t, pid)
		var mu sync.Mutex
		var failures []error
		var callers sync.WaitGroup
		for range 6 {
			callers.Go(func() {
				_, err := pool.Analyze(t.Context(), []biometrics.Frame{frame})
				if err != nil {
					mu.Lock()
					defer mu.Unlock()
					failures = append(failures, err)
				}
			})
		}
		for deadline := time.Now().Add(30 * time.Second); ticks(t, pid) < idle+3; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the worker never computed")
			}
		}
		err := syscall.Kill(pid, signal)
		if err != nil {
			t.Fatal(err)
		}
		callers.Wait()
		if len(failures) != 1 || !errors.Is(failures[0], biometrics.ErrCrashed) {
			t.Errorf("%v: failures %v, want one ErrCrashed", signal, failures)
		}
		_, err = pool.Analyze(t.Context(), []biometrics.Frame{frame})
		if err != nil {
			t.Errorf("%v: after it: %v", signal, err)
		}
		pool.Stop()
	}
}

// ticks is the processor time of a process in hundredths of a second. One that
// waits for a request uses next to none; a frame takes tens.
func ticks(t testing.TB, pid int) int {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	// Behind the name in parentheses: state, ten numbers, utime, stime.
	_, rest, found := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if !found || len(fields) < 13 {
		t.Fatalf("stat of %d is %q", pid, stat)
	}
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		t.Fatal(err)
	}
	system, err := strconv.Atoi(fields[12])
	if err != nil {
		t.Fatal(err)
	}
	return user + system
}

func TestWorkerWithoutModels(t *testing.T) {
	events := make(chan worker.Event, 100)
	pool, err := worker.New(worker.Config{
		Command:    []string{facetest.Worker(t), "-models", t.TempDir()},
		Workers:    1,
		MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond,
		Observe: func(e worker.Event) { events <- e },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Stop)
	pool.Start(t.Context())
	e := <-events
	if e.Kind != worker.EventFailed || !strings.Contains(e.Reason, biometrics.DescriptorFile+": no such file") {
		t.Errorf("event %+v", e)
	}
}

// TestWorkerMemory makes many matches in one worker and compares its resident
// memory with what it was after the first tenth.
func TestWorkerMemory(t *testing.T) {
	pool, events := startWorkers(t, 1)
	pid := awaitReady(t, events)
	var frames []biometrics.Frame
	for _, name := range []string{"sample2-face1.jpg", "sample3-face2.jpg", "sample6-face1.jpg"} {
		frames = append(frames, openFrame(t, filepath.Join(facetest.Samples(t), name)))
	}
	match := func(i int) {
		_, err := pool.Analyze(t.Context(), []biometrics.Frame{frames[i%len(frames)]})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range *matches / 10 {
		match(i)
	}
	before := resident(t, pid)
	for i := range *matches {
		match(i)
	}
	after := resident(t, pid)
	t.Logf("%d matches: %d kB before, %d kB after", *matches, before, after)
	if after > before+before/10 {
		t.Errorf("memory grew from %d kB to %d kB in %d matches", before, after, *matches)
	}
}

func resident(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(status), "VmRSS:")
	var kB int
	_, err = fmt.Sscan(rest, &kB)
	if !found || err != nil {
		t.Fatalf("no VmRSS of %d: %v", pid, err)
	}
	return kB
}
