package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// deny has the owner of an account deny its newest letter.
func (b bundle) deny(userID models.ID) models.Denial {
	b.t.Helper()
	ctx := context.Background()
	var id models.ID
	if err := b.Pool.QueryRow(ctx, `SELECT id FROM notices WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1`, userID).Scan(&id); err != nil {
		b.t.Fatal(err)
	}
	n, err := b.Notice(ctx, id)
	if err != nil {
		b.t.Fatal(err)
	}
	token, err := b.MintLink(ctx, n, models.LinkNotMe)
	if err != nil {
		b.t.Fatal(err)
	}
	denial, err := b.Deny(ctx, models.HashToken(token), client)
	if err != nil {
		b.t.Fatal(err)
	}
	return denial
}

func TestWhatIsSetAsidePassesNowhere(t *testing.T) {
	b := withMail(t)
	s, id := b.withTOTP("ada")
	if got := b.deny(s.User.ID); got != models.DenialFrozen {
		t.Fatalf("got %s", got)
	}
	half := b.login(s.User.ID)
	if e, err := b.Enrolled(t.Context(), half); err != nil || e.Any() {
		t.Errorf("it counts: %+v, %v", e, err)
	}
	passed := b.decide(models.Event{Kind: models.FactorPassed, Factor: models.TOTP})
	if _, _, err := b.PassTOTP(t.Context(), half.Ref(), id, 200, passed); models.CodeOf(err) != models.CodeFactorRejected {
		t.Errorf("the app passes: %v", err)
	}
	// Also if the state machine were asked about another app of the account.
	anything := func(a models.Attempt) (models.Attempt, []models.Effect, error) { return a, nil, nil }
	if _, _, err := b.PassTOTP(t.Context(), half.Ref(), id, 201, anything); models.CodeOf(err) != models.CodeFactorRejected {
		t.Errorf("its row passes: %v", err)
	}
	key := models.PasskeyRecord{ID: models.NewID(b.Clock.Now()), UserID: s.User.ID, CredentialID: []byte("1"), AAGUID: []byte{}, Credential: []byte("{}")}
	if _, err := b.Pool.Exec(t.Context(), `
		INSERT INTO passkeys (id, user_id, credential_id, name, sign_count, clone_warning, backup_eligible, backup_state, aaguid, credential, created_at, quarantined_at)
		VALUES ($1, $2, $3, '', 0, false, false, false, '', '{}', $4, $4)`, key.ID, key.UserID, key.CredentialID, b.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.PassPasskey(t.Context(), half.Ref(), key, anything); models.CodeOf(err) != models.CodeFactorRejected {
		t.Errorf("a passkey's row passes: %v", err)
	}
}

// A sitting of somebody else's among its templates lets them in by a face that is old.
func TestAFaceThatWasAddedToIsSetAsideWhole(t *testing.T) {
	b := withMail(t)
	s := b.withFace("ada")
	b.deny(s.User.ID)
	face, err := b.FaceFactor(t.Context(), s.User.ID)
	if err != nil || face.QuarantinedAt == nil || face.DisabledAt == nil {
		t.Fatalf("%+v, %v", face, err)
	}
	e, err := b.Enrolled(t.Context(), b.login(s.User.ID))
	if err != nil || e.Face {
		t.Errorf("the face counts: %+v, %v", e, err)
	}
}

func TestANewPasswordIsTrusted(t *testing.T) {
	b := withMail(t)
	s, id := b.withTOTP("ada")
	b.Clock.Advance(time.Hour)
	b.fails(b.login(s.User.ID), models.TOTP)
	b.deny(s.User.ID)
	if f, err := b.Freeze(t.Context(), s.User.ID); err != nil || f.Since.IsZero() || !f.Active(b.Clock.Now()) {
		t.Fatalf("%+v, %v", f, err)
	}
	in := b.login(s.User.ID)
	in, _, err := b.PassTOTP(t.Context(), in.Ref(), id, 300, b.decide(models.Event{Kind: models.FactorPassed, Factor: models.TOTP}))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.ChangePassword(t.Context(), b.allowed(in, models.ChangePassword), "$argon2id$test", "$argon2id$new", b.decide(models.Event{Kind: models.PasswordChanged})); err != nil {
		t.Fatal(err)
	}
	if f, err := b.Freeze(t.Context(), s.User.ID); err != nil || !f.Since.IsZero() || !f.Active(b.Clock.Now()) {
		t.Errorf("the freeze must last, and the password be trusted: %+v, %v", f, err)
	}
}
