// Package worker runs the face engine in child processes and is itself a
// biometrics.Engine: a pool of workers, each with one frame at a time, and a
// supervisor that replaces whichever dies, hangs, talks nonsense or grows.
//
// Native code that is fed pictures will crash some day. Here that costs the one
// request it was on, which fails with biometrics.ErrCrashed; every other request
// waits for the next worker. A worker has no environment, no descriptor but its
// three pipes, and nothing worth stealing.
package worker

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

// Config says what to run and within which limits. Zero values take the defaults
// named behind them.
type Config struct {
	// Command is the worker's program and its arguments. Required.
	Command []string
	// Workers is how many processes run at once: GOMAXPROCS.
	Workers int
	// Queue is how many frames may wait for a worker: 8 for each of them. A
	// capture that does not fit whole is refused whole.
	Queue int
	// StartTimeout is how long a worker may load models: 30 s.
	StartTimeout time.Duration
	// RequestTimeout is how long one frame may take: 10 s. It is a bound for
	// hangs: a face takes some 40 ms, a crowd below 3 s.
	RequestTimeout time.Duration
	// MaxGrowth is by how many bytes of resident memory a worker may outgrow its
	// size at start before it is replaced: 512 MiB.
	MaxGrowth int64
	// MinBackoff and MaxBackoff bound the wait before a worker that failed twice
	// in a row is started again: 250 ms, doubling up to 30 s. After a first
	// failure there is none.
	MinBackoff, MaxBackoff time.Duration
	// BreakerAfter is how many failures in a row every worker must have before
	// the pool stops taking requests: 3. It takes them again once a worker is up.
	BreakerAfter int
	// Observe is told what happens to the workers, if set. It is called from the
	// supervisor's goroutines, so it must be quick and safe for concurrent use.
	Observe func(Event)
}

func (c Config) withDefaults() (Config, error) {
	if len(c.Command) == 0 || c.Command[0] == "" {
		return c, errors.New("face worker: no command")
	}
	def(&c.Workers, runtime.GOMAXPROCS(0))
	def(&c.Queue, 8*c.Workers)
	def(&c.StartTimeout, 30*time.Second)
	def(&c.RequestTimeout, 10*time.Second)
	def(&c.MaxGrowth, 512<<20)
	def(&c.MinBackoff, 250*time.Millisecond)
	def(&c.MaxBackoff, 30*time.Second)
	def(&c.BreakerAfter, 3)
	if c.Workers < 0 || c.Queue < 0 || c.StartTimeout < 0 || c.RequestTimeout < 0 || c.MaxGrowth < 0 || c.BreakerAfter < 0 {
		return c, errors.New("face worker: a limit is negative")
	}
	if c.MinBackoff < 0 || c.MaxBackoff < c.MinBackoff {
		return c, fmt.Errorf("face worker: backoff from %v to %v", c.MinBackoff, c.MaxBackoff)
	}
	return c, nil
}

func def[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// backoff is the wait before the next start after so many failures in a row.
func (c Config) backoff(failures int) time.Duration {
	if failures < 2 {
		return 0
	}
	wait := c.MinBackoff
	for range failures - 2 {
		wait *= 2
		if wait >= c.MaxBackoff {
			return c.MaxBackoff
		}
	}
	return wait
}

// EventKind is what happened to a worker.
type EventKind string

// The kinds of events.
const (
	EventReady    EventKind = "ready"    // said hello
	EventFailed   EventKind = "failed"   // died, hung, talked nonsense or did not start
	EventReplaced EventKind = "replaced" // grew beyond its limit, between two requests
)

// Event is for logs and metrics.
type Event struct {
	Kind   EventKind
	Worker int    // 0 to Workers-1
	PID    int    // 0 where the process did not start
	Reason string // one line; empty for EventReady
	Stderr string // at most the last 8 KiB that the worker wrote there
}
