package postgres_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

func TestLimitHoldsUnderParallelTries(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	limit := models.Limit{Max: 5, Window: models.Duration(time.Minute)}
	won, refusals, other := race(100, func(int) error { return b.CountTry(ctx, "account:x", "totp", limit) })
	if won != 5 || refusals[models.CodeRateLimited] != 95 || other != nil {
		t.Fatalf("%d tries of 100 came through a limit of 5: %v %v", won, refusals, other)
	}
	var refusal *models.Error
	if err := b.CountTry(ctx, "account:x", "totp", limit); !errors.As(err, &refusal) || refusal.RetryAfter != time.Minute {
		t.Fatalf("got %v, want a minute to wait", err)
	}
	if err := b.CountTry(ctx, "account:x", "passkey", limit); err != nil {
		t.Fatalf("another factor is limited too: %v", err)
	}
	b.Clock.Advance(time.Minute)
	if err := b.CountTry(ctx, "account:x", "totp", limit); err != nil {
		t.Fatalf("the window is over: %v", err)
	}
}

func TestPassingResetsOnlyItsOwnCount(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s, id := b.withTOTP("ada")
	subject := "account:" + string(s.User.ID)
	limit := models.Limit{Max: 1, Window: models.Duration(time.Hour)}
	for _, kind := range []string{"totp", "face"} {
		if err := b.CountTry(ctx, subject, kind, limit); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := b.PassTOTP(ctx, b.login(s.User.ID).Ref(), id, 101, b.decide(models.Event{Kind: models.FactorPassed, Factor: models.TOTP}))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.CountTry(ctx, subject, "totp", limit); err != nil {
		t.Errorf("its own count stands: %v", err)
	}
	if err := b.CountTry(ctx, subject, "face", limit); models.CodeOf(err) != models.CodeRateLimited {
		t.Errorf("another factor's count went: %v", err)
	}
}

func TestATryIsGivenBackInItsOwnWindowAlone(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	limit := models.Limit{Max: 1, Window: models.Duration(time.Minute)}
	count := func() models.Code { return models.CodeOf(b.CountTry(ctx, "account:x", "face", limit)) }
	counted := b.Clock.Now()
	if err := b.CountTry(ctx, "account:x", "face", limit); err != nil {
		t.Fatal(err)
	}
	if err := b.GiveTryBack(ctx, "account:x", "face", limit, counted); err != nil {
		t.Fatal(err)
	}
	if err := b.CountTry(ctx, "account:x", "face", limit); err != nil {
		t.Fatalf("given back, yet %v", err)
	}
	b.Clock.Advance(time.Minute)
	if err := b.CountTry(ctx, "account:x", "face", limit); err != nil {
		t.Fatal(err)
	}
	if err := b.GiveTryBack(ctx, "account:x", "face", limit, counted); err != nil {
		t.Fatal(err)
	}
	if count() != models.CodeRateLimited {
		t.Fatal("a try of an older window paid for one of this window")
	}
}

// The decoy of a name that doesn't exist is some account's hash, always the same.
func TestDecoysCostWhatAccountsCost(t *testing.T) {
	b := setup(t)
	if hash, err := b.PasswordDecoy(t.Context(), []byte("x")); hash != "" || err != nil {
		t.Errorf("without accounts: %q %v", hash, err)
	}
	for i := range 8 {
		b.register(fmt.Sprint("user", i))
		if _, err := b.Pool.Exec(t.Context(), `UPDATE users SET password_hash = $1 WHERE username = $2`, fmt.Sprintf("$argon2id$%d", i%2), fmt.Sprint("user", i)); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]int{}
	for i := range 256 {
		digest := sha256.Sum256([]byte{byte(i)})
		hash, err := b.PasswordDecoy(t.Context(), digest[:])
		again, _ := b.PasswordDecoy(t.Context(), digest[:])
		if err != nil || hash != again {
			t.Fatalf("%v: %q, then %q", err, hash, again)
		}
		seen[hash]++
	}
	if len(seen) != 2 {
		t.Errorf("decoys of %v", seen)
	}
}
