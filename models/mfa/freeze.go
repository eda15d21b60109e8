package mfa

import (
	"time"

	"github.com/sallyport/sallyport/models"
)

// refuseFrozen refuses to add anything to an account whose owner has denied a fact:
// for as long as the freeze lasts, and where a password may enrol by itself for as
// long as that password is distrusted.
func refuseFrozen(a *models.Attempt, now time.Time) error {
	if a.Freeze.Active(now) || !a.Established && !a.Freeze.Since.IsZero() {
		return models.Frozen()
	}
	return nil
}

// owned adds what follows when a factor was passed that is older than what somebody
// else may have done: the end of a freeze, and of a way back that is under way.
func owned(a *models.Attempt, event models.Event, effects ...models.Effect) []models.Effect {
	if a.WayBack != nil && !event.Since.IsZero() && event.Since.Before(a.WayBack.BegunAt) {
		effects = stop(a, effects...)
	}
	return lift(a, event, effects...)
}

// shutByFreeze tells which events a frozen account doesn't take.
func shutByFreeze(event models.Event) bool {
	return adds(event) || event.Kind == models.DeletionRequested || event.Kind == models.EmailAsked || event.Kind == models.SecondEmailAsked
}

// RefuseUnproven refuses to add anything by the password alone to an account whose
// address has to be proven first: email_unverified. Whoever has had a factor proves
// that instead, and an app vouches for its subjects, who have no address.
func RefuseUnproven(a models.Attempt) error {
	if a.MustVerify && !a.Subject && !a.EmailVerified && !a.Established {
		return models.EmailUnverified()
	}
	return nil
}

// lift adds the end of a freeze to the effects of passing a factor, when the attempt has
// come to aal2 by a passkey or an authenticator app that is older than what was denied:
// nobody can have added it since.
func lift(a *models.Attempt, event models.Event, effects ...models.Effect) []models.Effect {
	strong := event.Factor == models.Passkey || event.Factor == models.TOTP
	older := !event.Since.IsZero() && event.Since.Before(a.Freeze.Since)
	if !strong || !older || models.ACROf(a.Methods) != models.ACRAAL2 {
		return effects
	}
	return append(effects, models.Effect{Kind: models.EffectLift}, record("freeze_lifted", of(event.Factor)))
}
