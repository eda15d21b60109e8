package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/biometrics"
)

func TestBreaker(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "models")
	b := setup(t, Config{Workers: 2}, "dies-without", file)
	// Taken while there was hope, or refused at once: never left hanging.
	err := b.look(t, 1)
	if !errors.Is(err, biometrics.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	until(t, "the breaker is open", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.broken()
	})
	status := b.Status()
	if status.Ready || !strings.Contains(status.Reason, "no such file") {
		t.Errorf("status %+v, want the worker's last words", status)
	}
	err = b.look(t, 1)
	if !errors.Is(err, biometrics.ErrUnavailable) {
		t.Errorf("while it is open: %v, want ErrUnavailable", err)
	}
	err = os.WriteFile(file, nil, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	b.await(t, EventReady)
	err = b.look(t, 1)
	if err != nil {
		t.Errorf("once it is closed again: %v", err)
	}
}

func TestCrashingOnEveryFrameOpensTheBreaker(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Workers: 1, MinBackoff: time.Hour, MaxBackoff: time.Hour}, "normal")
	// The first failure is followed by a new worker at once, the second by a wait.
	for range 2 {
		b.await(t, EventReady)
		err := b.look(t, actSegfault)
		if !errors.Is(err, biometrics.ErrCrashed) {
			t.Errorf("got %v, want ErrCrashed", err)
		}
	}
	status := b.Status()
	if status.Ready || !strings.Contains(status.Reason, "SIGSEGV") {
		t.Errorf("status %+v", status)
	}
}

func TestStartTimeout(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Workers: 1, StartTimeout: 100 * time.Millisecond}, "mute")
	e := b.await(t, EventFailed)
	if !strings.Contains(e.Reason, "did not start within 100ms") {
		t.Errorf("reason %q", e.Reason)
	}
}

func TestMissingProgram(t *testing.T) {
	t.Parallel()
	pool, err := New(Config{Command: []string{"/nowhere/sallyport-face"}, Workers: 1, MinBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Stop)
	pool.Start(t.Context())
	until(t, "the reason is known", func() bool { return strings.Contains(pool.Status().Reason, "/nowhere/sallyport-face") })
}

func TestModelMayNotChangeUnderWay(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "name")
	write := func(name string) {
		err := os.WriteFile(file, []byte(name), 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
	write("first")
	b := setup(t, Config{Workers: 1}, "model", file)
	b.await(t, EventReady)
	write("second")
	err := b.look(t, actSegfault)
	if !errors.Is(err, biometrics.ErrCrashed) {
		t.Fatal(err)
	}
	b.await(t, EventFailed)
	e := b.await(t, EventFailed)
	if !strings.Contains(e.Reason, "second, was first") {
		t.Errorf("reason %q", e.Reason)
	}
	write("first")
	b.await(t, EventReady)
	if b.Status().Model.Name != "first" {
		t.Errorf("model %q", b.Status().Model.Name)
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	idle, err := New(Config{Command: []string{"true"}})
	if err != nil {
		t.Fatal(err)
	}
	idle.Stop()
	idle.Start(t.Context())
	idle.Stop()

	b := setup(t, Config{Workers: 2}, "normal")
	b.Start(t.Context())
	pids := []int{b.await(t, EventReady).PID, b.await(t, EventReady).PID}
	b.Stop()
	b.Stop()
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("worker %d is still there", pid)
		}
	}
	err = b.look(t, 1)
	if !errors.Is(err, biometrics.ErrUnavailable) {
		t.Errorf("after Stop: %v, want ErrUnavailable", err)
	}
	if b.Status().Ready {
		t.Error("ready after Stop")
	}
}

func TestEndOfContextStops(t *testing.T) {
	t.Parallel()
	pool, err := New(Config{Command: []string{os.Args[0], "play", "mute"}, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	pool.Start(ctx)
	b := &bundle{Pool: pool}
	done := make(chan error)
	go func() { done <- b.look(t, 1) }()
	until(t, "the frame waits", func() bool { return !b.idle() })
	cancel()
	err = <-done
	if !errors.Is(err, biometrics.ErrUnavailable) {
		t.Errorf("waiting at the end: %v, want ErrUnavailable", err)
	}
	pool.Stop()
}

func TestWorkersDieWithTheServer(t *testing.T) {
	t.Parallel()
	server := exec.CommandContext(t.Context(), os.Args[0], "play", "server")
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	err = server.Start()
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	_, err = fmt.Sscan(line, &pid)
	if err != nil {
		t.Fatal(err)
	}
	if !alive(pid) {
		t.Fatalf("worker %d is not there", pid)
	}
	_ = server.Process.Kill()
	_ = server.Wait()
	until(t, "the worker is gone", func() bool { return !alive(pid) })
}

// alive reports a process that is there and no zombie.
func alive(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err == nil && !strings.Contains(string(status), "State:\tZ")
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]Config{
		"no command": {},
		"negative":   {Command: []string{"x"}, Workers: -1},
		"backoff":    {Command: []string{"x"}, MinBackoff: time.Minute, MaxBackoff: time.Second},
	} {
		_, err := New(config)
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	config, err := Config{Command: []string{"x"}}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	for failures, want := range []time.Duration{0, 0, 250 * time.Millisecond, 500 * time.Millisecond, time.Second} {
		if got := config.backoff(failures); got != want {
			t.Errorf("backoff after %d failures: %v, want %v", failures, got, want)
		}
	}
	if got := config.backoff(1000); got != 30*time.Second {
		t.Errorf("backoff after 1000 failures: %v", got)
	}
}
