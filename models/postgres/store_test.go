package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/mfa"
	"github.com/sallyport/sallyport/models/postgres/pgtest"
	"github.com/sallyport/sallyport/models/seal"
)

var (
	policy = models.DefaultPolicy("dlib-v1")
	client = models.Client{IP: "192.0.2.1", UserAgent: "test"}
)

type bundle struct {
	*pgtest.Fixture
	t *testing.T
}

func setup(t *testing.T) bundle {
	t.Helper()
	t.Parallel()
	return bundle{pgtest.New(t), t}
}

func (b bundle) decide(event models.Event) models.Decide {
	return func(a models.Attempt) (models.Attempt, []models.Effect, error) {
		a.PolicyVersion = policy.Version()
		return mfa.Next(policy, a, event, b.Clock.Now())
	}
}

func (b bundle) register(name string) models.Session {
	b.t.Helper()
	user := models.NewUser{
		User: models.User{
			ID: models.NewID(b.Clock.Now()), Email: name + "@example.com", Username: name, DisplayName: name, Handle: seal.Random(64),
		},
		EmailCanonical: name + "@example.com", UsernameCanonical: name, PasswordHash: "$argon2id$test",
	}
	s, token, err := b.CreateAccount(context.Background(), user, client, models.Cookie, b.decide(models.Event{Kind: models.PasswordPassed}))
	if err != nil {
		b.t.Fatal(err)
	}
	if models.HashToken(token) != s.TokenHash {
		b.t.Fatal("the token is not the session's")
	}
	return s
}

// allowed names a session for an act that it asked for and gave its proofs for.
func (b bundle) allowed(s models.Session, purpose models.Purpose, object ...models.ID) models.Ref {
	b.t.Helper()
	s.Act = models.Act{Purpose: purpose}
	for _, id := range object {
		s.Act.Object = string(id)
	}
	ctx, now := context.Background(), b.Clock.Now()
	asked, err := b.BeginStepUp(ctx, s.ID, s.Act, now.Add(time.Minute))
	if err != nil {
		b.t.Fatal(err)
	}
	proofs, err := json.Marshal([]models.Method{{Factor: models.Password, At: now}, {Factor: models.TOTP, At: now}})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.Pool.Exec(ctx, `UPDATE step_ups SET methods = $2 WHERE id = $1`, asked.ID, proofs); err != nil {
		b.t.Fatal(err)
	}
	return s.Ref()
}

// withTOTP registers an account whose first factor is TOTP, confirmed at step 100.
func (b bundle) withTOTP(name string) (models.Session, models.ID) {
	b.t.Helper()
	ctx := context.Background()
	s := b.register(name)
	secret := models.TOTPSecret{ID: models.NewID(b.Clock.Now()), UserID: s.User.ID, Secret: []byte("12345678901234567890"), ExpiresAt: b.Clock.Now().Add(time.Hour)}
	if err := b.BeginTOTP(ctx, s.ID, secret); err != nil {
		b.t.Fatal(err)
	}
	s, _, err := b.EnrolTOTP(ctx, s.Ref(), secret.ID, 100, b.decide(models.Event{Kind: models.FactorEnrolled, Factor: models.TOTP}))
	if err != nil {
		b.t.Fatal(err)
	}
	return s, secret.ID
}

func (b bundle) login(user models.ID) models.Session {
	b.t.Helper()
	s, _, err := b.OpenSession(context.Background(), user, "$argon2id$test", client, models.Cookie, b.decide(models.Event{Kind: models.PasswordPassed}))
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func TestUnreachableIsNeverSignedOut(t *testing.T) {
	b := setup(t)
	s := b.register("ada")
	b.Pool.Close()
	_, err := b.SessionByToken(context.Background(), s.TokenHash)
	if models.CodeOf(err) != models.CodeUnavailable {
		t.Fatalf("got %v, want unavailable", err)
	}
	_, _, err = b.PassTOTP(context.Background(), s.Ref(), "", 1, b.decide(models.Event{Kind: models.FactorPassed, Factor: models.TOTP}))
	if models.CodeOf(err) != models.CodeUnavailable {
		t.Fatalf("got %v, want unavailable", err)
	}
}

func TestASignInRacingAPasswordChangeOpensNothing(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s, _ := b.withTOTP("ada")
	_, _, err := b.ChangePassword(ctx, b.allowed(s, models.ChangePassword), "$argon2id$test", "$argon2id$new", b.decide(models.Event{Kind: models.PasswordChanged}))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = b.OpenSession(ctx, s.User.ID, "$argon2id$test", client, models.Cookie, b.decide(models.Event{Kind: models.PasswordPassed}))
	if models.CodeOf(err) != models.CodeInvalidCredentials {
		t.Fatalf("the old password opened a session: %v", err)
	}
	if sessions, err := b.Sessions(ctx, s.User.ID); err != nil || len(sessions) != 1 {
		t.Fatalf("%d sessions, %v", len(sessions), err)
	}
}

func TestRegistrationConflicts(t *testing.T) {
	b := setup(t)
	first := b.register("ada")
	var refusal *models.Error
	for field, u := range map[string]models.NewUser{
		"email":    {User: first.User, EmailCanonical: "ada@example.com", UsernameCanonical: "other", PasswordHash: "$argon2id$x"},
		"username": {User: first.User, EmailCanonical: "other@example.com", UsernameCanonical: "ada", PasswordHash: "$argon2id$x"},
	} {
		u.ID, u.Handle = models.NewID(b.Clock.Now()), seal.Random(64)
		_, _, err := b.CreateAccount(context.Background(), u, client, models.Cookie, b.decide(models.Event{Kind: models.PasswordPassed}))
		if !errors.As(err, &refusal) || refusal.Code != models.CodeConflict || refusal.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

func TestSessionsExpireAndArePurged(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s, _ := b.withTOTP("ada")
	b.Clock.Advance(policy.Timeouts.Idle.Std())
	if _, err := b.SessionByToken(ctx, s.TokenHash); models.CodeOf(err) != models.CodeSessionRequired {
		t.Fatalf("an idle session lives: %v", err)
	}
	ended := make(chan struct{})
	listening, cancel := context.WithCancel(ctx)
	defer cancel()
	<-b.listenForEnd(listening, s.ID, ended)
	if err := b.Purge(ctx); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the end was not announced")
	}
}

func TestUseIsWrittenAtMostOnceAMinute(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s := b.register("ada")
	for _, c := range []struct{ after, seen time.Duration }{{59 * time.Second, 0}, {time.Second, time.Minute}, {59 * time.Second, time.Minute}} {
		b.Clock.Advance(c.after)
		if err := b.Touch(ctx, s.Ref(), client, s.IdleEndsAt); err != nil {
			t.Fatal(err)
		}
		got, err := b.SessionByToken(ctx, s.TokenHash)
		if err != nil || got.LastSeenAt.Sub(s.LastSeenAt) != c.seen {
			t.Errorf("%v later: seen %v after it began, want %v: %v", c.after, got.LastSeenAt.Sub(s.LastSeenAt), c.seen, err)
		}
	}
}

func TestForeignIDsAreNotFound(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	ada, _ := b.withTOTP("ada")
	eve, _ := b.withTOTP("eve")
	passkey := models.PasskeyRecord{ID: models.NewID(b.Clock.Now()), CredentialID: []byte("cred"), Name: "key", AAGUID: make([]byte, 16), Credential: []byte(`{}`)}
	ada, _, err := b.EnrolPasskey(ctx, b.allowed(ada, models.AddPasskey), passkey, b.decide(models.Event{Kind: models.FactorEnrolled, Factor: models.Passkey}))
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"end":    b.EndSession(ctx, eve, ada.ID),
		"rename": second(b.RenamePasskey(ctx, eve.User.ID, passkey.ID, "mine")),
		"remove": third(b.RemovePasskey(ctx, b.allowed(eve, models.RemovePasskey, passkey.ID), passkey.ID, b.decide(models.Event{Kind: models.FactorRemoved, Factor: models.Passkey}))),
	} {
		if models.CodeOf(err) != models.CodeNotFound {
			t.Errorf("%s: got %v, want not_found", name, err)
		}
	}
	if got, err := b.Passkeys(ctx, ada.User.ID); err != nil || len(got) != 1 || got[0].Name != "key" {
		t.Fatalf("ada's passkey suffered: %v %v", got, err)
	}
}

func TestPoliciesAreKept(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	if err := errors.Join(b.SavePolicy(ctx, policy), b.SavePolicy(ctx, policy)); err != nil {
		t.Fatal(err)
	}
	got, err := b.PolicyByVersion(ctx, policy.Version())
	if err != nil || got.Version() != policy.Version() {
		t.Fatalf("got %s, %v", got.Version(), err)
	}
	if _, err := b.PolicyByVersion(ctx, "nobody"); models.CodeOf(err) != models.CodeNotFound {
		t.Fatalf("got %v", err)
	}
}

func TestChatKeepsOrder(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s := b.register("ada")
	for i := range 5 {
		b.Clock.Advance(time.Second)
		if _, err := b.PostChatMessage(ctx, s.User, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := b.ChatMessages(ctx, 3)
	if err != nil || len(got) != 3 || got[0].Body != "2" || got[2].Body != "4" {
		t.Fatalf("got %v %v", got, err)
	}
}

func second[A any](_ A, err error) error        { return err }
func third[A, B any](_ A, _ B, err error) error { return err }
