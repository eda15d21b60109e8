package mfa

import (
	"time"

	"github.com/sallyport/sallyport/models"
)

// factorsLost lets somebody who came by a letter's link and one factor set up
// another instead of choosing a password. A mailbox alone never does: ASVS 6.4.4 asks
// for as much proof as at enrolment.
func factorsLost(policy models.Policy, a *models.Attempt, _ models.Event, now time.Time) ([]models.Effect, error) {
	if models.ACROf(a.Methods) != models.ACRRecovery {
		return nil, &models.Error{Code: models.CodeConflict, Reason: "no_factor", Message: "this account never had a second factor: choose a password and sign in"}
	}
	recovering(policy, a, now)
	return []models.Effect{{Kind: models.EffectRotate}, record("recovery_entered", of(models.Mail))}, nil
}

// MayWait tells whether a waiting recovery may begin: the policy lets it, none is under
// way, and nobody was in the account lately who shouldn't have been.
func MayWait(policy models.Policy, a models.Attempt, now time.Time) error {
	switch {
	case !policy.Recovery.Waiting:
		return &models.Error{Code: models.CodeConflict, Reason: "recovery_off", Message: "this site lets nobody in without a second factor: ask whoever runs it"}
	case a.WayBack != nil:
		return &models.Error{Code: models.CodeConflict, Reason: "recovery_begun", Message: "a way back is under way: wait for its letter"}
	default:
		return refuseFrozen(&a, now)
	}
}

// recoveryAsked has a letter sent by whose link the waiting begins. The session proved
// the password, or one of two addresses: the letter goes to the other proof.
func recoveryAsked(policy models.Policy, a *models.Attempt, _ models.Event, now time.Time) ([]models.Effect, error) {
	if err := MayWait(policy, *a, now); err != nil {
		return nil, err
	}
	byMail := models.ByMail(a.Methods)
	if byMail && !a.SecondAddress {
		return nil, noOtherProof()
	}
	effect := record("recovery_asked", models.Event{})
	effect.Second = byMail
	return []models.Effect{effect}, nil
}

// noOtherProof refuses a session that a letter opened: a link in another letter to the
// same address would prove nothing more.
func noOtherProof() error {
	return &models.Error{Code: models.CodeConflict, Reason: "no_second_address", Message: "a letter opened this sign-in, and there is no second address to write to: type your password first"}
}

// recoveryWaited ends the waiting: what was lost may be set up anew.
func recoveryWaited(policy models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	switch {
	case a.WayBack == nil || a.WayBack.Kind != models.WaitingRecovery || !policy.Recovery.Waiting:
		return nil, models.Refuse(models.CodeChallengeExpired, "this way back was stopped, or used already")
	case now.Before(a.WayBack.OverAt(policy.Recovery)):
		return nil, &models.Error{Code: models.CodeConflict, Reason: "waiting", Message: "the waiting isn't over yet: a letter comes when it is"}
	}
	if models.ByMail(a.Methods) && !a.WayBack.ByMail {
		return nil, noOtherProof()
	}
	event.Factor = models.Waited
	pass(a, event, now)
	recovering(policy, a, now)
	return []models.Effect{{Kind: models.EffectRotate}, {Kind: models.EffectStopRecovery}, record("recovery_entered", of(models.Waited))}, nil
}

// recoveryVouched opens a session for somebody whom two admins vouched for.
func recoveryVouched(policy models.Policy, a *models.Attempt, _ models.Event, now time.Time) ([]models.Effect, error) {
	if a.WayBack == nil || a.WayBack.Kind != models.AssistedRecovery || a.WayBack.ReadyAt.IsZero() {
		return nil, models.Refuse(models.CodeChallengeExpired, "this way back was stopped, or used already")
	}
	a.Methods = []models.Method{{Factor: models.Mail, At: now}, {Factor: models.Vouched, At: now}}
	recovering(policy, a, now)
	return []models.Effect{{Kind: models.EffectOpen}, {Kind: models.EffectStopRecovery}, record("recovery_entered", of(models.Vouched))}, nil
}

// stop adds the end of a way back to the effects, where one is under way.
func stop(a *models.Attempt, effects ...models.Effect) []models.Effect {
	if a.WayBack == nil {
		return effects
	}
	return append(effects, models.Effect{Kind: models.EffectStopRecovery}, record("recovery_stopped", models.Event{}))
}
