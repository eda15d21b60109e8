package postgres_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// race runs f n times at once and counts the ones that came through.
func race(n int, f func(i int) error) (won int, refusals map[models.Code]int, other error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	refusals = map[models.Code]int{}
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			err := f(i)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
				return
			}
			refusals[models.CodeOf(err)]++
			if models.CodeOf(err) == models.CodeInternal {
				other = err
			}
		})
	}
	close(start)
	wg.Wait()
	return won, refusals, other
}

func TestOneTOTPStepPassesOnceOf100(t *testing.T) {
	b := setup(t)
	s, id := b.withTOTP("ada")
	// A session each, so that the step alone decides and not one token's rotation.
	sessions := make([]models.Session, 100)
	for i := range sessions {
		sessions[i] = b.login(s.User.ID)
	}
	won, refusals, other := race(100, func(i int) error {
		_, _, err := b.PassTOTP(context.Background(), sessions[i].Ref(), id, 101, b.decide(models.Event{Kind: models.FactorPassed, Factor: models.TOTP}))
		return err
	})
	if won != 1 || refusals[models.CodeFactorRejected] != 99 || other != nil {
		t.Fatalf("%d won, refusals %v, %v", won, refusals, other)
	}
	_, _, err := b.PassTOTP(context.Background(), b.login(s.User.ID).Ref(), id, 100, b.decide(models.Event{Kind: models.FactorPassed, Factor: models.TOTP}))
	if models.CodeOf(err) != models.CodeFactorRejected {
		t.Fatalf("an older step: %v", err)
	}
}

func TestOneTokenMovesOnceOf100(t *testing.T) {
	b := setup(t)
	s, id := b.withTOTP("ada")
	s = b.login(s.User.ID)
	won, refusals, other := race(100, func(i int) error {
		_, _, err := b.PassTOTP(context.Background(), s.Ref(), id, int64(200+i), b.decide(models.Event{Kind: models.FactorPassed, Factor: models.TOTP}))
		return err
	})
	if won != 1 || refusals[models.CodeSessionRequired] != 99 || other != nil {
		t.Fatalf("%d won, refusals %v, %v", won, refusals, other)
	}
}

func TestOneRecoveryCodePassesOnceOf100(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s, _ := b.withTOTP("ada")
	code := models.RecoveryCode{ID: models.NewID(b.Clock.Now()), Row: 1, Hash: "$argon2id$x"}
	s, _, err := b.ReplaceRecoveryCodes(ctx, b.allowed(s, models.NewRecoveryCodes), []models.RecoveryCode{code, {ID: models.NewID(b.Clock.Now()), Row: 2, Hash: "$argon2id$y"}}, b.decide(models.Event{Kind: models.CodesIssued}))
	if err != nil {
		t.Fatal(err)
	}
	sessions := make([]models.Session, 100)
	for i := range sessions {
		sessions[i] = b.login(s.User.ID)
	}
	won, refusals, other := race(100, func(i int) error {
		_, _, err := b.PassRecovery(ctx, sessions[i].Ref(), code.ID, b.decide(models.Event{Kind: models.FactorPassed, Factor: models.Recovery}))
		return err
	})
	if won != 1 || refusals[models.CodeFactorRejected] != 99 || other != nil {
		t.Fatalf("%d won, refusals %v, %v", won, refusals, other)
	}
}

func TestOneChallengeServesOnceOf100(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s := b.register("ada")
	c := models.Challenge{ID: models.NewID(b.Clock.Now()), Purpose: "verify_face", SessionID: s.ID, UserID: s.User.ID, Data: []byte(`{}`), ExpiresAt: b.Clock.Now().Add(90 * time.Second)}
	if err := b.CreateChallenge(ctx, c); err != nil {
		t.Fatal(err)
	}
	won, refusals, other := race(100, func(int) error {
		_, err := b.ConsumeChallenge(ctx, s.ID, "verify_face", c.ID)
		return err
	})
	if won != 1 || refusals[models.CodeChallengeExpired] != 99 || other != nil {
		t.Fatalf("%d won, refusals %v, %v", won, refusals, other)
	}
}

func TestPasskeyCounterMovesOnceOf100(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s, _ := b.withTOTP("ada")
	passkey := models.PasskeyRecord{ID: models.NewID(b.Clock.Now()), UserID: s.User.ID, CredentialID: []byte("cred"), AAGUID: make([]byte, 16), Credential: []byte(`{}`), SignCount: 1}
	s, _, err := b.EnrolPasskey(ctx, b.allowed(s, models.AddPasskey), passkey, b.decide(models.Event{Kind: models.FactorEnrolled, Factor: models.Passkey}))
	if err != nil {
		t.Fatal(err)
	}
	sessions := make([]models.Session, 100)
	for i := range sessions {
		sessions[i] = b.login(s.User.ID)
	}
	passkey.SignCount = 2
	won, refusals, other := race(100, func(i int) error {
		_, _, err := b.PassPasskey(ctx, sessions[i].Ref(), passkey, b.decide(models.Event{Kind: models.FactorPassed, Factor: models.Passkey, UV: true}))
		return err
	})
	if won != 1 || refusals[models.CodeFactorRejected] != 99 || other != nil {
		t.Fatalf("%d won, refusals %v, %v", won, refusals, other)
	}
}
