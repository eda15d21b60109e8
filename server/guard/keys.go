package guard

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// keysFresh is how long keys serve without a look: a new one is published a quarter of
	// an hour before it signs.
	keysFresh = 5 * time.Minute
	// keysStale is how long they serve while Sallyport can't be reached. What an old key
	// signed is over by then.
	keysStale = time.Hour
	// keysAgain is how long nobody asks again, whatever ids of keys come along.
	keysAgain = 10 * time.Second
)

// keys are those that Sallyport signs by.
type keys struct {
	guard *Guard

	mu       sync.Mutex
	set      jose.JSONWebKeySet
	loadedAt time.Time     // when set was asked for; zero for never
	triedAt  time.Time     // when it was asked for last, in vain or not
	err      error         // of that try
	trying   chan struct{} // closed when the try under way is over; nil for none
}

// find gives the key of an id and an algorithm.
func (k *keys) find(ctx context.Context, id, alg string) (*jose.JSONWebKey, error) {
	now := k.guard.options.Now()
	key, age, trying := k.look(now, id, alg)
	if key != nil && age < keysStale {
		return key, nil // a try that is under way is for later requests
	}
	if trying != nil {
		select {
		case <-trying:
		case <-ctx.Done():
			return nil, unreachable(ctx.Err())
		}
		key, age, _ = k.look(now, id, alg)
	}
	k.mu.Lock()
	err := k.err
	k.mu.Unlock()
	switch {
	case key != nil && age < keysStale:
		return key, nil
	case err != nil:
		return nil, unreachable(err)
	default:
		return nil, invalidToken("this token was signed by no key that we know")
	}
}

// look searches what is there, and has it asked for anew where it is old or lacks the key.
func (k *keys) look(now time.Time, id, alg string) (key *jose.JSONWebKey, age time.Duration, trying <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, own := range k.set.Keys {
		if id != "" && own.KeyID == id && own.Algorithm == alg && own.IsPublic() && own.Valid() {
			key = &k.set.Keys[i]
		}
	}
	age = now.Sub(k.loadedAt).Abs()
	if (key == nil || age >= keysFresh) && k.trying == nil && now.Sub(k.triedAt).Abs() >= keysAgain {
		k.triedAt, k.trying = now, make(chan struct{})
		go k.load(now)
	}
	return key, age, k.trying
}

func (k *keys) load(now time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), askWithin)
	defer cancel()
	var fresh jose.JSONWebKeySet
	status, err := k.guard.call(ctx, http.MethodGet, "/oauth/keys", nil, nil, &fresh)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("the keys were answered by %d", status)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err = err; err == nil {
		k.set, k.loadedAt = fresh, now
	}
	close(k.trying)
	k.trying = nil
}
