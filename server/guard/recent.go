package guard

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// believed is how long an answer is believed, from when it was asked for.
	believed = time.Second
	// mostRecent is how many answers are kept at once.
	mostRecent = 10_000
)

// recent keeps what was asked a moment ago, so that of many requests with one token one asks.
type recent struct {
	now func() time.Time

	mu    sync.Mutex
	found map[[32]byte]*entry
}

type entry struct {
	asked time.Time
	done  chan struct{} // closed once the rest is there
	who   Identity
	err   error
}

// ask gives the answer of a key that was asked for less than a second ago, else asks.
// "Nobody" is an answer; that there was none is not kept.
func (r *recent) ask(ctx context.Context, key [32]byte, ask func(context.Context) (Identity, error)) (Identity, error) {
	now := r.now()
	r.mu.Lock()
	e, ok := r.found[key]
	if ok = ok && now.Sub(e.asked).Abs() < believed; !ok {
		r.makeRoom(now)
		e = &entry{asked: now, done: make(chan struct{})}
		r.found[key] = e
	}
	r.mu.Unlock()
	if !ok {
		// Whoever asked first may leave: others wait for the answer.
		go r.answer(context.WithoutCancel(ctx), key, e, ask)
	}
	select {
	case <-e.done:
		return e.who, e.err
	case <-ctx.Done():
		return Identity{}, unreachable(ctx.Err())
	}
}

func (r *recent) answer(ctx context.Context, key [32]byte, e *entry, ask func(context.Context) (Identity, error)) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	e.who, e.err = ask(ctx)
	close(e.done)
	var down *outage
	if errors.As(e.err, &down) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.found[key] == e {
			delete(r.found, key)
		}
	}
}

// makeRoom forgets what is too old, and everything when that is not enough.
func (r *recent) makeRoom(now time.Time) {
	if len(r.found) < mostRecent {
		return
	}
	for key, e := range r.found {
		if now.Sub(e.asked).Abs() >= believed {
			delete(r.found, key)
		}
	}
	if len(r.found) >= mostRecent {
		clear(r.found)
	}
}
