package postgres_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// once counts one try in one bucket.
func (b bundle) once(subject, kind string, limit models.Limit) error {
	_, err := b.Count(context.Background(), models.Try{Buckets: []models.Bucket{{Subject: subject, Kind: kind, Limit: limit}}})
	return err
}

func waits(t *testing.T, err error) time.Duration {
	t.Helper()
	var refusal *models.Error
	if !errors.As(err, &refusal) || refusal.Code != models.CodeRateLimited {
		t.Fatalf("got %v, want rate_limited", err)
	}
	return refusal.RetryAfter
}

func TestLimitHoldsUnderParallelTries(t *testing.T) {
	b := setup(t)
	limit := models.Limit{Max: 5, Window: models.Duration(time.Minute)}
	won, refusals, other := race(100, func(int) error { return b.once("account:x", "totp", limit) })
	if won != 5 || refusals[models.CodeRateLimited] != 95 || other != nil {
		t.Fatalf("%d tries of 100 came through a limit of 5: %v %v", won, refusals, other)
	}
	if wait := waits(t, b.once("account:x", "totp", limit)); wait != 12*time.Second {
		t.Fatalf("%s to wait, want a fifth of a minute", wait)
	}
	if err := b.once("account:x", "passkey", limit); err != nil {
		t.Fatalf("another factor is limited too: %v", err)
	}
	b.Clock.Advance(12*time.Second - time.Microsecond)
	waits(t, b.once("account:x", "totp", limit))
	b.Clock.Advance(time.Microsecond)
	if err := b.once("account:x", "totp", limit); err != nil {
		t.Fatalf("one try is refilled: %v", err)
	}
	waits(t, b.once("account:x", "totp", limit))
}

// A try that one bucket refuses is counted in none, or a network that is full
// would use up the tries of everybody it names.
func TestATryIsCountedEverywhereOrNowhere(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	limit := models.Limit{Max: 3, Window: models.Duration(time.Minute)}
	full := models.Bucket{Subject: "network:x", Kind: "login", Limit: models.Limit{Max: 1, Window: models.Duration(time.Minute)}}
	both := models.Try{Buckets: []models.Bucket{{Subject: "account:x", Kind: "pwd", Limit: limit}, full}}
	won, refusals, other := race(50, func(int) error {
		_, err := b.Count(ctx, both)
		return err
	})
	if won != 1 || refusals[models.CodeRateLimited] != 49 || other != nil {
		t.Fatalf("%d came through a limit of 1: %v %v", won, refusals, other)
	}
	for range 2 {
		if err := b.once("account:x", "pwd", limit); err != nil {
			t.Fatalf("a refused try was counted: %v", err)
		}
	}
	waits(t, b.once("account:x", "pwd", limit))
}

// Several buckets are taken in one order, whatever order they are named in.
func TestTriesInSeveralBucketsDoNotDeadlock(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	wide := models.Limit{Max: 1000, Window: models.Duration(time.Minute)}
	there := []models.Bucket{{Subject: "a", Kind: "x", Limit: wide}, {Subject: "b", Kind: "x", Limit: wide}, {Subject: "c", Kind: "x", Limit: wide}}
	back := []models.Bucket{there[2], there[1], there[0]}
	won, _, other := race(100, func(i int) error {
		try := models.Try{Buckets: there}
		if i%2 == 0 {
			try.Buckets = back
		}
		counted, err := b.Count(ctx, try)
		if err == nil && i%3 == 0 {
			err = b.GiveBack(ctx, counted)
		}
		return err
	})
	if won != 100 || other != nil {
		t.Fatalf("%d of 100: %v", won, other)
	}
}

// model is the leaky bucket that the statement must be: what is in it drains
// evenly, and a try fits or doesn't.
type model struct {
	in time.Duration
	at time.Time
}

func (m *model) flow(now time.Time) {
	m.in = max(0, m.in-now.Sub(m.at))
	m.at = now
}

// TestBucketsAreGCRA plays random tries, pauses and givings back against a model.
func TestBucketsAreGCRA(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 4))
		limit := models.Limit{Max: 1 + random.IntN(7), Window: models.Duration(time.Duration(1+random.IntN(600)) * time.Second)}
		m, subject := model{at: b.Clock.Now()}, fmt.Sprint("model:", seed)
		var last models.Try
		for step := range 120 {
			now := b.Clock.Now()
			m.flow(now)
			bucket := models.Bucket{Subject: subject, Kind: "x", Limit: limit, Cost: random.IntN(4)}
			switch action := random.IntN(5); {
			case action == 0:
				b.Clock.Advance(time.Duration(random.Int64N(int64(limit.Window))).Truncate(time.Microsecond))
			case action == 1 && last.Buckets != nil:
				left := min(last.Buckets[0].Takes(), last.Buckets[0].EmptyAt.Sub(now))
				m.in -= max(0, left)
				if err := b.GiveBack(ctx, last); err != nil {
					t.Fatal(err)
				}
				last = models.Try{}
			default:
				fits := m.in+bucket.Takes() <= limit.Window.Std()
				counted, err := b.Count(ctx, models.Try{Buckets: []models.Bucket{bucket}})
				if fits != (err == nil) {
					t.Fatalf("seed %d step %d: %s in %s, %s more fits: %v, the store says %v", seed, step, m.in, limit.Window, bucket.Takes(), fits, err)
				}
				if fits {
					m.in += bucket.Takes()
					last = counted
				} else if wait := waits(t, err); wait != max(time.Second, m.in+bucket.Takes()-limit.Window.Std()) {
					t.Fatalf("seed %d step %d: %s to wait, want %s", seed, step, wait, m.in+bucket.Takes()-limit.Window.Std())
				}
			}
		}
	}
}

func TestWhatHasDrainedIsNotGivenBack(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	limit := models.Limit{Max: 1, Window: models.Duration(time.Minute)}
	try := models.Try{Buckets: []models.Bucket{{Subject: "account:x", Kind: "face", Limit: limit}}}
	counted, err := b.Count(ctx, try)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.GiveBack(ctx, counted); err != nil {
		t.Fatal(err)
	}
	if counted, err = b.Count(ctx, try); err != nil {
		t.Fatalf("given back, yet %v", err)
	}
	b.Clock.Advance(time.Minute)
	if _, err := b.Count(ctx, try); err != nil {
		t.Fatal(err)
	}
	if err := b.GiveBack(ctx, counted); err != nil {
		t.Fatal(err)
	}
	waits(t, b.once("account:x", "face", limit))
}

func TestPassingResetsOnlyItsOwnCount(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s, id := b.withTOTP("ada")
	subject := models.AccountSubject(s.User.ID)
	limit := models.Limit{Max: 2, Window: models.Duration(time.Hour)}
	rules := models.FailureWaits{Free: 1, Wait: models.Duration(time.Hour), MaxWait: models.Duration(time.Hour)}
	try := func(subject string, factor models.Factor) (models.Try, error) {
		return b.Count(ctx, models.Try{
			Factor: factor, Waits: rules, Streaks: []models.Streak{{Subject: subject, Kind: string(factor)}},
			Buckets: []models.Bucket{{Subject: subject, Kind: string(factor), Limit: limit}, {Subject: subject, Kind: "work", Limit: limit, Work: true}},
		})
	}
	for _, other := range []struct {
		subject string
		factor  models.Factor
	}{{subject, models.Recovery}, {"device:x", models.TOTP}} {
		if _, err := try(other.subject, other.factor); err != nil {
			t.Fatal(err)
		}
	}
	counted, err := try(subject, models.TOTP)
	if err != nil {
		t.Fatal(err)
	}
	decide := b.decide(models.Event{Kind: models.FactorPassed, Factor: models.TOTP})
	_, _, err = b.PassTOTP(ctx, b.login(s.User.ID).Ref(), id, 101, func(a models.Attempt) (models.Attempt, []models.Effect, error) {
		moved, effects, err := decide(a)
		for i := range effects {
			if effects[i].Kind == models.EffectResetCount {
				effects[i].Try = &counted
			}
		}
		return moved, effects, err
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.once(subject, "totp", limit); err != nil {
			t.Errorf("its own count stands: %v", err)
		}
	}
	waits(t, b.once(subject, "work", limit)) // one with each factor
	for _, still := range []struct {
		subject string
		factor  models.Factor
	}{{subject, models.Recovery}, {"device:x", models.TOTP}} {
		if _, err := try(still.subject, still.factor); models.CodeOf(err) != models.CodeRateLimited {
			t.Errorf("the count of %v went: %v", still, err)
		}
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
