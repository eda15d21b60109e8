package mfa

import (
	"time"

	"github.com/sallyport/sallyport/models"
)

// deviceRecognised opens the second door on a device that its owner asked to be
// remembered. That is a password and a mark: the session stays at level 1, no lane opens
// for the browser, no freeze ends by it, and it never outlives what is remembered.
func deviceRecognised(policy models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	if distrusted(a, now) {
		return nil, models.Refuse(models.CodeConflict, "a change to this account was reported as not its owner's: use another way")
	}
	end := earlier(event.Until, event.Since.Add(policy.Remember.Lifetime.Std()))
	if !now.Before(end) {
		return nil, models.NotRemembered()
	}
	a.Methods = append(a.Methods, models.Method{Factor: models.Device, At: now, Remembered: event.Object})
	authenticate(policy, a, now)
	a.EndsAt = earlier(a.EndsAt, end)
	return []models.Effect{{Kind: models.EffectRotate}, reset(models.Device), record("signed_in", event)}, nil
}

// deviceRemembered needs no step-up, for it opens nothing but the second door to who
// knows the password; but a session as young as its sign-in, that passed the password
// and a factor. What was proven later was proven for something else, and a device that
// was recognised must not have itself remembered for longer.
func deviceRemembered(policy models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	switch {
	case !policy.Remember.Allowed:
		return nil, models.Refuse(models.CodeConflict, "devices are not remembered here")
	case distrusted(a, now):
		return nil, models.Frozen()
	case models.ByDevice(a.Methods), !hasPassword(a.Methods), models.ACROf(a.Methods).Level() < 2, !now.Before(a.BegunAt.Add(models.RememberWithin)):
		return nil, &models.Error{
			Code: models.CodeConflict, Reason: "not_fresh",
			Message: "a device is remembered right after signing in with your password and a second step: sign in anew",
		}
	}
	return []models.Effect{reset(models.Device), record("device_remembered", event)}, nil
}

// distrusted tells whether the account's owner denied a fact, and has not come back with
// an older factor or chosen a new password since.
func distrusted(a *models.Attempt, now time.Time) bool {
	return a.Freeze.Active(now) || !a.Freeze.Since.IsZero()
}
