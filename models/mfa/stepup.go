package mfa

import (
	"time"

	"github.com/sallyport/sallyport/models"
)

// Yields is the context that a password with f gives: what a fresh step-up must
// reach before f may be added, so that a weaker proof can't plant a stronger one.
func Yields(f models.Factor) models.ACR {
	if f == models.Face {
		return models.ACRMFA
	}
	return models.ACRAAL2
}

// Strongest is the best context that the account's own factors can give: what
// a fresh step-up must reach before a factor is removed, recovery codes are
// replaced or the password is changed.
func Strongest(e models.Enrolled) models.ACR {
	if e.Passkeys > 0 || e.TOTP {
		return models.ACRAAL2
	}
	return models.ACRMFA
}

// StepUp refuses unless the attempt's second factor was passed within the
// policy's max_age before at and reaches want. The password counts for as long
// as its session lives. The error is step_up_required with the factors of the
// account that would do.
func StepUp(policy models.Policy, attempt models.Attempt, want models.ACR, at time.Time) error {
	oldest := at.Add(-policy.StepUp.MaxAge.Std())
	if freshACR(attempt.Methods, oldest).Meets(want) {
		return nil
	}
	refusal := &models.Error{
		Code:    models.CodeStepUpRequired,
		Message: "confirm it's you once more",
		MaxAge:  policy.StepUp.MaxAge.Std(),
		Factors: []models.Factor{},
	}
	for _, f := range attempt.Enrolled.List() {
		if f == models.Recovery || !policy.Allows(f) {
			continue
		}
		// A passkey is assumed to verify its user: most do, and one that
		// doesn't is asked again with the password still counting.
		proof := append([]models.Method{{Factor: f, At: at, UV: true}}, attempt.Methods...)
		if freshACR(proof, oldest).Meets(want) {
			refusal.Factors = append(refusal.Factors, f)
		}
	}
	return refusal
}

// freshACR adds up the password and what was passed since oldest.
func freshACR(methods []models.Method, oldest time.Time) models.ACR {
	var fresh []models.Method
	for _, m := range methods {
		if m.Factor == models.Password || !m.At.Before(oldest) {
			fresh = append(fresh, m)
		}
	}
	return models.ACROf(fresh)
}

// removable refuses to take the last factor, and the last way in that needs no
// camera.
func removable(e models.Enrolled, f models.Factor) error {
	switch f {
	case models.Passkey:
		e.Passkeys--
	case models.TOTP:
		e.TOTP = false
	case models.Face:
		e.Face = false
	default: // codes are replaced, never removed
	}
	if !e.Any() {
		return models.Refuse(models.CodeLastFactor, "this is your last second factor: add another before you remove it")
	}
	if !e.NonBiometric() {
		return models.Refuse(models.CodeLastFactor, "only your face would be left: save recovery codes or add another factor before you remove this one")
	}
	return nil
}
