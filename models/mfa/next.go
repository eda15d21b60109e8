// Package mfa is the state machine of a sign-in. It is pure: no context, no
// store, no clock, no randomness. Next takes what is known and what happened,
// and gives back where the attempt stands and what must be done, as data. The
// store runs it under the user row's lock and does the effects in the same
// transaction.
package mfa

import (
	"time"

	"github.com/sallyport/sallyport/models"
)

// Next moves an attempt by one event. policy must already be the one that
// binds this attempt (models.Policy.Strictest of the one it began with and the
// one in force). On an error the attempt is unchanged and nothing may be done.
//
// Errors are *models.Error: session_required (the attempt is over),
// second_factor_required, enrolment_required, recovering, step_up_required,
// factor_rejected, last_factor, conflict, email_unverified.
func Next(policy models.Policy, attempt models.Attempt, event models.Event, now time.Time) (models.Attempt, []models.Effect, error) {
	if attempt.State != models.Anonymous && !now.Before(earlier(attempt.IdleEndsAt, attempt.EndsAt)) {
		return attempt, nil, models.Refuse(models.CodeSessionRequired, "this sign-in has expired: start again")
	}
	if attempt.State == models.Authenticated && !policy.Bears(models.ACROf(attempt.Methods)) {
		return attempt, nil, models.Refuse(models.CodeSessionRequired, "a remembered device is not enough here any more: sign in again")
	}
	if attempt.State == models.Anonymous && attempt.Subject != (event.Kind == models.TransactionOpened) {
		return attempt, nil, models.Refuse(models.CodeInvalidCredentials, "nobody signs in here by this")
	}
	if counts(event) && !policy.Allows(event.Factor) {
		return attempt, nil, models.Refuse(models.CodeConflict, "this way to confirm it's you is switched off here: choose another")
	}
	if event.Kind == models.FactorPassed && attempt.State != models.EnrolmentRequired && !attempt.Enrolled.Has(event.Factor) {
		if event.Factor == models.Device {
			return attempt, nil, models.NotRemembered()
		}
		// Removed by another session between the check and this lock.
		return attempt, nil, models.Refuse(models.CodeFactorRejected, "this account has no such factor")
	}
	step, ok := transitions[key{attempt.State, event.Kind}]
	if !ok {
		return attempt, nil, Refusal(attempt.State)
	}
	if shutByFreeze(event) {
		if err := refuseFrozen(&attempt, now); err != nil {
			return attempt, nil, err
		}
	}
	if adds(event) {
		if err := RefuseUnproven(attempt); err != nil {
			return attempt, nil, err
		}
	}
	// The step gets its own copy of the methods: a refused step must leave
	// the caller's as they were.
	moved := attempt
	moved.Methods = append([]models.Method(nil), attempt.Methods...)
	effects, err := step(policy, &moved, event, now)
	if err != nil {
		return attempt, nil, err
	}
	return moved, effects, nil
}

// counts tells whether the event makes a factor count, so that a policy that
// doesn't allow the factor refuses it. Removing one is always possible.
func counts(event models.Event) bool {
	return event.Kind == models.FactorPassed || event.Kind == models.FactorEnrolled
}

// adds tells whether the event gives the account another way in.
func adds(event models.Event) bool {
	return event.Kind == models.FactorEnrolled || event.Kind == models.CodesIssued ||
		event.Kind == models.DeviceAdded || event.Kind == models.DeviceRemembered
}

// Refusal is the answer to whatever a state does not allow.
func Refusal(state models.State) error {
	switch state {
	case models.SecondFactorRequired:
		return models.Refuse(models.CodeSecondFactorRequired, "confirm it's you with a second factor first")
	case models.EnrolmentRequired:
		return models.Refuse(models.CodeEnrolmentRequired, "set up a second factor first")
	case models.Recovering:
		return models.Refuse(models.CodeRecovering, "you came back to set up a factor: do that, then sign in anew")
	case models.Resetting:
		return models.Refuse(models.CodeResetting, "choose a new password first, then sign in with it")
	case models.TransactionFactorRequired, models.TransactionEnrolmentRequired, models.TransactionPassed:
		return models.Refuse(models.CodeInTransaction, "this page confirms something for an app, and does nothing else")
	case models.Authenticated:
		return models.Refuse(models.CodeConflict, "you are signed in already")
	default:
		return models.Refuse(models.CodeSessionRequired, "sign in first")
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
