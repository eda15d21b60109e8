package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

func (b bundle) retain(kept time.Duration) int {
	b.t.Helper()
	dropped, err := b.RetainEvents(context.Background(), kept)
	if err != nil {
		b.t.Fatal(err)
	}
	return dropped
}

func (b bundle) months() int {
	return b.count(`SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass`)
}

// The audit log goes by whole months, and stays where a job was missed for years.
func TestEventsGoByTheMonth(t *testing.T) {
	b := setup(t)
	const kept = 400 * 24 * time.Hour
	s := b.register("ada")
	b.retain(kept)
	for range 36 {
		if err := b.RecordSecondFactorFailed(t.Context(), s, models.TOTP); err != nil {
			t.Fatal(err)
		}
		if n := b.count(`SELECT count(*) FROM events_default`); n != 0 {
			t.Fatalf("%s: %d rows have no month", b.Clock.Now(), n)
		}
		b.days(30)
		b.retain(kept)
		// 400 days touch 14 or 15 months, and there are three ahead and the default one.
		if n := b.months(); n > 19 {
			t.Fatalf("%s: %d tables", b.Clock.Now(), n)
		}
		cutoff := b.Clock.Now().Add(-kept)
		if b.count(`SELECT count(*) FROM events WHERE at < $1`, cutoff.AddDate(0, -1, 0)) != 0 {
			t.Fatalf("%s: rows stay longer than they should", b.Clock.Now())
		}
	}
	if n := b.count(`SELECT count(*) FROM events WHERE at >= $1`, b.Clock.Now().Add(-kept)); n != 13 {
		t.Errorf("%d of 13 facts that are to be kept", n)
	}

	// Nobody ran the job for two years: no fact is refused, and none is lost.
	b.days(730)
	if err := b.RecordSecondFactorFailed(t.Context(), s, models.TOTP); err != nil {
		t.Fatal(err)
	}
	b.days(31)
	if b.count(`SELECT count(*) FROM events_default`) != 1 {
		t.Error("a fact without a month is not in the default table")
	}
	if dropped := b.retain(kept); dropped == 0 {
		t.Error("nothing was dropped")
	}
	if b.count(`SELECT count(*) FROM events_default`) != 0 || b.count(`SELECT count(*) FROM events`) != 1 {
		t.Error("the fact did not find its month")
	}
	if b.retain(kept) != 0 {
		t.Error("dropped twice")
	}
}

func TestMonthsAreMadeOnceAtOnce(t *testing.T) {
	b := setup(t)
	b.days(200)
	results := make(chan error, 20)
	for range 20 {
		go func() {
			_, err := b.RetainEvents(context.Background(), 400*24*time.Hour)
			results <- err
		}()
	}
	for range 20 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}
