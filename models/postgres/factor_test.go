package postgres_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

func TestChallengeIsBoundToSessionAndPurpose(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	ada, eve := b.register("ada"), b.register("eve")
	c := models.Challenge{ID: models.NewID(b.Clock.Now()), Purpose: "verify_face", SessionID: ada.ID, UserID: ada.User.ID, Data: []byte(`{}`), ExpiresAt: b.Clock.Now().Add(90 * time.Second)}
	if err := b.CreateChallenge(ctx, c); err != nil {
		t.Fatal(err)
	}
	for _, attack := range []struct {
		session models.ID
		purpose string
		id      models.ID
	}{{eve.ID, "verify_face", c.ID}, {ada.ID, "enrol_face", c.ID}, {ada.ID, "verify_face", models.NewID(b.Clock.Now())}} {
		if _, err := b.ConsumeChallenge(ctx, attack.session, attack.purpose, attack.id); models.CodeOf(err) != models.CodeChallengeExpired {
			t.Errorf("%v took the challenge: %v", attack, err)
		}
	}
	b.Clock.Advance(90 * time.Second)
	if _, err := b.ConsumeChallenge(ctx, ada.ID, "verify_face", c.ID); models.CodeOf(err) != models.CodeChallengeExpired {
		t.Errorf("taken after its time: %v", err)
	}
}

func TestFirstEnrolmentEndsOtherSessionsAndTheirEnrolments(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s := b.register("ada")
	other := b.login(s.User.ID)
	pending := func(session models.Session) models.TOTPSecret {
		secret := models.TOTPSecret{ID: models.NewID(b.Clock.Now()), UserID: s.User.ID, Secret: []byte("12345678901234567890"), ExpiresAt: b.Clock.Now().Add(time.Hour)}
		if err := b.BeginTOTP(ctx, session.ID, secret); err != nil {
			t.Fatal(err)
		}
		return secret
	}
	mine, theirs := pending(s), pending(other)
	var won atomic.Int32
	var wg sync.WaitGroup
	for _, try := range []struct {
		session models.Session
		secret  models.TOTPSecret
	}{{s, mine}, {other, theirs}} {
		wg.Go(func() {
			_, _, err := b.EnrolTOTP(ctx, try.session.Ref(), try.secret.ID, 1, b.decide(models.Event{Kind: models.FactorEnrolled, Factor: models.TOTP}))
			if err == nil {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d first enrolments won", won.Load())
	}
	sessions, err := b.Sessions(ctx, s.User.ID)
	if err != nil || len(sessions) != 1 || sessions[0].State != models.Authenticated {
		t.Fatalf("sessions left: %v %v", sessions, err)
	}
	var pendingLeft int
	if err := b.Pool.QueryRow(ctx, `SELECT count(*) FROM totp_enrolments`).Scan(&pendingLeft); err != nil || pendingLeft != 0 {
		t.Fatalf("%d enrolments left, %v", pendingLeft, err)
	}
}

func TestSecretsAreSealedAndBoundToTheirRow(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	ada, adaID := b.withTOTP("ada")
	eve, _ := b.withTOTP("eve")
	var raw []byte
	if err := b.Pool.QueryRow(ctx, `SELECT secret FROM totp WHERE id = $1`, adaID).Scan(&raw); err != nil {
		t.Fatal(err)
	}
	if string(raw) == "12345678901234567890" || len(raw) < 32 {
		t.Fatal("the secret lies in clear")
	}
	if got, err := b.TOTP(ctx, ada.User.ID); err != nil || string(got.Secret) != "12345678901234567890" {
		t.Fatalf("got %v", err)
	}
	if _, err := b.Pool.Exec(ctx, `UPDATE totp SET secret = $1 WHERE user_id = $2`, raw, eve.User.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.TOTP(ctx, eve.User.ID); !errors.Is(err, seal.ErrOpen) {
		t.Fatalf("a secret moved to another row opens: %v", err)
	}
}
