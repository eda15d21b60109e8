package models

import "time"

// RememberedDevice is a browser or an app that its owner asked not to be asked on: a
// password and its key open the second door there, at level 1, until EndsAt.
type RememberedDevice struct {
	ID         ID
	Key        BrowserKey
	SessionID  ID // the newest session in which it was remembered or recognised
	Client     Client
	CreatedAt  time.Time
	LastUsedAt time.Time
	EndsAt     time.Time // absolute: use doesn't move it
}

const (
	// MaxRemembered is how long a device may be remembered at the most: as long as NIST SP
	// 800-63B-4 section 2.1.3 would have a session of one factor (AAL1) last.
	MaxRemembered = 30 * 24 * time.Hour
	// RememberWithin is how young a session is that may have its device remembered: all
	// that it has passed was passed to sign in, nothing of it for a step-up.
	RememberWithin = 5 * time.Minute
)

// RememberPolicy is about remembered devices. They are off unless somebody decides
// otherwise: a site that promises two factors should not find sessions of one.
type RememberPolicy struct {
	Allowed bool `yaml:"allowed" json:"allowed"`
	// Lifetime is how long a device is remembered from the sign-in on that asked for it.
	Lifetime Duration `yaml:"lifetime" json:"lifetime"`
}

func (r RememberPolicy) strictest(s RememberPolicy) RememberPolicy {
	return RememberPolicy{Allowed: r.Allowed && s.Allowed, Lifetime: min(r.Lifetime, s.Lifetime)}
}

// Bears tells whether a session that has reached acr may go on under the policy: one
// that stands on a remembered device is over where there may be none.
func (p Policy) Bears(acr ACR) bool { return acr != ACRDevice || p.Remember.Allowed }

// NotRemembered is the refusal of a device that is not remembered, or no more: conflict,
// reason not_remembered. It is no failure of a factor, and raises no alarm.
func NotRemembered() error {
	return &Error{Code: CodeConflict, Reason: "not_remembered", Message: "this device is not remembered here, or no more: use another way"}
}
