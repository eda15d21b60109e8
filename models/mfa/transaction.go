package mfa

import (
	"time"

	"github.com/sallyport/sallyport/models"
)

// transactionOpened begins what the first browser that opens a transaction may do. Nothing
// is proven yet: whatever the app knows of the person is the app's business.
func transactionOpened(_ models.Policy, a *models.Attempt, _ models.Event, _ time.Time) ([]models.Effect, error) {
	a.Methods = []models.Method{}
	a.IdleEndsAt, a.EndsAt = a.Terms.EndsAt, a.Terms.EndsAt
	switch {
	case a.Enrolled.Any():
		a.State = models.TransactionFactorRequired
	case a.Terms.Enrols && !a.Established:
		a.State = models.TransactionEnrolmentRequired
	default: // gone since the app asked
		return nil, models.Refuse(models.CodeFactorRequired, "there is no second factor to confirm this with")
	}
	return []models.Effect{{Kind: models.EffectOpen}, record("transaction_opened", models.Event{})}, nil
}

// transactionFactorPassed ends in a result that lists this factor, and nothing that was
// passed elsewhere.
func transactionFactorPassed(_ models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	if err := takes(a, event); err != nil {
		return nil, err
	}
	pass(a, event, now)
	if !a.Terms.Met(a.Methods) {
		return nil, unverified()
	}
	a.State = models.TransactionPassed
	return []models.Effect{{Kind: models.EffectRotate}, reset(event.Factor), {Kind: models.EffectPassTransaction}, record("transaction_passed", event)}, nil
}

// transactionFirstEnrolled sets up the first factor of a subject that its app vouched for.
// Whoever does that has passed it, and nothing more.
func transactionFirstEnrolled(_ models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	if a.Established || a.Enrolled.Any() {
		// Another transaction was faster: what is vouched for is somebody without a factor.
		return nil, models.Refuse(models.CodeConflict, "there is a second factor by now: go back, and confirm with it")
	}
	effects, err := enrolsFor(a, event, now)
	if err != nil {
		return nil, err
	}
	a.State = models.TransactionPassed
	return append(effects, models.Effect{Kind: models.EffectEstablish}, models.Effect{Kind: models.EffectDropEnrolments}, record("transaction_passed", event)), nil
}

// transactionAnotherEnrolled adds to a first factor that was set up in this very
// transaction, such as a face, which is never the only one. Later ones add nothing: a thief
// of the app's session would plant a factor of his own by passing none.
func transactionAnotherEnrolled(_ models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	if !a.Terms.Enrolled {
		return nil, Refusal(a.State)
	}
	return enrolsFor(a, event, now)
}

func enrolsFor(a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	if err := takes(a, event); err != nil {
		return nil, err
	}
	if event.Factor == models.Face && !a.Enrolled.NonBiometric() {
		return nil, faceAlone()
	}
	pass(a, event, now)
	if !a.Terms.Met(a.Methods) {
		return nil, unverified()
	}
	return []models.Effect{
		{Kind: models.EffectRotate}, reset(event.Factor), {Kind: models.EffectPassTransaction, Enrolled: true}, record("factor_added", event),
	}, nil
}

// takes refuses a factor that the app didn't ask for. Recovery codes and remembered devices
// are never asked for.
func takes(a *models.Attempt, event models.Event) error {
	if !a.Terms.Takes(event.Factor) {
		return models.Refuse(models.CodeConflict, "this is confirmed in another way: choose one that the page offers")
	}
	return nil
}

func unverified() error {
	return models.Refuse(models.CodeFactorRejected, "your passkey did not check that it's you: unlock it with your fingerprint, face or PIN")
}
