package mfa

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// recognised is a device that was remembered an hour ago.
var recognised = models.Event{
	Kind: models.FactorPassed, Factor: models.Device, Object: "device-1", Since: now.Add(-time.Hour), Until: now.Add(29 * 24 * time.Hour),
}

// onDevice is a session that a remembered device opened a minute ago.
func onDevice() models.Attempt {
	a := attemptIn(models.Authenticated)
	a.Methods, a.StepUp = []models.Method{pwd(now), {Factor: models.Device, At: now, Remembered: "device-1"}}, nil
	return a
}

func TestARememberedDeviceOpensTheDoorAtLevel1(t *testing.T) {
	t.Parallel()
	after, effects, err := Next(policy, attemptIn(models.SecondFactorRequired), recognised, now)
	if err != nil {
		t.Fatal(err)
	}
	acr := models.ACROf(after.Methods)
	if after.State != models.Authenticated || acr != models.ACRDevice || acr.Level() != 1 || acr.Meets(models.ACRMFA) || acr.Meets(models.ACRAAL2) {
		t.Errorf("%s %s, level %d", after.State, acr, acr.Level())
	}
	if amr := models.AMROf(after.Methods); !slices.Equal(amr, []string{"pwd", "swk"}) {
		t.Errorf("amr %v", amr)
	}
	if hasEffect(effects, models.EffectKnowDevice) || lifts(effects) {
		t.Errorf("it did what level 2 does: %v", effects)
	}
	ending := recognised
	ending.Until = now.Add(time.Hour)
	if after, _, err = Next(policy, attemptIn(models.SecondFactorRequired), ending, now); err != nil || after.EndsAt.After(ending.Until) {
		t.Errorf("the session outlives what is remembered: %v, %v", after.EndsAt, err)
	}
}

func TestWhereARememberedDeviceOpensNothing(t *testing.T) {
	t.Parallel()
	second := func(change func(*models.Attempt)) models.Attempt {
		a := attemptIn(models.SecondFactorRequired)
		change(&a)
		return a
	}
	none := policy
	none.Remember.Allowed = false
	short := policy
	short.Remember.Lifetime = models.Duration(time.Hour)
	over := recognised
	over.Until = now
	for what, c := range map[string]struct {
		policy  models.Policy
		attempt models.Attempt
		event   models.Event
		code    models.Code
	}{
		"switched off":                           {none, second(func(*models.Attempt) {}), recognised, models.CodeConflict},
		"a shorter life by now":                  {short, second(func(*models.Attempt) {}), recognised, models.CodeConflict},
		"over":                                   {policy, second(func(*models.Attempt) {}), over, models.CodeConflict},
		"none is remembered":                     {policy, second(func(a *models.Attempt) { a.Enrolled.Remembered = 0 }), recognised, models.CodeConflict},
		"no factor beside it":                    {policy, second(func(a *models.Attempt) { a.Enrolled = models.Enrolled{Codes: 10, Remembered: 1} }), recognised, models.CodeConflict},
		"frozen":                                 {policy, second(func(a *models.Attempt) { a.Freeze = frozenIn(a.State).Freeze }), recognised, models.CodeConflict},
		"a distrusted password":                  {policy, second(func(a *models.Attempt) { a.Freeze.Since = now.Add(-48 * time.Hour) }), recognised, models.CodeConflict},
		"by a letter":                            {policy, second(func(a *models.Attempt) { a.Methods = []models.Method{{Factor: models.Mail, At: now}} }), recognised, models.CodeConflict},
		"signed in":                              {policy, attemptIn(models.Authenticated), recognised, models.CodeConflict},
		"signed in by it":                        {policy, onDevice(), recognised, models.CodeConflict},
		"recovering":                             {policy, attemptIn(models.Recovering), recognised, models.CodeRecovering},
		"enrolling":                              {policy, attemptIn(models.EnrolmentRequired), recognised, models.CodeEnrolmentRequired},
		"resetting":                              {policy, attemptIn(models.Resetting), recognised, models.CodeResetting},
		"nobody":                                 {policy, attemptIn(models.Anonymous), recognised, models.CodeSessionRequired},
		"a session that is on one, switched off": {none, onDevice(), models.Event{Kind: models.FactorPassed, Factor: models.TOTP}, models.CodeSessionRequired},
	} {
		if _, effects, err := Next(c.policy, c.attempt, c.event, now); models.CodeOf(err) != c.code || effects != nil {
			t.Errorf("%s: got %v, want %s", what, err, c.code)
		}
	}
}

// What a session proved for one thing, or a device that was recognised, has no device
// remembered.
func TestADeviceIsRememberedRightAfterBothFactors(t *testing.T) {
	t.Parallel()
	event := models.Event{Kind: models.DeviceRemembered, Object: "device-2"}
	totp := models.Method{Factor: models.TOTP, At: now}
	with := func(change func(*models.Attempt)) models.Attempt {
		a := attemptIn(models.Authenticated)
		change(&a)
		return a
	}
	none := policy
	none.Remember.Allowed = false
	for what, c := range map[string]struct {
		policy  models.Policy
		attempt models.Attempt
		reason  string
		may     bool
	}{
		"password and app":                       {policy, attemptIn(models.Authenticated), "", true},
		"password and face":                      {policy, with(func(a *models.Attempt) { a.Methods[1].Factor = models.Face }), "", true},
		"switched off":                           {none, attemptIn(models.Authenticated), "", false},
		"frozen":                                 {policy, frozenIn(models.Authenticated), "frozen", false},
		"distrusted":                             {policy, with(func(a *models.Attempt) { a.Freeze.Since = now.Add(-48 * time.Hour) }), "frozen", false},
		"a passkey alone":                        {policy, with(func(a *models.Attempt) { a.Methods = []models.Method{{Factor: models.Passkey, UV: true, At: now}} }), "not_fresh", false},
		"on a device":                            {policy, onDevice(), "not_fresh", false},
		"raised on a device":                     {policy, with(func(a *models.Attempt) { a.Methods = []models.Method{pwd(now), {Factor: models.Device, At: now}, totp} }), "not_fresh", false},
		"an older session, that just stepped up": {policy, with(func(a *models.Attempt) { a.BegunAt = now.Add(-models.RememberWithin) }), "not_fresh", false},
	} {
		_, effects, err := Next(c.policy, c.attempt, event, now)
		var refusal *models.Error
		if c.may != (err == nil) || err != nil && (!errors.As(err, &refusal) || refusal.Code != models.CodeConflict || refusal.Reason != c.reason) {
			t.Errorf("%s: %v", what, err)
		}
		if c.may && !hasEffect(effects, models.EffectRecord) {
			t.Errorf("%s: nothing is recorded", what)
		}
	}
}

// No act that asks for proof takes a remembered device for one, and a factor after it
// counts as ever.
func TestARememberedDeviceProvesNothing(t *testing.T) {
	t.Parallel()
	device := models.Method{Factor: models.Device, At: now}
	for _, purpose := range models.Purposes() {
		a := onDevice()
		a.StepUp = askedFor(pwd(now), device)
		var refusal *models.Error
		if err := StepUp(policy, a, purpose, now); !errors.As(err, &refusal) || refusal.Code != models.CodeStepUpRequired {
			t.Errorf("%s: %v", purpose, err)
		} else if slices.Contains(refusal.Factors, models.Device) || len(refusal.Factors) == 0 {
			t.Errorf("%s asks for %v", purpose, refusal.Factors)
		}
		if Proven(policy, a, purpose, now).Level() == 2 {
			t.Errorf("%s: level 2", purpose)
		}
	}
	raised, _, err := Next(policy, onDevice(), models.Event{Kind: models.FactorPassed, Factor: models.TOTP}, now)
	if err != nil || models.ACROf(raised.Methods) != models.ACRAAL2 {
		t.Fatalf("%s: %v", models.ACROf(raised.Methods), err)
	}
	raised.StepUp = nil
	if err := StepUp(policy, raised, models.SecondFactor, now); err != nil {
		t.Errorf("both have been passed: %v", err)
	}
	if err := StepUp(policy, raised, models.RemoveTOTP, now); models.CodeOf(err) != models.CodeStepUpRequired {
		t.Errorf("a step-up beyond: %v", err)
	}
}

func TestARememberedDeviceIsNothingToStandOn(t *testing.T) {
	t.Parallel()
	alone := models.Enrolled{Remembered: 3}
	if alone.Any() || alone.NonBiometric() || len(alone.List()) > 0 {
		t.Errorf("it stands on %v", alone.List())
	}
	a := attemptIn(models.Authenticated)
	a.Enrolled = models.Enrolled{TOTP: true, Remembered: 3}
	if _, _, err := Next(policy, a, models.Event{Kind: models.FactorRemoved, Factor: models.TOTP}, now); models.CodeOf(err) != models.CodeLastFactor {
		t.Errorf("the last factor went: %v", err)
	}
}

func TestWhatForgetsEveryDevice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state models.State
		event models.Event
	}{
		{models.Authenticated, models.Event{Kind: models.PasswordChanged}},
		{models.Authenticated, models.Event{Kind: models.FactorRemoved, Factor: models.TOTP}},
		{models.Authenticated, models.Event{Kind: models.FactorPassed, Factor: models.Recovery}},
		{models.SecondFactorRequired, models.Event{Kind: models.FactorPassed, Factor: models.Recovery}},
		{models.Resetting, models.Event{Kind: models.PasswordReset}},
		{models.Authenticated, models.Event{Kind: models.DeletionRequested}},
	} {
		_, effects, err := Next(policy, attemptIn(c.state), c.event, now)
		if err != nil || !hasEffect(effects, models.EffectForgetDevices) && !hasEffect(effects, models.EffectEndAll) {
			t.Errorf("%s %s %s: %v %v", c.state, c.event.Kind, c.event.Factor, effects, err)
		}
	}
	reset := attemptIn(models.SecondFactorRequired)
	reset.Methods = []models.Method{{Factor: models.Mail, At: now}}
	_, effects, err := Next(policy, reset, models.Event{Kind: models.FactorPassed, Factor: models.Recovery}, now)
	if err != nil || !hasEffect(effects, models.EffectForgetDevices) {
		t.Errorf("a recovery code in a reset: %v %v", effects, err)
	}
}
