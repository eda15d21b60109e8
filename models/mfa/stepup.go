package mfa

import (
	"slices"
	"time"

	"github.com/sallyport/sallyport/models"
)

// Yields is the context that a password with f gives: what a step-up must reach
// before f may be added, so that a weaker proof can't plant a stronger one.
func Yields(f models.Factor) models.ACR {
	if f == models.Face {
		return models.ACRMFA
	}
	return models.ACRAAL2
}

// Strongest is the best context that the account's own factors can give: what a
// step-up must reach before a factor is removed, recovery codes are replaced or
// the password is changed.
func Strongest(e models.Enrolled) models.ACR {
	if e.Passkeys > 0 || e.TOTP {
		return models.ACRAAL2
	}
	return models.ACRMFA
}

// Best is the best context that usable factors give beside the password; none without any.
func Best(usable []models.Factor) models.ACR {
	switch {
	case slices.Contains(usable, models.Passkey) || slices.Contains(usable, models.TOTP):
		return models.ACRAAL2
	case slices.Contains(usable, models.Face):
		return models.ACRMFA
	default:
		return models.ACRNone
	}
}

// wanted is the context that a purpose asks of an account.
func wanted(policy models.Policy, purpose models.Purpose, e models.Enrolled) models.ACR {
	want := Strongest(e)
	switch purpose {
	case models.AddPasskey, models.AddTOTP, models.AddDevice: // of a face alone, what the face itself can't vouch for
		want = models.ACRAAL2
	case models.AddFace, models.SecondFactor:
		want = models.ACRMFA
	default: // the best that the account can give
	}
	if rule := policy.StepUp.Rule(purpose); rule.ACR == models.ACRAAL2 {
		want = models.ACRAAL2
	}
	return want
}

// takesPassword tells whether the step-up asks for the password. The change of a
// password carries the current one itself, and a session on a remembered device has
// passed it: what it lacks is the factor.
func takesPassword(policy models.Policy, purpose models.Purpose) bool {
	return policy.StepUp.Rule(purpose).Password && purpose != models.ChangePassword && purpose != models.SecondFactor
}

// Proven is the context that the attempt has proven at a time for the act that its
// step-up is for: what was passed for the step-up itself, and before it as
// recently as the policy lets count. The password counts for as long as its
// session lives, unless the purpose asks for it afresh: then nothing counts
// without it.
func Proven(policy models.Policy, attempt models.Attempt, purpose models.Purpose, at time.Time) models.ACR {
	fresh := proofs(policy, attempt, purpose, at)
	if takesPassword(policy, purpose) && !hasPassword(fresh) {
		return models.ACRNone
	}
	return models.ACROf(withPassword(fresh, hasPassword(attempt.Methods)))
}

// StepUp refuses unless the attempt has a step-up for the purpose, whose proofs
// reach what it asks for at the time. The error is step_up_required with what is
// missing: whether the password, and which of the account's factors would do.
// Where neither is named, nothing that the account holds will do.
func StepUp(policy models.Policy, attempt models.Attempt, purpose models.Purpose, at time.Time) error {
	want := wanted(policy, purpose, attempt.Enrolled)
	if purpose == models.SecondFactor && models.ACROf(attempt.Methods).Meets(want) {
		return nil // the session itself has passed both: nothing is asked afresh
	}
	if Proven(policy, attempt, purpose, at).Meets(want) {
		return nil
	}
	fresh := proofs(policy, attempt, purpose, at)
	refusal := &models.Error{
		Code:     models.CodeStepUpRequired,
		Message:  "confirm it's you once more",
		Purpose:  purpose,
		Password: takesPassword(policy, purpose) && !hasPassword(fresh),
		MaxAge:   policy.StepUp.MaxAge.Std(),
		Factors:  []models.Factor{},
	}
	fresh = withPassword(fresh, refusal.Password || hasPassword(attempt.Methods))
	if refusal.Password && models.ACROf(fresh).Meets(want) {
		return refusal // nothing else is missing
	}
	for _, f := range attempt.Enrolled.List() {
		if f == models.Recovery || f == models.Device || !policy.Allows(f) {
			continue
		}
		// A passkey is assumed to verify its user: most do, and one that
		// doesn't is asked again with the password still counting.
		proof := append([]models.Method{{Factor: f, At: at, UV: true}}, fresh...)
		if models.ACROf(proof).Meets(want) {
			refusal.Factors = append(refusal.Factors, f)
		}
	}
	refusal.Password = refusal.Password && len(refusal.Factors) > 0
	return refusal
}

// proofs lists what counts for the attempt's step-up at a time.
func proofs(policy models.Policy, attempt models.Attempt, purpose models.Purpose, at time.Time) []models.Method {
	if attempt.StepUp == nil || !at.Before(attempt.StepUp.ExpiresAt) {
		return nil
	}
	recent := at.Add(-policy.StepUp.Rule(purpose).Recent.Std())
	fresh := slices.DeleteFunc(slices.Clone(attempt.Methods), func(m models.Method) bool { return !m.At.After(recent) })
	fresh = append(fresh, attempt.StepUp.Methods...)
	// An enrolment is judged by when it began: what was proven after that is for
	// something else.
	return slices.DeleteFunc(fresh, func(m models.Method) bool { return m.At.After(at) })
}

func hasPassword(methods []models.Method) bool {
	return slices.ContainsFunc(methods, func(m models.Method) bool { return m.Factor == models.Password })
}

// withPassword adds the password to what was proven, where it counts.
func withPassword(methods []models.Method, counts bool) []models.Method {
	if !counts {
		return methods
	}
	return append([]models.Method{{Factor: models.Password}}, methods...)
}

// Removable refuses to take the last factor, and the last way in that needs no
// camera: last_factor. Pages ask it before they offer to.
func Removable(e models.Enrolled, f models.Factor) error {
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
