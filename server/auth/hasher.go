package auth

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
	"github.com/sallyport/sallyport/server/web"
	"golang.org/x/sync/semaphore"
)

const (
	saltBytes = 16
	keyBytes  = 32
)

// Hasher makes Argon2id hashes and checks those of every scheme that is known
// (see readHash). It runs a bounded number at once, for each takes its memory,
// lets a bounded number wait, and sheds the rest. Known devices have slots of
// their own, so that strangers who fill the queue don't shed the owner of an account.
type Hasher struct {
	cost  Argon2
	lanes [2]lane // strangers, known devices
	decoy string  // a hash of nothing anybody knows, with the cost in force
}

// lane runs a bounded number of hashes and lets a bounded number wait.
type lane struct {
	running *semaphore.Weighted
	places  int64 // at once, each of the memory that a hash of ours takes
	waiting atomic.Int64
	queue   int64
}

// NewHasher makes a hasher that runs parallel hashes at once and lets queue
// more wait, and half as many, rounded up, for known devices beside.
func NewHasher(cost Argon2, parallel, queue int) *Hasher {
	h := &Hasher{cost: cost}
	for i, places := range []int64{int64(parallel), int64(parallel+1) / 2} {
		h.lanes[i].running, h.lanes[i].places, h.lanes[i].queue = semaphore.NewWeighted(places), places, int64(queue)
	}
	h.decoy = encode(argon2id, cost, seal.Random(saltBytes), seal.Random(keyBytes))
	return h
}

// Hash gives the PHC string of a normalised password. overloaded when too many
// wait.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	release, err := h.enter(ctx, h.cost.MemoryKiB)
	if err != nil {
		return "", err
	}
	defer release()
	salt := seal.Random(saltBytes)
	return encode(argon2id, h.cost, salt, argon2id.derive(h.cost, password, salt, keyBytes)), nil
}

// Check compares a password with a stored hash in constant time: in the form
// that is hashed here, then, where that is another, as it was typed, for hashes
// that were brought along may be of those bytes. Which forms there are depends
// on what was typed alone, so the time that it takes tells nothing of the
// account.
//
// An empty hash stands for an account that doesn't exist: it costs what ours do
// and never matches. stale tells that the password should be hashed anew.
func (h *Hasher) Check(ctx context.Context, typed, phc string) (match, stale bool, err error) {
	exists := phc != ""
	if !exists {
		phc = h.decoy
	}
	stored, err := readHash(phc)
	if err != nil {
		return false, false, err
	}
	release, err := h.enter(ctx, stored.memoryKiB)
	if err != nil {
		return false, false, err
	}
	defer release()
	for i, form := range forms(typed) {
		if stored.matches(form) {
			return exists, (i > 0 || stored.cost != h.cost) && !stored.cuts(form), nil
		}
	}
	return false, false, nil
}

// enter waits for a place among the running hashes of the lane that ctx is in, or
// for as many as the hash's memory fills. One that is larger than all of them
// together runs alone.
func (h *Hasher) enter(ctx context.Context, memoryKiB uint32) (release func(), err error) {
	l := &h.lanes[0]
	if web.InKnownLane(ctx) {
		l = &h.lanes[1]
	}
	own := max(h.cost.MemoryKiB, 1)
	places := max(min(int64((memoryKiB-1)/own+1), l.places), 1)
	release = func() { l.running.Release(places) }
	if l.running.TryAcquire(places) {
		return release, nil
	}
	if l.waiting.Add(1) > l.queue {
		l.waiting.Add(-1)
		return nil, busy(nil)
	}
	defer l.waiting.Add(-1)
	if err := l.running.Acquire(ctx, places); err != nil {
		return nil, busy(err)
	}
	return release, nil
}

func busy(cause error) error {
	return &models.Error{
		Code: models.CodeOverloaded, Message: "many people are signing in right now: try again in a moment",
		RetryAfter: 2 * time.Second, Cause: cause,
	}
}
