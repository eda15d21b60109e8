package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

var inARow = models.FailureWaits{Free: 5, Wait: models.Duration(30 * time.Second), MaxWait: models.Duration(time.Hour), DisableAfter: 20}

// failing is a try that goes into a streak alone.
func failing(subject string, closeAfter int) models.Try {
	return models.Try{Factor: models.Password, Waits: inARow, Streaks: []models.Streak{{Subject: subject, Kind: "pwd", CloseAfter: closeAfter}}}
}

// Five are free, then each wait is twice the one before, up to an hour; the
// failure that closes the lane is not checked, and closed it stays.
func TestFailuresInARowWaitLongerAndLonger(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	try := failing("name:x", 15)
	for range 5 {
		if _, err := b.Count(ctx, try); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 9 {
		want := min(30*time.Second<<n, time.Hour)
		_, err := b.Count(ctx, try)
		if wait := waits(t, err); wait != want {
			t.Fatalf("after %d failures: %s to wait, want %s", 5+n, wait, want)
		}
		b.Clock.Advance(want)
		if _, err := b.Count(ctx, try); err != nil {
			t.Fatalf("after %d failures and %s: %v", 5+n, want, err)
		}
	}
	b.Clock.Advance(time.Hour)
	for range 3 {
		_, err := b.Count(ctx, try)
		waits(t, err) // the fifteenth, and whatever comes then
		b.Clock.Advance(40 * 24 * time.Hour)
		if err := b.Purge(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFailuresInARowHoldInParallel(t *testing.T) {
	b := setup(t)
	won, refusals, other := race(100, func(int) error {
		_, err := b.Count(context.Background(), failing("name:x", 0))
		return err
	})
	if won != 5 || refusals[models.CodeRateLimited] != 95 || other != nil {
		t.Fatalf("%d of 100: %v %v", won, refusals, other)
	}
}

func TestAFailureIsGivenBackWithItsWait(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	for range 20 {
		counted, err := b.Count(ctx, failing("name:x", 0))
		if err != nil {
			t.Fatal(err)
		}
		if err := b.GiveBack(ctx, counted); err != nil {
			t.Fatal(err)
		}
	}
}

// Streaks are forgotten a month after their last failure, whosever they are.
func TestOldStreaksArePurged(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	for range 5 {
		if _, err := b.Count(ctx, failing("name:x", 0)); err != nil {
			t.Fatal(err)
		}
	}
	b.Clock.Advance(31 * 24 * time.Hour)
	if err := b.Purge(ctx); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := b.Count(ctx, failing("name:x", 0)); err != nil {
			t.Fatal(err)
		}
	}
}

// The factor's failures count together whatever lane they come by, and disable it
// for every lane, also when they come at once; it is recorded once.
func TestTooManyFailuresDisableTheFactorAlone(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s, _ := b.withTOTP("ada")
	won, refusals, other := race(100, func(i int) error {
		try := models.Try{
			Factor: models.TOTP, Waits: inARow, DisableAfter: 20, By: s,
			Streaks: []models.Streak{{Subject: fmt.Sprint("device:", i), Kind: "totp"}},
		}
		_, err := b.Count(ctx, try)
		return err
	})
	if won != 19 || refusals[models.CodeConflict] != 81 || other != nil {
		t.Fatalf("%d of 100: %v %v", won, refusals, other)
	}
	enrolled, err := b.Enrolled(ctx, s)
	if err != nil || enrolled.TOTP || len(enrolled.Disabled) != 1 || enrolled.Disabled[0] != models.TOTP {
		t.Errorf("the account holds %+v: %v", enrolled, err)
	}
	var recorded int
	err = b.Pool.QueryRow(ctx, `SELECT count(*) FROM events WHERE fact = 'factor_disabled' AND detail ->> 'factor' = 'totp' AND user_id = $1`, s.User.ID).Scan(&recorded)
	if err != nil || recorded != 1 {
		t.Errorf("recorded %d times: %v", recorded, err)
	}
}
