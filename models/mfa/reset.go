package mfa

import (
	"time"

	"github.com/sallyport/sallyport/models"
)

// linkFollowed opens a session by a letter's link for a new password. The mailbox
// stands for the password that is forgotten, and never for a second factor: an account
// that has had one proves one (ASVS 6.4.3). What comes of it may choose a password and
// nothing else, whatever else it proves.
func linkFollowed(policy models.Policy, a *models.Attempt, _ models.Event, now time.Time) ([]models.Effect, error) {
	a.Methods = []models.Method{{Factor: models.Mail, At: now}}
	a.State = models.SecondFactorRequired
	if !a.Established {
		a.State = models.Resetting
	}
	live(a, now, policy.Timeouts.SecondFactor, policy.Timeouts.SecondFactor)
	return []models.Effect{{Kind: models.EffectOpen}, record("password_reset_begun", of(models.Mail))}, nil
}

// resetFactorPassed is the second factor of a reset. A face is none here: with a
// mailbox, which is no physical authenticator, it would be the whole proof (NIST SP
// 800-63B-4 section 3.2.3). A remembered device is none anywhere.
func resetFactorPassed(policy models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	switch event.Factor {
	case models.Face:
		return nil, models.Refuse(models.CodeConflict, "a face is not enough for a new password: use another way")
	case models.Device:
		return nil, models.Refuse(models.CodeConflict, "a remembered device is not enough for a new password: use another way")
	default: // a factor, or a recovery code
	}
	pass(a, event, now)
	a.State = models.Resetting
	live(a, now, policy.Timeouts.SecondFactor, policy.Timeouts.SecondFactor)
	effects := []models.Effect{{Kind: models.EffectRotate}, reset(event.Factor)}
	if event.Factor == models.Recovery {
		return owned(a, event, append(effects, codeUsed(a, now)...)...), nil
	}
	return owned(a, event, append(effects, record("factor_passed", event))...), nil
}

// passwordReset ends in signing in anew: everybody is signed out, this session too.
func passwordReset(_ models.Policy, a *models.Attempt, _ models.Event, _ time.Time) ([]models.Effect, error) {
	return stop(a,
		reset(models.Password), record("password_changed", of(models.Password)),
		models.Effect{Kind: models.EffectDropEnrolments}, models.Effect{Kind: models.EffectEndAll},
	), nil
}
