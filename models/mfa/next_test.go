package mfa

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sallyport/sallyport/models"
)

var (
	now    = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	policy = generous(models.DefaultPolicy("dlib-v1"))
	all    = models.Enrolled{Passkeys: 1, TOTP: true, Face: true, Codes: 10, Remembered: 1}
)

// generous is a policy that allows what is off by default.
func generous(p models.Policy) models.Policy {
	p.Recovery.Waiting, p.Remember.Allowed = true, true
	return p
}

// comingBack gives an attempt the way back that an event needs.
func comingBack(a models.Attempt, kind models.EventKind) models.Attempt {
	switch kind {
	case models.RecoveryWaited:
		begun := now.Add(-policy.Recovery.Wait.Std())
		a.WayBack = &models.WayBack{Kind: models.WaitingRecovery, BegunAt: begun, ReadyAt: now}
	case models.RecoveryVouched:
		a.WayBack = &models.WayBack{Kind: models.AssistedRecovery, BegunAt: now.Add(-time.Hour), ReadyAt: now}
	default: // needs none
	}
	return a
}

func pwd(at time.Time) models.Method { return models.Method{Factor: models.Password, At: at} }

// attemptIn gives a live attempt in the state, as a person with every factor
// would have it, stepped up a moment ago where that makes sense.
func attemptIn(state models.State) models.Attempt {
	a := models.Attempt{
		State: state, Established: true, Enrolled: all, PolicyVersion: policy.Version(),
		BegunAt: now.Add(-time.Minute), IdleEndsAt: now.Add(time.Minute), EndsAt: now.Add(time.Hour),
	}
	switch state {
	case models.Anonymous:
		a.BegunAt, a.IdleEndsAt, a.EndsAt = time.Time{}, time.Time{}, time.Time{}
	case models.SecondFactorRequired:
		a.Methods = []models.Method{pwd(now)}
	case models.EnrolmentRequired:
		a.Methods = []models.Method{pwd(now)}
		a.Established, a.Enrolled = false, models.Enrolled{}
	case models.Recovering:
		a.Methods = []models.Method{pwd(now), {Factor: models.Recovery, At: now}}
	case models.Resetting:
		a.Methods = []models.Method{{Factor: models.Mail, At: now}, {Factor: models.TOTP, At: now}}
	case models.Authenticated:
		a.Methods = []models.Method{pwd(now), {Factor: models.TOTP, At: now}}
		a.StepUp = askedFor(pwd(now), models.Method{Factor: models.TOTP, At: now})
	case models.TransactionFactorRequired, models.TransactionEnrolmentRequired, models.TransactionPassed:
		a.Subject, a.Terms, a.Methods = true, &models.Terms{EndsAt: now.Add(time.Hour), Enrolled: state == models.TransactionPassed}, []models.Method{}
		if state == models.TransactionEnrolmentRequired {
			a.Established, a.Enrolled, a.Terms.Enrols = false, models.Enrolled{}, true
		}
	}
	return a
}

// askedFor is a step-up that has just been asked for, with what was proven for it.
func askedFor(proofs ...models.Method) *models.StepUp {
	return &models.StepUp{Methods: proofs, CreatedAt: now, ExpiresAt: now.Add(policy.StepUp.MaxAge.Std())}
}

func TestNextTable(t *testing.T) {
	t.Parallel()
	type want struct {
		state models.State
		acr   models.ACR
		code  models.Code
	}
	refused := func(code models.Code) want { return want{code: code} }
	states := []models.State{models.Anonymous, models.SecondFactorRequired, models.EnrolmentRequired, models.Recovering, models.Authenticated}
	table := map[models.EventKind][5]want{
		models.PasswordPassed: {
			{models.SecondFactorRequired, models.ACROne, ""}, refused(models.CodeSecondFactorRequired),
			refused(models.CodeEnrolmentRequired), refused(models.CodeRecovering), {models.Authenticated, models.ACRAAL2, ""},
		},
		models.PasskeySignIn: {
			{models.Authenticated, models.ACRAAL2, ""}, refused(models.CodeSecondFactorRequired),
			refused(models.CodeEnrolmentRequired), refused(models.CodeRecovering), refused(models.CodeConflict),
		},
		models.FactorPassed: {
			refused(models.CodeSessionRequired), {models.Authenticated, models.ACRAAL2, ""},
			refused(models.CodeEnrolmentRequired), refused(models.CodeRecovering), {models.Authenticated, models.ACRAAL2, ""},
		},
		models.FactorEnrolled: {
			refused(models.CodeSessionRequired), refused(models.CodeSecondFactorRequired),
			{models.Authenticated, models.ACRAAL2, ""}, {models.Recovering, models.ACRRecovery, ""}, {models.Authenticated, models.ACRAAL2, ""},
		},
		models.CodesIssued: {
			refused(models.CodeSessionRequired), refused(models.CodeSecondFactorRequired),
			{models.EnrolmentRequired, models.ACROne, ""}, {models.Recovering, models.ACRRecovery, ""}, {models.Authenticated, models.ACRAAL2, ""},
		},
		models.FactorRemoved: {
			refused(models.CodeSessionRequired), refused(models.CodeSecondFactorRequired),
			refused(models.CodeEnrolmentRequired), refused(models.CodeRecovering), {models.Authenticated, models.ACRAAL2, ""},
		},
		models.PasswordChanged: {
			refused(models.CodeSessionRequired), refused(models.CodeSecondFactorRequired),
			refused(models.CodeEnrolmentRequired), refused(models.CodeRecovering), {models.Authenticated, models.ACRAAL2, ""},
		},
	}
	table[models.LinkFollowed] = [5]want{
		{models.SecondFactorRequired, models.ACROne, ""}, refused(models.CodeSecondFactorRequired),
		refused(models.CodeEnrolmentRequired), refused(models.CodeRecovering), refused(models.CodeConflict),
	}
	table[models.PasswordReset] = [5]want{
		refused(models.CodeSessionRequired), refused(models.CodeSecondFactorRequired),
		refused(models.CodeEnrolmentRequired), refused(models.CodeRecovering), refused(models.CodeConflict),
	}
	table[models.FactorsLost] = table[models.PasswordReset]
	table[models.RecoveryAsked] = [5]want{
		refused(models.CodeSessionRequired), {models.SecondFactorRequired, models.ACROne, ""},
		refused(models.CodeEnrolmentRequired), refused(models.CodeRecovering), refused(models.CodeConflict),
	}
	table[models.RecoveryWaited] = [5]want{
		refused(models.CodeSessionRequired), {models.Recovering, models.ACRRecovery, ""},
		refused(models.CodeEnrolmentRequired), refused(models.CodeRecovering), refused(models.CodeConflict),
	}
	table[models.RecoveryVouched] = [5]want{
		{models.Recovering, models.ACRRecovery, ""}, refused(models.CodeSecondFactorRequired),
		refused(models.CodeEnrolmentRequired), refused(models.CodeRecovering), refused(models.CodeConflict),
	}
	table[models.TransactionOpened] = [5]want{
		refused(models.CodeInvalidCredentials), refused(models.CodeSecondFactorRequired),
		refused(models.CodeEnrolmentRequired), refused(models.CodeRecovering), refused(models.CodeConflict),
	}
	for _, kind := range []models.EventKind{models.DeviceAdded, models.DeviceRemoved, models.DeviceRemembered, models.Exported, models.DeletionRequested, models.AssistedOpened, models.AssistedApproved, models.WebhookAdded, models.WebhookChanged, models.WebhookRemoved, models.WebhookSecretRotated, models.ClientAdded, models.ClientChanged, models.ClientRemoved, models.ClientSecretRotated, models.Confirmed, models.DeviceSignedIn, models.EmailAsked, models.SecondEmailAsked, models.SecondEmailRemoved} {
		table[kind] = table[models.PasswordChanged]
	}
	if len(table) != len(eventKinds) {
		t.Fatalf("the table has %d events, the machine %d", len(table), len(eventKinds))
	}
	for event, row := range table {
		for i, state := range states {
			w := row[i]
			t.Run(string(state)+"/"+string(event), func(t *testing.T) {
				t.Parallel()
				before := comingBack(attemptIn(state), event)
				after, effects, err := Next(policy, before, models.Event{Kind: event, Factor: models.TOTP, UV: true}, now)
				if w.code != "" {
					if models.CodeOf(err) != w.code {
						t.Fatalf("got error %v, want %s", err, w.code)
					}
					if diff := cmp.Diff(before, after); diff != "" || effects != nil {
						t.Fatalf("a refused event changed the attempt: %s %v", diff, effects)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if after.State != w.state || models.ACROf(after.Methods) != w.acr {
					t.Fatalf("got %s %q, want %s %q", after.State, models.ACROf(after.Methods), w.state, w.acr)
				}
				if after.State != before.State && !hasEffect(effects, models.EffectRotate) && !hasEffect(effects, models.EffectOpen) {
					t.Fatalf("the state changed without a new token: %v", effects)
				}
			})
		}
	}
}

// A session that a letter's link opened chooses a password, whatever it proves, and
// does nothing else.
func TestALinkLeadsToANewPasswordAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		factor models.Factor
		uv     bool
		code   models.Code
	}{{models.TOTP, false, ""}, {models.Passkey, true, ""}, {models.Passkey, false, ""}, {models.Recovery, false, ""}, {models.Face, false, models.CodeConflict}} {
		opened, _, err := Next(policy, attemptIn(models.Anonymous), models.Event{Kind: models.LinkFollowed}, now)
		if err != nil || opened.State != models.SecondFactorRequired {
			t.Fatalf("got %s, %v", opened.State, err)
		}
		after, effects, err := Next(policy, opened, models.Event{Kind: models.FactorPassed, Factor: c.factor, UV: c.uv}, now)
		if c.code != "" {
			if models.CodeOf(err) != c.code {
				t.Errorf("%s: %v", c.factor, err)
			}
			continue
		}
		if err != nil || after.State != models.Resetting || !hasEffect(effects, models.EffectRotate) || hasEffect(effects, models.EffectKnowDevice) {
			t.Errorf("%s: %s, %v, %v", c.factor, after.State, effects, err)
		}
		for _, kind := range eventKinds {
			_, effects, err := Next(policy, after, models.Event{Kind: kind, Factor: models.TOTP, UV: true}, now)
			switch kind {
			case models.FactorsLost:
				if after, _, err := Next(policy, after, models.Event{Kind: kind}, now); err != nil || after.State != models.Recovering || models.ACROf(after.Methods) != models.ACRRecovery {
					t.Errorf("%s: %s, %v", c.factor, after.State, err)
				}
			case models.PasswordReset:
				if err != nil || !hasEffect(effects, models.EffectEndAll) {
					t.Errorf("%v, %v", effects, err)
				}
			default:
				if models.CodeOf(err) != models.CodeResetting {
					t.Errorf("%s: %v", kind, err)
				}
			}
		}
	}
	fresh := attemptIn(models.Anonymous)
	fresh.Established, fresh.Enrolled = false, models.Enrolled{}
	if opened, _, err := Next(policy, fresh, models.Event{Kind: models.LinkFollowed}, now); err != nil || opened.State != models.Resetting {
		t.Errorf("an account that never had a factor: %s, %v", opened.State, err)
	}
}

func hasEffect(effects []models.Effect, kind models.EffectKind) bool {
	for _, e := range effects {
		if e.Kind == kind {
			return true
		}
	}
	return false
}

func TestSecondFactorLevels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		factor models.Factor
		uv     bool
		state  models.State
		acr    models.ACR
	}{
		{models.Passkey, true, models.Authenticated, models.ACRAAL2},
		{models.Passkey, false, models.Authenticated, models.ACRAAL2},
		{models.TOTP, false, models.Authenticated, models.ACRAAL2},
		{models.Face, true, models.Authenticated, models.ACRMFA},
		{models.Recovery, true, models.Recovering, models.ACRRecovery},
	} {
		after, _, err := Next(policy, attemptIn(models.SecondFactorRequired), models.Event{Kind: models.FactorPassed, Factor: c.factor, UV: c.uv}, now)
		if err != nil {
			t.Fatal(err)
		}
		if after.State != c.state || models.ACROf(after.Methods) != c.acr {
			t.Errorf("%s uv=%v: got %s %q, want %s %q", c.factor, c.uv, after.State, models.ACROf(after.Methods), c.state, c.acr)
		}
	}
}

func TestLosingEveryFactorStillAsksForOne(t *testing.T) {
	t.Parallel()
	a := attemptIn(models.Anonymous)
	a.Enrolled = models.Enrolled{}
	after, _, err := Next(policy, a, models.Event{Kind: models.PasswordPassed}, now)
	if err != nil || after.State != models.SecondFactorRequired {
		t.Fatalf("got %s, %v: a password alone must not enrol again", after.State, err)
	}
}

func TestEnrolmentLostTheRace(t *testing.T) {
	t.Parallel()
	a := attemptIn(models.EnrolmentRequired)
	a.Established, a.Enrolled = true, models.Enrolled{TOTP: true}
	_, _, err := Next(policy, a, models.Event{Kind: models.FactorEnrolled, Factor: models.Passkey, UV: true}, now)
	if models.CodeOf(err) != models.CodeConflict {
		t.Fatalf("got %v, want conflict", err)
	}
}

func TestPasskeyWithoutUVNeverSignsInAlone(t *testing.T) {
	t.Parallel()
	_, _, err := Next(policy, attemptIn(models.Anonymous), models.Event{Kind: models.PasskeySignIn}, now)
	if models.CodeOf(err) != models.CodeInvalidCredentials {
		t.Fatalf("got %v, want invalid_credentials", err)
	}
}

func TestFaceNeedsAnotherWayIn(t *testing.T) {
	t.Parallel()
	a := attemptIn(models.EnrolmentRequired)
	enrol := models.Event{Kind: models.FactorEnrolled, Factor: models.Face}
	if _, _, err := Next(policy, a, enrol, now); models.CodeOf(err) != models.CodeConflict {
		t.Fatalf("got %v, want conflict", err)
	}
	a.Enrolled.Codes = 10
	after, _, err := Next(policy, a, enrol, now)
	if err != nil || models.ACROf(after.Methods) != models.ACRMFA {
		t.Fatalf("got %v %v, want mfa", after.Methods, err)
	}
}

func TestRemoval(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		have   models.Enrolled
		remove models.Factor
		code   models.Code
	}{
		"one of two passkeys":      {models.Enrolled{Passkeys: 2}, models.Passkey, ""},
		"the last passkey":         {models.Enrolled{Passkeys: 1}, models.Passkey, models.CodeLastFactor},
		"last but codes":           {models.Enrolled{Passkeys: 1, Codes: 10}, models.Passkey, models.CodeLastFactor},
		"totp beside face":         {models.Enrolled{TOTP: true, Face: true}, models.TOTP, models.CodeLastFactor},
		"totp beside face + codes": {models.Enrolled{TOTP: true, Face: true, Codes: 1}, models.TOTP, ""},
		"face beside totp":         {models.Enrolled{TOTP: true, Face: true}, models.Face, ""},
	} {
		a := attemptIn(models.Authenticated)
		a.Enrolled = c.have
		a.StepUp = askedFor(pwd(now), models.Method{Factor: models.Passkey, At: now, UV: true})
		_, effects, err := Next(policy, a, models.Event{Kind: models.FactorRemoved, Factor: c.remove}, now)
		if (c.code == "" && err != nil) || (c.code != "" && models.CodeOf(err) != c.code) {
			t.Errorf("%s: got %v, want %q", name, err, c.code)
		}
		if err == nil && !hasEffect(effects, models.EffectEndOthers) {
			t.Errorf("%s: the other sessions live on", name)
		}
	}
}

func TestStepUp(t *testing.T) {
	t.Parallel()
	earlier := now.Add(-time.Minute)
	stale := now.Add(-policy.StepUp.RecoveryCodes.Recent.Std())
	lenient := policy
	lenient.StepUp.Change.Recent = models.Duration(2 * time.Minute)
	totp, face := models.Method{Factor: models.TOTP, At: now}, models.Method{Factor: models.Face, At: now}
	key := models.Method{Factor: models.Passkey, At: now, UV: true}
	every := []models.Factor{models.Passkey, models.TOTP}
	signedIn := []models.Method{pwd(earlier), {Factor: models.TOTP, At: earlier}}
	for name, c := range map[string]struct {
		policy  models.Policy
		methods []models.Method
		asked   *models.StepUp
		have    models.Enrolled
		purpose models.Purpose
		ok      bool
		pwd     bool
		offered []models.Factor
	}{
		"nothing asked for":                    {policy, signedIn, nil, all, models.RemoveTOTP, false, true, every},
		"a sign-in is no proof of its own":     {policy, signedIn, askedFor(), all, models.RemoveTOTP, false, true, every},
		"but where the policy says so":         {lenient, signedIn, askedFor(), all, models.RemoveTOTP, true, false, nil},
		"the policy's word needs asking too":   {lenient, signedIn, nil, all, models.RemoveTOTP, false, true, every},
		"factor without the password":          {policy, signedIn, askedFor(totp), all, models.AddPasskey, false, true, []models.Factor{}},
		"password without a factor":            {policy, signedIn, askedFor(pwd(now)), all, models.AddPasskey, false, false, every},
		"password and factor":                  {policy, signedIn, askedFor(pwd(now), totp), all, models.AddPasskey, true, false, nil},
		"password and passkey":                 {policy, signedIn, askedFor(pwd(now), key), all, models.RemoveTOTP, true, false, nil},
		"face adds no passkey":                 {policy, signedIn, askedFor(pwd(now), face), all, models.AddPasskey, false, false, every},
		"face adds a face":                     {policy, signedIn, askedFor(pwd(now), face), all, models.AddFace, true, false, nil},
		"face alone adds nothing stronger":     {policy, signedIn, askedFor(pwd(now), face), models.Enrolled{Face: true, Codes: 3}, models.AddTOTP, false, false, []models.Factor{}},
		"face alone, before anything is given": {policy, signedIn, nil, models.Enrolled{Face: true, Codes: 3}, models.AddTOTP, false, false, []models.Factor{}},
		"codes after a fresh sign-in":          {policy, signedIn, askedFor(), all, models.NewRecoveryCodes, true, false, nil},
		"codes after a stale one":              {policy, []models.Method{pwd(stale), {Factor: models.TOTP, At: stale}}, askedFor(), all, models.NewRecoveryCodes, false, false, every},
		"export takes the factor alone":        {policy, signedIn, askedFor(totp), all, models.Export, true, false, nil},
		"passwordless export by another":       {policy, []models.Method{{Factor: models.Passkey, At: earlier, UV: true}}, askedFor(totp), all, models.Export, false, false, []models.Factor{models.Passkey}},
		"a new password brings the old one":    {policy, signedIn, askedFor(totp), all, models.ChangePassword, true, false, nil},
		"expired":                              {policy, signedIn, &models.StepUp{Methods: []models.Method{pwd(now), totp}, ExpiresAt: now}, all, models.RemoveTOTP, false, true, every},
	} {
		a := attemptIn(models.Authenticated)
		a.Methods, a.Enrolled, a.StepUp = c.methods, c.have, c.asked
		err := StepUp(c.policy, a, c.purpose, now)
		if (err == nil) != c.ok {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		if err != nil {
			var refusal *models.Error
			if !errors.As(err, &refusal) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.offered, refusal.Factors); diff != "" || refusal.Password != c.pwd || refusal.Purpose != c.purpose || refusal.MaxAge != policy.StepUp.MaxAge.Std() {
				t.Errorf("%s: offered %s, password %v", name, diff, refusal.Password)
			}
		}
	}
}

// A person who is slow with the authenticator app must not be asked again: the
// step-up stood when the enrolment began.
func TestStepUpIsJudgedWhenTheEnrolmentBegan(t *testing.T) {
	t.Parallel()
	a := attemptIn(models.Authenticated)
	later := now.Add(policy.StepUp.MaxAge.Std() + time.Minute)
	a.IdleEndsAt = later.Add(time.Minute)
	event := models.Event{Kind: models.FactorEnrolled, Factor: models.TOTP}
	if _, _, err := Next(policy, a, event, later); models.CodeOf(err) != models.CodeStepUpRequired {
		t.Fatalf("got %v, want step_up_required", err)
	}
	event.Begun = now
	if _, _, err := Next(policy, a, event, later); err != nil {
		t.Fatal(err)
	}
	// What was proven after it began is no proof for it.
	event.Begun = now.Add(-time.Second)
	if _, _, err := Next(policy, a, event, later); models.CodeOf(err) != models.CodeStepUpRequired {
		t.Fatalf("got %v, want step_up_required", err)
	}
}

func TestExpiredAttempt(t *testing.T) {
	t.Parallel()
	a := attemptIn(models.SecondFactorRequired)
	a.IdleEndsAt = now
	_, _, err := Next(policy, a, models.Event{Kind: models.FactorPassed, Factor: models.TOTP}, now)
	if models.CodeOf(err) != models.CodeSessionRequired {
		t.Fatalf("got %v, want session_required", err)
	}
}

func TestFactorSwitchedOff(t *testing.T) {
	t.Parallel()
	strict := policy
	strict.Factors.Allowed = []models.Factor{models.Passkey}
	_, _, err := Next(strict, attemptIn(models.SecondFactorRequired), models.Event{Kind: models.FactorPassed, Factor: models.TOTP}, now)
	if models.CodeOf(err) != models.CodeConflict {
		t.Fatalf("got %v, want conflict", err)
	}
}
