package worker

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/biometrics"
)

// TestFirstInFirstOut: captures with one frame each under way are served in turn,
// so one that has begun is not starved by those that come after it.
func TestFirstInFirstOut(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "go")
	err := syscall.Mkfifo(fifo, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	b := setup(t, Config{Workers: 1}, "diary", fifo)
	var callers sync.WaitGroup
	want := ""
	for i, person := range []int{7, 3, 5, 1, actExit} {
		callers.Go(func() { _ = b.look(t, person) })
		until(t, "the frame waits", func() bool { return b.Status().Load.Waiting == i+1 })
		if person != actExit {
			want += "saw " + string(rune('0'+person)) + "\n"
		}
	}
	err = os.WriteFile(fifo, nil, 0o600) // both ends meet in open
	if err != nil {
		t.Fatal(err)
	}
	callers.Wait()
	if got := b.await(t, EventFailed).Stderr; !strings.HasPrefix(got, want) {
		t.Errorf("the worker's diary is %q, want first %q", got, want)
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Workers: 2, Queue: 9}, "normal")
	b.await(t, EventReady)
	b.await(t, EventReady)
	idle := b.Status().Load
	if idle.Workers != 2 || idle.Queue != 9 || idle.Busy != 0 || idle.Waiting != 0 || idle.PerFrame <= 0 {
		t.Errorf("idle: %+v", idle)
	}
	err := b.look(t, 1)
	if err != nil {
		t.Fatal(err)
	}
	if after := b.Status().Load.PerFrame; after == idle.PerFrame {
		t.Errorf("the average stays %v", after)
	}
	_ = b.look(t, actSegfault)
	b.await(t, EventFailed)
	b.await(t, EventReady)
	until(t, "both are up", func() bool { return b.Status().Load.Workers == 2 })
}

func TestRound(t *testing.T) {
	t.Parallel()
	l := biometrics.Load{Workers: 2, Busy: 2, Waiting: 7, PerFrame: 40 * time.Millisecond}
	if got := l.Round(10); got != 200*time.Millisecond {
		t.Errorf("a round of ten captures over two workers takes %v", got)
	}
	if got := l.Wait(); got != 200*time.Millisecond {
		t.Errorf("the tenth frame waits %v", got)
	}
	l.Workers = 0 // about to start again
	if got := l.Round(10); got != 400*time.Millisecond {
		t.Errorf("without a worker a round of ten takes %v", got)
	}
}

func TestProcesses(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Workers: 1}, "normal")
	pid := b.await(t, EventReady).PID
	got := b.Processes()
	if len(got) != 1 || got[0].PID != pid || got[0].Restarts != 0 || got[0].BLAS != scriptedBLAS || got[0].Resident < 1<<20 {
		t.Errorf("processes %+v, want one with pid %d", got, pid)
	}
	_ = b.look(t, actSegfault)
	next := b.await(t, EventReady).PID
	got = b.Processes()
	if got[0].PID != next || got[0].Restarts != 1 {
		t.Errorf("after a crash: %+v, want pid %d, started again once", got, next)
	}
	b.Stop()
	if got := b.Processes(); got[0].PID != 0 || got[0].Resident != 0 {
		t.Errorf("after Stop: %+v", got)
	}
}
