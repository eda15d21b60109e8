package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
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
	s, _, err := b.ReplaceRecoveryCodes(ctx, s.Ref(), []models.RecoveryCode{code, {ID: models.NewID(b.Clock.Now()), Row: 2, Hash: "$argon2id$y"}}, b.decide(models.Event{Kind: models.CodesIssued}))
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
	_, _, err := b.ChangePassword(ctx, s.Ref(), "$argon2id$test", "$argon2id$new", b.decide(models.Event{Kind: models.PasswordChanged}))
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

func TestFaceTemplatesNeedStandingConsent(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s, _ := b.withTOTP("ada")
	templates := []models.FaceTemplate{{ID: models.NewID(b.Clock.Now()), Descriptor: make([]byte, 512), ModelKey: "m"}}
	enrol := func() error {
		next, _, err := b.EnrolFace(ctx, s.Ref(), templates, b.decide(models.Event{Kind: models.FactorEnrolled, Factor: models.Face}))
		if err == nil {
			s = next
		}
		return err
	}
	if err := enrol(); models.CodeOf(err) != models.CodeConflict {
		t.Fatalf("enrolled without consent: %v", err)
	}
	if err := b.GiveFaceConsent(ctx, s, "1"); err != nil {
		t.Fatal(err)
	}
	if err := enrol(); err != nil {
		t.Fatal(err)
	}
	got, err := b.FaceTemplates(ctx, s.User.ID)
	if err != nil || len(got) != 1 || len(got[0].Descriptor) != 512 {
		t.Fatalf("got %d templates, %v", len(got), err)
	}
	s, _, err = b.RemoveFace(ctx, s.Ref(), b.decide(models.Event{Kind: models.FactorRemoved, Factor: models.Face}))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.FaceConsent(ctx, s.User.ID); models.CodeOf(err) != models.CodeNotFound {
		t.Fatalf("consent stands after withdrawal: %v", err)
	}
	if got, _ := b.FaceTemplates(ctx, s.User.ID); len(got) != 0 {
		t.Fatal("templates stand after withdrawal")
	}
}

func TestForeignIDsAreNotFound(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	ada, _ := b.withTOTP("ada")
	eve, _ := b.withTOTP("eve")
	passkey := models.PasskeyRecord{ID: models.NewID(b.Clock.Now()), CredentialID: []byte("cred"), Name: "key", AAGUID: make([]byte, 16), Credential: []byte(`{}`)}
	ada, _, err := b.EnrolPasskey(ctx, ada.Ref(), passkey, b.decide(models.Event{Kind: models.FactorEnrolled, Factor: models.Passkey}))
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"end":    b.EndSession(ctx, eve, ada.ID),
		"rename": second(b.RenamePasskey(ctx, eve.User.ID, passkey.ID, "mine")),
		"remove": third(b.RemovePasskey(ctx, eve.Ref(), passkey.ID, b.decide(models.Event{Kind: models.FactorRemoved, Factor: models.Passkey}))),
	} {
		if models.CodeOf(err) != models.CodeNotFound {
			t.Errorf("%s: got %v, want not_found", name, err)
		}
	}
	if got, err := b.Passkeys(ctx, ada.User.ID); err != nil || len(got) != 1 || got[0].Name != "key" {
		t.Fatalf("ada's passkey suffered: %v %v", got, err)
	}
}

func TestPasskeyCounterMovesOnceOf100(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s, _ := b.withTOTP("ada")
	passkey := models.PasskeyRecord{ID: models.NewID(b.Clock.Now()), UserID: s.User.ID, CredentialID: []byte("cred"), AAGUID: make([]byte, 16), Credential: []byte(`{}`), SignCount: 1}
	s, _, err := b.EnrolPasskey(ctx, s.Ref(), passkey, b.decide(models.Event{Kind: models.FactorEnrolled, Factor: models.Passkey}))
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
