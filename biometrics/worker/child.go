package worker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/sallyport/sallyport/biometrics/wire"
)

// farewell is how long a worker whose pipes are closed has to exit by itself.
const farewell = 2 * time.Second

// child is one worker process.
type child struct {
	cmd      *exec.Cmd
	stdin    *os.File
	messages chan wire.Message // closed when no more can come
	exited   chan struct{}     // closed when the process is gone
	stderr   tail
	sizeWas  int64 // resident bytes at its hello

	mu      sync.Mutex
	killed  string // why we killed it; guarded by mu
	readErr error  // why messages was closed; guarded by mu
}

// startChild starts a worker with three pipes, a session of its own, so that
// a terminal's Ctrl-C reaches the parent alone, and an environment of one variable:
// OpenBLAS would otherwise start a thread per core in every worker.
func startChild(command []string) (*child, error) {
	stdinR, stdinW, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("face worker: %w", err)
	}
	widen(stdinW)
	stdoutR, stdoutW, err := os.Pipe()
	if err != nil {
		_ = stdinR.Close()
		_ = stdinW.Close()
		return nil, fmt.Errorf("face worker: %w", err)
	}
	c := &child{
		cmd:      exec.Command(command[0], command[1:]...), //nolint:gosec // from the operator's configuration
		stdin:    stdinW,
		messages: make(chan wire.Message, 1),
		exited:   make(chan struct{}),
	}
	c.cmd.Env = []string{"OPENBLAS_NUM_THREADS=1"}
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = stdinR, stdoutW, &c.stderr
	c.cmd.SysProcAttr = processAttributes()
	c.cmd.WaitDelay = farewell // should a grandchild hold stderr open
	err = c.cmd.Start()
	_ = stdinR.Close()
	_ = stdoutW.Close()
	if err != nil {
		_ = stdinW.Close()
		_ = stdoutR.Close()
		return nil, fmt.Errorf("face worker did not start: %w", err)
	}
	go c.read(stdoutR)
	go func() {
		// Nothing but Wait, so that its end means the process's end.
		_ = c.cmd.Wait() // how it ended is in ProcessState
		close(c.exited)
	}()
	return c, nil
}

// read forwards what the worker says. The channel holds the one message that can
// be due; a second is one too many.
func (c *child) read(stdout *os.File) {
	defer func() { _ = stdout.Close() }()
	defer close(c.messages)
	accept := []wire.Type{wire.TypeHello}
	for {
		m, err := wire.Read(stdout, accept...)
		if err != nil {
			c.mu.Lock()
			c.readErr = err
			c.mu.Unlock()
			return
		}
		if m.Type == wire.TypeHello {
			accept = []wire.Type{wire.TypeFaces, wire.TypeFailure}
			c.sizeWas = residentBytes(c.pid())
		}
		select {
		case c.messages <- m:
		default:
			c.kill("spoke without being asked")
			return
		}
	}
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// kill ends the process at once; the first reason given is kept.
func (c *child) kill(reason string) {
	c.mu.Lock()
	if c.killed == "" {
		c.killed = reason
	}
	c.mu.Unlock()
	_ = c.cmd.Process.Kill() // an error means that it is gone already
}

// wait returns when the process is gone.
func (c *child) wait() {
	<-c.exited
	_ = c.stdin.Close()
}

// end lets the process exit by itself, which the end of its input asks for.
func (c *child) end() {
	_ = c.stdin.Close()
	timer := time.AfterFunc(farewell, func() { c.kill("did not exit at the end of its input") })
	defer timer.Stop()
	<-c.exited
}

// failure says in one line what became of a worker that will not answer any more,
// and sees to it that the process is gone.
func (c *child) failure() error {
	c.mu.Lock()
	readErr, killed := c.readErr, c.killed
	c.mu.Unlock()
	if killed == "" && readErr != nil && readErr != io.EOF && !errors.Is(readErr, io.ErrUnexpectedEOF) {
		c.kill("gave a garbled answer: " + readErr.Error())
	}
	// Its output ends a moment before it is gone; one that stays is made to go.
	timer := time.AfterFunc(farewell, func() { c.kill("closed its output") })
	defer timer.Stop()
	c.wait()

	c.mu.Lock()
	what := c.killed
	c.mu.Unlock()
	if what == "" {
		what = "ended: " + c.cmd.ProcessState.String()
	}
	if last := c.stderr.lastWords(); last != "" {
		return fmt.Errorf("face worker (pid %d) %s; it last said %q", c.pid(), what, last)
	}
	return fmt.Errorf("face worker (pid %d) %s", c.pid(), what)
}

// growth is by how many bytes the worker has outgrown its size at start, 0 where
// that can't be read.
func (c *child) growth() int64 {
	now := residentBytes(c.pid())
	if now == 0 || c.sizeWas == 0 {
		return 0
	}
	return now - c.sizeWas
}
