package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
	"github.com/sallyport/sallyport/server/web"
	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
)

// Argon2 holds the cost of a hash (RFC 9106).
type Argon2 struct {
	MemoryKiB uint32
	Time      uint32
	Threads   uint8
}

const (
	saltBytes = 16
	keyBytes  = 32
)

// Hasher makes and checks Argon2id hashes. It runs a bounded number at once,
// for each takes its memory, lets a bounded number wait, and sheds the rest.
// Known devices have slots of their own, so that strangers who fill the queue
// don't shed the owner of an account.
type Hasher struct {
	cost  Argon2
	lanes [2]lane // strangers, known devices
	decoy string  // a hash of nothing anybody knows, with the cost in force
}

// lane runs a bounded number of hashes and lets a bounded number wait.
type lane struct {
	running *semaphore.Weighted
	waiting atomic.Int64
	queue   int64
}

// NewHasher makes a hasher that runs parallel hashes at once and lets queue
// more wait, and half as many, rounded up, for known devices beside.
func NewHasher(cost Argon2, parallel, queue int) *Hasher {
	h := &Hasher{cost: cost}
	for i, parallel := range []int{parallel, (parallel + 1) / 2} {
		h.lanes[i].running, h.lanes[i].queue = semaphore.NewWeighted(int64(parallel)), int64(queue)
	}
	h.decoy = encode(cost, seal.Random(saltBytes), seal.Random(keyBytes))
	return h
}

// Hash gives the PHC string of a normalised password. overloaded when too many
// wait.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	release, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	salt := seal.Random(saltBytes)
	return encode(h.cost, salt, derive(h.cost, password, salt)), nil
}

// Check compares a normalised password with a PHC string in constant time. An
// empty string stands for an account that doesn't exist: it costs the same and
// never matches. stale tells that the hash was made at another cost.
func (h *Hasher) Check(ctx context.Context, password, phc string) (match, stale bool, err error) {
	exists := phc != ""
	if !exists {
		phc = h.decoy
	}
	cost, salt, want, err := decode(phc)
	if err != nil {
		return false, false, err
	}
	release, err := h.enter(ctx)
	if err != nil {
		return false, false, err
	}
	defer release()
	got := derive(cost, password, salt)
	return subtle.ConstantTimeCompare(got, want) == 1 && exists, cost != h.cost, nil
}

// enter waits for a place among the running hashes of the lane that ctx is in.
func (h *Hasher) enter(ctx context.Context) (release func(), err error) {
	l := &h.lanes[0]
	if web.InKnownLane(ctx) {
		l = &h.lanes[1]
	}
	if l.running.TryAcquire(1) {
		return func() { l.running.Release(1) }, nil
	}
	if l.waiting.Add(1) > l.queue {
		l.waiting.Add(-1)
		return nil, busy(nil)
	}
	defer l.waiting.Add(-1)
	if err := l.running.Acquire(ctx, 1); err != nil {
		return nil, busy(err)
	}
	return func() { l.running.Release(1) }, nil
}

func busy(cause error) error {
	return &models.Error{
		Code: models.CodeOverloaded, Message: "many people are signing in right now: try again in a moment",
		RetryAfter: 2 * time.Second, Cause: cause,
	}
}

func derive(cost Argon2, password string, salt []byte) []byte {
	return argon2.IDKey([]byte(password), salt, cost.Time, cost.MemoryKiB, cost.Threads, keyBytes)
}

var b64 = base64.RawStdEncoding

// encode writes the PHC string format.
func encode(cost Argon2, salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		cost.MemoryKiB, cost.Time, cost.Threads, b64.EncodeToString(salt), b64.EncodeToString(key))
}

func decode(phc string) (Argon2, []byte, []byte, error) {
	var cost Argon2
	var version int
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return cost, nil, nil, fmt.Errorf("stored hash is no Argon2id PHC string")
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return cost, nil, nil, fmt.Errorf("stored hash has version %q", parts[2])
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &cost.MemoryKiB, &cost.Time, &cost.Threads); err != nil || cost.Time == 0 || cost.Threads == 0 {
		return cost, nil, nil, fmt.Errorf("stored hash has parameters %q", parts[3])
	}
	salt, err := b64.DecodeString(parts[4])
	if err != nil {
		return cost, nil, nil, fmt.Errorf("stored hash has a malformed salt")
	}
	key, err := b64.DecodeString(parts[5])
	if err != nil || len(key) != keyBytes {
		return cost, nil, nil, fmt.Errorf("stored hash has a malformed key")
	}
	return cost, salt, key, nil
}
