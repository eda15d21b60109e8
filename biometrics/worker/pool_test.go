package worker

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/biometricstest"
)

type bundle struct {
	*Pool
	events chan Event
}

// setup starts a pool of workers that play a role.
func setup(t *testing.T, config Config, role ...string) *bundle {
	t.Helper()
	b := &bundle{events: make(chan Event, 1000)}
	config.Command = append([]string{os.Args[0], "play"}, role...)
	config.Observe = func(e Event) { b.events <- e }
	if config.MinBackoff == 0 {
		config.MinBackoff, config.MaxBackoff = time.Millisecond, 20*time.Millisecond
	}
	pool, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	b.Pool = pool
	t.Cleanup(pool.Stop)
	pool.Start(context.Background())
	return b
}

// await returns the next event of that kind.
func (b *bundle) await(t *testing.T, kind EventKind) Event {
	t.Helper()
	for {
		select {
		case e := <-b.events:
			if e.Kind == kind {
				return e
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("no event %q; status is %+v", kind, b.Status())
		}
	}
}

// until waits for something that has no event.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

// idle reports that no frame waits for a worker.
func (b *bundle) idle() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting == 0
}

// onIt reports that a worker is looking at a frame.
func (b *bundle) onIt() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.busy > 0
}

// look has one picture of a person analysed and checks who is seen in it.
func (b *bundle) look(t *testing.T, person int) error {
	t.Helper()
	return b.lookCtx(t.Context(), t, person)
}

func (b *bundle) lookCtx(ctx context.Context, t *testing.T, person int) error {
	t.Helper()
	got, err := b.Analyze(ctx, []biometrics.Frame{biometricstest.Frame(t, 0, person)})
	if err != nil {
		return err
	}
	if len(got) != 1 || len(got[0].Faces) != 1 || got[0].Faces[0].Descriptor != biometricstest.Descriptor(person, 0) {
		t.Errorf("person %d was not recognised", person)
	}
	return nil
}

func TestAnalyzeKeepsOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Workers: 2, Queue: 100}, "normal")
	var callers sync.WaitGroup
	for caller := range 8 {
		callers.Go(func() {
			var frames []biometrics.Frame
			for i := range 5 {
				frames = append(frames, biometricstest.Frame(t, 0, (5*caller+i)%40))
			}
			got, err := b.Analyze(t.Context(), frames)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range frames {
				if personIn(got[i].Faces) != (5*caller+i)%40 {
					t.Errorf("caller %d: frame %d shows person %d", caller, i, personIn(got[i].Faces))
				}
			}
		})
	}
	callers.Wait()
	status := b.Status()
	if !status.Ready || status.Reason != "" || status.Model != scriptedModel("scripted") {
		t.Errorf("status %+v", status)
	}
}

func TestOneBadFrameFailsAlone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		person int
		reason string
	}{
		"segfault":     {actSegfault, "SIGSEGV"},
		"kill":         {actKill, "killed"},
		"exit":         {actExit, "std::bad_alloc"},
		"hang":         {actHang, "no answer within"},
		"garbage":      {actGarbage, "garbled"},
		"cut":          {actCut, "garbled"},
		"wrong id":     {actWrongID, "answered request"},
		"hello":        {actHello, "garbled"},
		"not a number": {actNotANumber, "garbled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := Config{Workers: 1, Queue: 100}
			if test.person == actHang {
				config.RequestTimeout = 300 * time.Millisecond
			}
			b := setup(t, config, "normal")
			b.await(t, EventReady)
			var callers sync.WaitGroup
			bad := make(chan error, 1)
			for person := range 6 {
				callers.Go(func() {
					if person == 3 {
						bad <- b.look(t, test.person)
						return
					}
					err := b.look(t, person)
					if err != nil {
						t.Errorf("person %d, who only waited: %v", person, err)
					}
				})
			}
			callers.Wait()
			err := <-bad
			if !errors.Is(err, biometrics.ErrCrashed) || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("got %v, want ErrCrashed that says %q", err, test.reason)
			}
			err = b.look(t, 1)
			if err != nil {
				t.Errorf("after it: %v", err)
			}
		})
	}
}

func TestKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Workers: 1}, "normal")
	pid := b.await(t, EventReady).PID
	done := make(chan error)
	go func() { done <- b.look(t, actHang) }()
	until(t, "the frame is being looked at", b.onIt)
	err := syscall.Kill(pid, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	err = <-done
	if !errors.Is(err, biometrics.ErrCrashed) {
		t.Errorf("got %v, want ErrCrashed", err)
	}
	next := b.await(t, EventReady).PID
	if next == pid {
		t.Errorf("worker %d was not replaced", pid)
	}
}

func TestRefusalLeavesTheWorkerAlone(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Workers: 1}, "normal")
	for range 5 {
		err := b.look(t, actRefuse)
		if !errors.Is(err, biometrics.ErrCrashed) {
			t.Errorf("got %v, want ErrCrashed", err)
		}
	}
	b.Stop()
	close(b.events)
	for e := range b.events {
		if e.Kind != EventReady {
			t.Errorf("event %+v", e)
		}
	}
}

func TestWorkerSeesNothing(t *testing.T) {
	t.Setenv("SALLYPORT_SECRET", "not for children")
	b := setup(t, Config{Workers: 1}, "normal")
	err := b.look(t, actEnviron)
	if err == nil || !strings.HasSuffix(err.Error(), ": OPENBLAS_NUM_THREADS=1 leads its group: true") {
		t.Errorf("worker's environment: %v", err)
	}
}

func TestSpeakingUnasked(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Workers: 1}, "normal")
	err := b.look(t, actTwice)
	if err != nil {
		t.Errorf("the first of two answers: %v", err)
	}
	e := b.await(t, EventFailed)
	if !strings.Contains(e.Reason, "without being asked") {
		t.Errorf("reason %q", e.Reason)
	}
	err = b.look(t, 1)
	if err != nil {
		t.Errorf("after it: %v", err)
	}
}

func TestGrowthReplaces(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Workers: 1, MaxGrowth: 64 << 20}, "normal")
	pid := b.await(t, EventReady).PID
	err := b.look(t, actGrow)
	if err != nil {
		t.Errorf("the answer of a worker that grew: %v", err)
	}
	e := b.await(t, EventReplaced)
	if e.PID != pid || !strings.Contains(e.Reason, "grew by") {
		t.Errorf("event %+v, want worker %d", e, pid)
	}
	err = b.look(t, 2)
	if err != nil {
		t.Errorf("after it: %v", err)
	}
}

func TestMuchOnStderr(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Workers: 1}, "normal")
	err := b.look(t, actChatter)
	if err != nil {
		t.Fatal(err)
	}
	err = b.look(t, actExit)
	if err == nil {
		t.Fatal("no error")
	}
	e := b.await(t, EventFailed)
	if len(e.Stderr) != tailBytes || !strings.Contains(e.Stderr, "bad_alloc") {
		t.Errorf("kept %d bytes of stderr", len(e.Stderr))
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Workers: 1, Queue: 2}, "normal")
	ctx, cancel := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	hang := func() {
		callers.Go(func() {
			err := b.lookCtx(ctx, t, actHang)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled while hanging: %v", err)
			}
		})
	}
	hang()
	until(t, "the worker is on the first frame", b.onIt)
	hang()
	hang()
	until(t, "the queue is full", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.waiting == 2
	})
	err := b.look(t, 1)
	var busy *biometrics.BusyError
	if !errors.As(err, &busy) || !errors.Is(err, biometrics.ErrBusy) || busy.RetryAfter < time.Second {
		t.Errorf("got %v, want ErrBusy with a time", err)
	}
	cancel()
	callers.Wait()
}

func TestCaptureIsQueuedWhole(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Workers: 1, Queue: 2}, "normal")
	frames := []biometrics.Frame{biometricstest.Frame(t, 0, 1), biometricstest.Frame(t, 0, 2), biometricstest.Frame(t, 0, 3)}
	_, err := b.Analyze(t.Context(), frames)
	if !errors.Is(err, biometrics.ErrBusy) {
		t.Errorf("three frames for a queue of two: %v", err)
	}
	if !b.idle() {
		t.Error("a part of it is waiting")
	}
	_, err = b.Analyze(t.Context(), make([]biometrics.Frame, 1))
	if err == nil {
		t.Error("a frame that no gate made was taken")
	}
}

func TestSlowStartIsWaitedFor(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "go")
	err := syscall.Mkfifo(fifo, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	b := setup(t, Config{Workers: 1}, "waits-for", fifo)
	done := make(chan error)
	go func() { done <- b.look(t, 1) }()
	until(t, "the frame waits", func() bool { return !b.idle() })
	status := b.Status()
	if status.Ready || !strings.Contains(status.Reason, "loading") {
		t.Errorf("status while loading: %+v", status)
	}
	err = os.WriteFile(fifo, nil, 0o600) // both ends meet in open
	if err != nil {
		t.Fatal(err)
	}
	err = <-done
	if err != nil {
		t.Error(err)
	}
}
