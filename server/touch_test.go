package server_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
)

// counted counts the writes that a session's use takes.
type counted struct {
	server.Store
	touches atomic.Int32
}

func (c *counted) Touch(ctx context.Context, ref models.Ref, client models.Client, idleEndsAt time.Time) error {
	c.touches.Add(1)
	return c.Store.Touch(ctx, ref, client, idleEndsAt)
}

// A write costs three times the lookup, and every request would make one.
func TestUseIsNotedOnceAMinute(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	store := &counted{Store: s.Store}
	b := s.another(func(d *server.Deps) { d.Store = store })
	b.cookies = ada.cookies
	began := s.Clock.Now()
	use := func(after time.Duration, touches int32, seen time.Duration) {
		t.Helper()
		s.Clock.Advance(after)
		for range 3 {
			b.get("/v1/me").want(200)
		}
		var at time.Time
		if err := s.Pool.QueryRow(t.Context(), `SELECT last_seen_at FROM sessions`).Scan(&at); err != nil {
			t.Fatal(err)
		}
		if got := store.touches.Load(); got != touches || !at.Equal(began.Add(seen)) {
			t.Errorf("%v later: %d writes, want %d; last seen after %v, want %v", after, got, touches, at.Sub(began), seen)
		}
	}
	use(0, 0, 0)
	use(59*time.Second, 0, 0)
	use(time.Second, 1, time.Minute)
	use(59*time.Second, 1, time.Minute)
	use(30*time.Second, 2, 149*time.Second)
}
