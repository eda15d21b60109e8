package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/wire"
)

// slot keeps one worker running: it starts it, hands it frames one at a time and
// starts the next when it is gone. All of it is one goroutine.
type slot struct {
	pool   *Pool
	index  int
	lastID uint32
}

func (s *slot) run(ctx context.Context) {
	// The kernel ties a child's parent-death signal to the thread that forked it,
	// not to the process: this goroutine keeps its thread as long as it has
	// children.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	for ctx.Err() == nil {
		failures := s.life(ctx)
		select {
		case <-time.After(s.pool.config.backoff(failures)):
		case <-ctx.Done():
		}
	}
}

// life is one worker from its start to its end. It returns how many have failed
// in a row by now.
func (s *slot) life(ctx context.Context) (failures int) {
	c, err := startChild(s.pool.config.Command)
	if err != nil {
		return s.fail(nil, err.Error())
	}
	hello, err := s.awaitHello(ctx, c)
	if ctx.Err() != nil {
		c.kill("stopped while starting")
		c.wait()
		return 0
	}
	if err != nil {
		return s.fail(c, err.Error())
	}
	err = s.pool.ready(s.index, c.pid(), hello)
	if err != nil {
		c.kill(err.Error())
		return s.fail(c, err.Error())
	}
	s.pool.observe(Event{Kind: EventReady, Worker: s.index, PID: c.pid()})

	end := s.serve(ctx, c)
	switch {
	case end.reason == "":
		s.pool.gone(s.index)
		c.end()
		return 0
	case end.grown:
		s.pool.gone(s.index)
		c.end()
		s.pool.observe(Event{Kind: EventReplaced, Worker: s.index, PID: c.pid(), Reason: end.reason, Stderr: c.stderr.String()})
		return 0
	}
	failures = s.fail(c, end.reason)
	if end.victim != nil {
		// After the failure is on record, so that who asks for the status next
		// sees it.
		end.victim.result <- jobResult{err: &biometrics.CrashError{Reason: end.reason}}
	}
	return failures
}

// ending is why serve returned.
type ending struct {
	reason string // empty when ctx ended, or when there is no end yet
	grown  bool   // the worker is well but too large
	victim *job   // the frame it was on when it failed, if any
}

// awaitHello waits for the worker's first message.
func (s *slot) awaitHello(ctx context.Context, c *child) (wire.Hello, error) {
	timeout := s.pool.config.StartTimeout
	timer := time.AfterFunc(timeout, func() { c.kill(fmt.Sprintf("did not start within %v", timeout)) })
	defer timer.Stop()
	stop := context.AfterFunc(ctx, func() { c.kill("stopped while starting") })
	defer stop()
	m, ok := <-c.messages
	if !ok {
		return wire.Hello{}, c.failure()
	}
	hello, err := wire.DecodeHello(m.Payload)
	if err != nil {
		c.kill(err.Error())
		return wire.Hello{}, c.failure()
	}
	return hello, nil
}

// serve hands frames to a worker, one at a time, until there is a reason not to.
func (s *slot) serve(ctx context.Context, c *child) ending {
	for {
		select {
		case <-ctx.Done():
			return ending{}
		case _, ok := <-c.messages:
			if ok {
				c.kill("spoke without being asked")
			}
			return ending{reason: c.failure().Error()}
		case j := <-s.pool.jobs:
			s.pool.taken()
			end := s.handle(ctx, c, j)
			s.pool.released()
			if end.reason != "" {
				return end
			}
		}
	}
}

// handle sees to one frame. Its result is sent here unless the worker failed,
// which the returned ending then says.
func (s *slot) handle(ctx context.Context, c *child, j *job) ending {
	if j.ctx.Err() != nil {
		return ending{} // nobody waits for it
	}
	start := time.Now()
	faces, err := s.ask(ctx, c, j.frame)
	var refused refusal
	switch {
	case errors.As(err, &refused):
		j.result <- jobResult{err: &biometrics.CrashError{Reason: err.Error()}}
	case err != nil:
		return ending{reason: err.Error(), victim: j}
	default:
		s.pool.answered(s.index, time.Since(start))
		j.result <- jobResult{index: j.index, faces: faces}
	}
	// After a refusal too: it may have run into its memory limit.
	grown := c.growth()
	if grown > s.pool.config.MaxGrowth {
		return ending{reason: fmt.Sprintf("face worker (pid %d) grew by %d MiB", c.pid(), grown>>20), grown: true}
	}
	return ending{}
}

// refusal is a worker's own word that it could not look at a frame. It is well.
type refusal string

func (r refusal) Error() string { return "face worker could not look at the frame: " + string(r) }

// ask has the worker look at one frame. After any error but a refusal the worker
// is dead.
func (s *slot) ask(ctx context.Context, c *child, frame biometrics.Frame) ([]biometrics.Face, error) {
	s.lastID++
	timeout := s.pool.config.RequestTimeout
	// Killing it ends both the write and the wait below, wherever it hangs.
	timer := time.AfterFunc(timeout, func() { c.kill(fmt.Sprintf("gave no answer within %v", timeout)) })
	defer timer.Stop()
	stop := context.AfterFunc(ctx, func() { c.kill("was stopped") })
	defer stop()

	picture, err := wire.EncodeFrame(frame.Pixels())
	if err != nil {
		return nil, refusal(err.Error())
	}
	err = wire.Write(c.stdin, wire.Message{Type: wire.TypeAnalyze, ID: s.lastID, Payload: picture})
	clear(picture)
	if err != nil {
		return nil, c.failure()
	}
	m, ok := <-c.messages
	if !ok {
		return nil, c.failure()
	}
	if m.ID != s.lastID {
		c.kill(fmt.Sprintf("answered request %d when asked %d", m.ID, s.lastID))
		return nil, c.failure()
	}
	if m.Type == wire.TypeFailure {
		text, err := wire.DecodeFailure(m.Payload)
		if err != nil {
			c.kill(err.Error())
			return nil, c.failure()
		}
		return nil, refusal(text)
	}
	faces, err := wire.DecodeFaces(m.Payload)
	if err != nil {
		c.kill("gave a garbled answer: " + err.Error())
		return nil, c.failure()
	}
	return faces, nil
}

// fail puts a failure on record and tells the observer.
func (s *slot) fail(c *child, reason string) int {
	e := Event{Kind: EventFailed, Worker: s.index, Reason: reason}
	if c != nil {
		c.wait()
		e.PID, e.Stderr = c.pid(), c.stderr.String()
	}
	failures := s.pool.failed(s.index, reason)
	s.pool.observe(e)
	return failures
}
