package mfa

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// frozenIn is an attempt of an account whose owner denied a fact of an hour ago.
func frozenIn(state models.State) models.Attempt {
	a := attemptIn(state)
	a.Freeze = models.Freeze{BegunAt: now, Until: now.Add(models.FreezeFor), Since: now.Add(-time.Hour)}
	return a
}

func lifts(effects []models.Effect) bool {
	return slices.ContainsFunc(effects, func(e models.Effect) bool { return e.Kind == models.EffectLift })
}

func TestNothingIsAddedWhileFrozen(t *testing.T) {
	t.Parallel()
	for _, state := range []models.State{models.EnrolmentRequired, models.Recovering, models.Authenticated} {
		for _, event := range []models.Event{
			{Kind: models.FactorEnrolled, Factor: models.Passkey, UV: true}, {Kind: models.FactorEnrolled, Factor: models.TOTP},
			{Kind: models.FactorEnrolled, Factor: models.Face}, {Kind: models.CodesIssued},
		} {
			_, _, err := Next(policy, frozenIn(state), event, now)
			var refusal *models.Error
			if !errors.As(err, &refusal) || refusal.Code != models.CodeConflict || refusal.Reason != "frozen" {
				t.Errorf("%s, %s %s: %v", state, event.Kind, event.Factor, err)
			}
		}
		if state == models.Authenticated {
			_, _, err := Next(policy, frozenIn(state), models.Event{Kind: models.DeviceAdded}, now)
			var refusal *models.Error
			if !errors.As(err, &refusal) || refusal.Reason != "frozen" {
				t.Errorf("a device: %v", err)
			}
		}
		for _, kind := range []models.EventKind{models.DeletionRequested, models.EmailAsked, models.SecondEmailAsked} {
			if state != models.Authenticated {
				break
			}
			_, _, err := Next(policy, frozenIn(state), models.Event{Kind: kind}, now)
			var refusal *models.Error
			if !errors.As(err, &refusal) || refusal.Reason != "frozen" {
				t.Errorf("%s: %v", kind, err)
			}
		}
		over := frozenIn(state)
		over.Freeze.Until = now
		_, _, err := Next(policy, over, models.Event{Kind: models.FactorEnrolled, Factor: models.TOTP}, now)
		// A password that may enrol alone stays distrusted until there is a new one.
		if refused := err != nil; refused != (state == models.EnrolmentRequired) {
			t.Errorf("%s, after the freeze: %v", state, err)
		}
	}
}

func TestRemovingIsPossibleWhileFrozen(t *testing.T) {
	t.Parallel()
	a := frozenIn(models.Authenticated)
	if _, _, err := Next(policy, a, models.Event{Kind: models.FactorRemoved, Factor: models.TOTP}, now); err != nil {
		t.Errorf("a factor can't be removed: %v", err)
	}
	// The last passkey stands; another that is set aside takes nothing with it.
	a.Enrolled = models.Enrolled{Passkeys: 1}
	if _, _, err := Next(policy, a, models.Event{Kind: models.FactorRemoved, Factor: models.Passkey, SetAside: true}, now); err != nil {
		t.Errorf("what is set aside can't be removed: %v", err)
	}
	if _, _, err := Next(policy, a, models.Event{Kind: models.FactorRemoved, Factor: models.Passkey}, now); models.CodeOf(err) != models.CodeLastFactor {
		t.Errorf("the last factor: %v", err)
	}
}

func TestOnlyAnOlderFactorAtAAL2LiftsAFreeze(t *testing.T) {
	t.Parallel()
	older, same, newer := now.Add(-2*time.Hour), now.Add(-time.Hour), now.Add(-time.Minute)
	for _, c := range []struct {
		what  string
		state models.State
		event models.Event
		lifts bool
	}{
		{"an older app", models.SecondFactorRequired, models.Event{Kind: models.FactorPassed, Factor: models.TOTP, Since: older}, true},
		{"an older passkey", models.SecondFactorRequired, models.Event{Kind: models.FactorPassed, Factor: models.Passkey, Since: older}, true},
		{"an older passkey alone", models.Anonymous, models.Event{Kind: models.PasskeySignIn, Factor: models.Passkey, UV: true, Since: older}, true},
		{"a step-up by an older app", models.Authenticated, models.Event{Kind: models.FactorPassed, Factor: models.TOTP, Since: older}, true},
		{"what the fact added", models.SecondFactorRequired, models.Event{Kind: models.FactorPassed, Factor: models.TOTP, Since: same}, false},
		{"a newer app", models.SecondFactorRequired, models.Event{Kind: models.FactorPassed, Factor: models.TOTP, Since: newer}, false},
		{"an app of unknown age", models.SecondFactorRequired, models.Event{Kind: models.FactorPassed, Factor: models.TOTP}, false},
		{"a face", models.SecondFactorRequired, models.Event{Kind: models.FactorPassed, Factor: models.Face, Since: older}, false},
		{"a face in a session at aal2", models.Authenticated, models.Event{Kind: models.FactorPassed, Factor: models.Face, Since: older}, false},
		{"a recovery code", models.SecondFactorRequired, models.Event{Kind: models.FactorPassed, Factor: models.Recovery, Since: older}, false},
		{"a password alone", models.Anonymous, models.Event{Kind: models.PasswordPassed, Since: older}, false},
	} {
		_, effects, err := Next(policy, frozenIn(c.state), c.event, now)
		if err != nil || lifts(effects) != c.lifts {
			t.Errorf("%s: lifts %v, want %v; %v", c.what, lifts(effects), c.lifts, err)
		}
		trusted := attemptIn(c.state)
		if _, effects, err := Next(policy, trusted, c.event, now); err != nil || lifts(effects) {
			t.Errorf("%s lifts where nothing is frozen; %v", c.what, err)
		}
	}
}
