package worker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/wire"
)

// Pool is a biometrics.Engine over worker processes. Frames are taken in the order
// in which they came, so callers with one frame each under way are served in turn.
type Pool struct {
	config Config
	jobs   chan *job // capacity Queue; waiting keeps sends from blocking

	mu       sync.Mutex
	started  bool               // guarded by mu
	stopped  bool               // guarded by mu
	cancel   context.CancelFunc // guarded by mu
	waiting  int                // frames in jobs; guarded by mu
	busy     int                // frames being looked at; guarded by mu
	slots    []slotState        // guarded by mu
	model    biometrics.Model   // of the first hello; guarded by mu
	perFrame time.Duration      // moving average; guarded by mu
	running  sync.WaitGroup     // one per slot
}

var _ biometrics.Engine = (*Pool)(nil)

// slotState is what the pool knows of one worker.
type slotState struct {
	ready    bool
	failures int    // in a row, since the last answer
	reason   string // of the last failure
	pid      int    // 0 while there is no process that said hello
	starts   int    // hellos so far
	blas     biometrics.BLAS
}

// job is one frame on its way to a worker. Exactly one result is sent.
type job struct {
	ctx    context.Context
	frame  biometrics.Frame
	index  int
	result chan<- jobResult // has room for every frame of the capture
}

type jobResult struct {
	index int
	faces []biometrics.Face
	err   error
}

// New returns a pool that has not started.
func New(config Config) (*Pool, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Pool{
		config:   config,
		jobs:     make(chan *job, config.Queue),
		slots:    make([]slotState, config.Workers),
		perFrame: 100 * time.Millisecond,
	}, nil
}

// Start starts the workers and returns at once; Status tells when one is ready.
// A second call does nothing, and neither does a call after Stop. The end of ctx
// is like Stop, without its wait.
func (p *Pool) Start(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.started || p.stopped {
		return
	}
	p.started = true
	ctx, p.cancel = context.WithCancel(ctx)
	for i := range p.slots {
		s := &slot{pool: p, index: i}
		p.running.Go(func() { s.run(ctx) })
	}
	context.AfterFunc(ctx, p.close)
}

// Stop ends the workers and returns when they are gone. Frames still waiting fail
// with biometrics.ErrUnavailable, frames being looked at with ErrCrashed: stop the
// callers first. It may be called twice, and before Start.
func (p *Pool) Stop() {
	p.close()
	p.mu.Lock()
	cancel := p.cancel
	p.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	p.running.Wait()
}

// Status implements biometrics.Engine.
func (p *Pool) Status() biometrics.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status()
}

// Loading is the status's reason from Start until the first worker is up or has
// failed.
const Loading = "face workers are loading their models"

func (p *Pool) status() biometrics.Status {
	status := biometrics.Status{Model: p.model, Load: p.load()}
	if status.Load.Workers > 0 && !p.stopped {
		status.Ready = true
		return status
	}
	for _, s := range p.slots {
		if s.reason != "" {
			status.Reason = s.reason
		}
	}
	switch {
	case p.stopped:
		status.Reason = "face workers are stopped"
	case !p.started:
		status.Reason = "face workers are not started"
	case status.Reason == "":
		status.Reason = Loading
	}
	return status
}

// load is for Status. Callers hold mu.
func (p *Pool) load() biometrics.Load {
	load := biometrics.Load{Busy: p.busy, Waiting: p.waiting, Queue: p.config.Queue, PerFrame: p.perFrame}
	for _, s := range p.slots {
		if s.ready {
			load.Workers++
		}
	}
	return load
}

// broken reports that no worker is up and all of them have failed too often for a
// request to be worth its wait. Callers hold mu.
func (p *Pool) broken() bool {
	if p.stopped || !p.started {
		return true
	}
	for _, s := range p.slots {
		if s.ready || s.failures < p.config.BreakerAfter {
			return false
		}
	}
	return true
}

// Analyze implements biometrics.Engine. The frames are spread over the workers.
// While no worker is up but one is expected to be, they wait.
func (p *Pool) Analyze(ctx context.Context, frames []biometrics.Frame) ([]biometrics.Observation, error) {
	for i, f := range frames {
		if f.IsZero() {
			return nil, fmt.Errorf("frame %d did not come through the image gate", i)
		}
	}
	// The first failure decides, and the rest of the capture is no longer wanted.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan jobResult, len(frames))
	err := p.enqueue(ctx, frames, results)
	if err != nil {
		return nil, err
	}
	observations := make([]biometrics.Observation, len(frames))
	for range frames {
		select {
		case r := <-results:
			if r.err != nil {
				return nil, r.err
			}
			observations[r.index].Faces = r.faces
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return observations, nil
}

// enqueue takes all frames or none.
func (p *Pool) enqueue(ctx context.Context, frames []biometrics.Frame, results chan<- jobResult) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := ctx.Err()
	if err != nil {
		return err
	}
	if p.broken() {
		return &biometrics.UnavailableError{Reason: p.status().Reason}
	}
	if p.waiting+len(frames) > p.config.Queue {
		return &biometrics.BusyError{RetryAfter: p.retryAfter()}
	}
	p.waiting += len(frames)
	for i, f := range frames {
		p.jobs <- &job{ctx: ctx, frame: f, index: i, result: results}
	}
	return nil
}

// retryAfter is how long the work of now will take, in whole seconds. Callers
// hold mu.
func (p *Pool) retryAfter() time.Duration {
	return max(time.Second, p.load().Wait().Round(time.Second))
}

// taken records a frame that a worker has received from p.jobs.
func (p *Pool) taken() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting--
	p.busy++
}

// released records that the worker is done with the frame, one way or another.
func (p *Pool) released() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy--
}

// close refuses all further requests and fails those that wait.
func (p *Pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	p.failWaiting()
}

// failWaiting empties the queue: nobody will take what is in it. Callers hold mu.
func (p *Pool) failWaiting() {
	reason := p.status().Reason
	for {
		select {
		case j := <-p.jobs:
			p.waiting--
			j.result <- jobResult{err: &biometrics.UnavailableError{Reason: reason}}
		default:
			return
		}
	}
}

// ready records a worker's hello. The first one of the pool settles the model: a
// later worker with other files would compare by another yardstick, so it is
// refused until the whole service starts anew.
func (p *Pool) ready(index, pid int, hello wire.Hello) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.model == (biometrics.Model{}) {
		p.model = hello.Model
	}
	if p.model != hello.Model {
		return fmt.Errorf("loaded model files that differ from those of the workers before it (%s, was %s): restart to change models", hello.Model.Name, p.model.Name)
	}
	s := &p.slots[index]
	s.ready, s.pid, s.blas = true, pid, hello.BLAS
	s.starts++
	return nil
}

// answered records a frame that was looked at, and how long that took.
func (p *Pool) answered(index int, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.slots[index]
	s.failures, s.reason = 0, ""
	p.perFrame = (7*p.perFrame + took) / 8
}

// failed records a worker that is gone and returns how many times in a row that
// happened. When nobody is left to hope for, the queue is emptied.
func (p *Pool) failed(index int, reason string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.slots[index]
	s.ready, s.pid = false, 0
	s.failures++
	s.reason = reason
	if p.broken() {
		p.failWaiting()
	}
	return s.failures
}

// gone records a worker that was ended on purpose.
func (p *Pool) gone(index int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.slots[index]
	s.ready, s.pid = false, 0
}

func (p *Pool) observe(e Event) {
	if p.config.Observe != nil {
		p.config.Observe(e)
	}
}
