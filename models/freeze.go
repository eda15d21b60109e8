package models

import "time"

// FreezeFor is how long nothing can be added to an account after its owner denied
// a fact; FreezeOnce is how often that may happen: whoever reads somebody's mail
// must not hold them out with one letter after another.
const (
	FreezeFor  = 24 * time.Hour
	FreezeOnce = 7 * 24 * time.Hour
)

// Freeze is what "this wasn't me" did to an account. Times are zero where there
// is none.
type Freeze struct {
	BegunAt  time.Time
	Until    time.Time // nothing is added before
	LiftedAt time.Time // by a sign-in with an older factor
	// Since is when the fact happened that was denied, as long as the password is
	// distrusted: a passkey or authenticator app that is older lifts the freeze.
	Since time.Time
}

// Active tells whether nothing can be added at the time now.
func (f Freeze) Active(now time.Time) bool { return now.Before(f.Until) }

// Frozen is the refusal to add anything to an account that is frozen: conflict,
// reason frozen.
func Frozen() error {
	return &Error{
		Code: CodeConflict, Reason: "frozen",
		Message: "a change to this account was reported as not its owner's, so nothing can be added for a day: signing in with an older passkey or authenticator app lifts this",
	}
}

// Denial is what comes of saying that a fact was not one's own.
type Denial string

// What a denial does.
const (
	// DenialSettled does nothing: since the fact the owner has signed in with a
	// factor older than a fact that was denied, and all before that is settled.
	DenialSettled Denial = "settled"
	// DenialSetAside quarantines what the fact added, and ends the sessions if
	// that was anything. It is all that follows within FreezeOnce of a freeze.
	DenialSetAside Denial = "set_aside"
	// DenialFrozen ends all sessions, quarantines what was added since the fact,
	// and freezes.
	DenialFrozen Denial = "frozen"
)

// Deny tells what denying a fact of the time at does.
func (f Freeze) Deny(at, now time.Time) Denial {
	switch {
	case !at.After(f.LiftedAt):
		return DenialSettled
	case now.Before(f.BegunAt.Add(FreezeOnce)):
		return DenialSetAside
	default:
		return DenialFrozen
	}
}
