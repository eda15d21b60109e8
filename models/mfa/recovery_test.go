package mfa

import (
	"errors"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

func TestAnOlderFactorStopsAWayBack(t *testing.T) {
	t.Parallel()
	begun := now.Add(-time.Hour)
	older, newer := begun.Add(-time.Hour), begun.Add(time.Minute)
	for _, c := range []struct {
		what  string
		state models.State
		event models.Event
		stops bool
	}{
		{"an app", models.SecondFactorRequired, models.Event{Kind: models.FactorPassed, Factor: models.TOTP, Since: older}, true},
		{"a passkey", models.SecondFactorRequired, models.Event{Kind: models.FactorPassed, Factor: models.Passkey, Since: older}, true},
		{"a passkey alone", models.Anonymous, models.Event{Kind: models.PasskeySignIn, Factor: models.Passkey, UV: true, Since: older}, true},
		{"a face", models.SecondFactorRequired, models.Event{Kind: models.FactorPassed, Factor: models.Face, Since: older}, true},
		{"a recovery code", models.SecondFactorRequired, models.Event{Kind: models.FactorPassed, Factor: models.Recovery, Since: older}, true},
		{"a step-up", models.Authenticated, models.Event{Kind: models.FactorPassed, Factor: models.TOTP, Since: older}, true},
		{"a new password", models.Authenticated, models.Event{Kind: models.PasswordChanged}, true},
		{"a password that was reset", models.Resetting, models.Event{Kind: models.PasswordReset}, true},
		{"a newer app", models.SecondFactorRequired, models.Event{Kind: models.FactorPassed, Factor: models.TOTP, Since: newer}, false},
		{"one that was added at that time", models.SecondFactorRequired, models.Event{Kind: models.FactorPassed, Factor: models.TOTP, Since: begun}, false},
		{"an app of unknown age", models.SecondFactorRequired, models.Event{Kind: models.FactorPassed, Factor: models.TOTP}, false},
		{"a password alone", models.Anonymous, models.Event{Kind: models.PasswordPassed}, false},
	} {
		a := attemptIn(c.state)
		a.WayBack = &models.WayBack{Kind: models.WaitingRecovery, BegunAt: begun}
		_, effects, err := Next(policy, a, c.event, now)
		if err != nil || hasEffect(effects, models.EffectStopRecovery) != c.stops {
			t.Errorf("%s: %v, %v", c.what, effects, err)
		}
	}
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	off, longer := policy, policy
	off.Recovery.Waiting = false
	longer.Recovery.Wait *= 2
	over := comingBack(attemptIn(models.SecondFactorRequired), models.RecoveryWaited)
	early, byMail, frozen := over, over, frozenIn(models.SecondFactorRequired)
	early.WayBack = &models.WayBack{Kind: models.WaitingRecovery, BegunAt: over.WayBack.BegunAt.Add(time.Microsecond)}
	byMail.Methods, byMail.WayBack = []models.Method{{Factor: models.Mail, At: now}}, nil
	twoAddresses, byBoth := byMail, byMail
	twoAddresses.SecondAddress = true
	byBoth.WayBack = &models.WayBack{Kind: models.WaitingRecovery, BegunAt: over.WayBack.BegunAt, ByMail: true}
	byOne := byBoth
	byOne.WayBack = over.WayBack
	assisted := comingBack(attemptIn(models.SecondFactorRequired), models.RecoveryVouched)
	waited, asked := models.Event{Kind: models.RecoveryWaited}, models.Event{Kind: models.RecoveryAsked}
	for _, c := range []struct {
		what    string
		policy  models.Policy
		attempt models.Attempt
		event   models.Event
		code    models.Code
		reason  string
	}{
		{"over", policy, over, waited, "", ""},
		{"a moment early", policy, early, waited, models.CodeConflict, "waiting"},
		{"under a longer wait", longer, over, waited, models.CodeConflict, "waiting"},
		{"switched off", off, over, waited, models.CodeChallengeExpired, ""},
		{"stopped", policy, attemptIn(models.SecondFactorRequired), waited, models.CodeChallengeExpired, ""},
		{"of the other kind", policy, assisted, waited, models.CodeChallengeExpired, ""},
		{"asked", policy, attemptIn(models.SecondFactorRequired), asked, "", ""},
		{"asked while off", off, attemptIn(models.SecondFactorRequired), asked, models.CodeConflict, "recovery_off"},
		{"asked twice", policy, over, asked, models.CodeConflict, "recovery_begun"},
		{"asked while frozen", policy, frozen, asked, models.CodeConflict, "frozen"},
		{"asked by a mailbox alone", policy, byMail, asked, models.CodeConflict, "no_second_address"},
		{"asked by one of two mailboxes", policy, twoAddresses, asked, "", ""},
		{"over, by two mailboxes", policy, byBoth, waited, "", ""},
		{"over, by the password's mailbox alone", policy, byOne, waited, models.CodeConflict, "no_second_address"},
		{"vouched for one who waits", policy, comingBack(attemptIn(models.Anonymous), models.RecoveryWaited), models.Event{Kind: models.RecoveryVouched}, models.CodeChallengeExpired, ""},
		{"vouched for nobody", policy, attemptIn(models.Anonymous), models.Event{Kind: models.RecoveryVouched}, models.CodeChallengeExpired, ""},
	} {
		_, _, err := Next(c.policy, c.attempt, c.event, now)
		var refusal *models.Error
		if c.code == "" {
			if err != nil {
				t.Errorf("%s: %v", c.what, err)
			}
		} else if !errors.As(err, &refusal) || refusal.Code != c.code || refusal.Reason != c.reason {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// A used code is replaced, but not while nothing may be added.
func TestAUsedCodeIsReplaced(t *testing.T) {
	t.Parallel()
	used := models.Event{Kind: models.FactorPassed, Factor: models.Recovery}
	for _, state := range []models.State{models.SecondFactorRequired, models.Authenticated} {
		_, effects, err := Next(policy, attemptIn(state), used, now)
		if err != nil || !hasEffect(effects, models.EffectReissue) {
			t.Errorf("%s: %v, %v", state, effects, err)
		}
		_, effects, err = Next(policy, frozenIn(state), used, now)
		if err != nil || hasEffect(effects, models.EffectReissue) {
			t.Errorf("%s, frozen: %v, %v", state, effects, err)
		}
	}
}
