package web

import (
	"slices"
	"time"
)

// SecurityPage adds, renames and removes second factors. It serves three states: enrolment_required (choose the
// first one), recovering (replace what was lost, then sign in anew) and authenticated.
type SecurityPage struct {
	Layout
	Passkeys []Passkey
	// TOTPSince is nil without an authenticator app, and where it is off.
	TOTPSince *time.Time
	// TOTPSetAside says that the app opens nothing: it was reported as not its owner's.
	TOTPSetAside bool
	// FrozenUntil is until when nothing can be added; nil while anything can.
	FrozenUntil                 *time.Time
	Face                        FaceState
	RecoveryTotal, RecoveryLeft int
	// Off are the factors that failed too often in a row, "passkey", "totp" or "recovery": each is to be set up anew. The
	// face says so of itself.
	Off []string
	// Needed are the factors that can't be removed: without one of them nothing, or only a camera, would be left.
	Needed []string
	// Unproven is the address that has to be proven before anything is added, "" for none.
	Unproven string
	Next     string
}

// IsNeeded says whether a factor has to stay.
func (p SecurityPage) IsNeeded(kind string) bool { return slices.Contains(p.Needed, kind) }

// IsOff says whether a factor was switched off.
func (p SecurityPage) IsOff(kind string) bool { return slices.Contains(p.Off, kind) }

// Passkey is one registered passkey.
type Passkey struct {
	ID, Name   string
	CreatedAt  time.Time
	LastUsedAt *time.Time
	// Synced says that the passkey's maker keeps a copy, so that losing the device does not lose it.
	Synced bool
	// SetAside says that it opens nothing: it was reported as not its owner's.
	SetAside bool
}

// FaceState is what the page says about signing in with a face.
type FaceState struct {
	Enrolled bool
	Since    *time.Time
	// Available is false while the face engine is out of order; Reason then says why in a sentence.
	Available bool
	Reason    string
	// Disabled after too many failures in a row, Outdated when an older net measured it: to be enrolled anew.
	Disabled, Outdated bool
	// SetAside says that it was reported as not its owner's; Disabled is set with it.
	SetAside bool
	// Sittings are when templates were taken, oldest first.
	Sittings []time.Time
	// ConsentVersion, ConsentText and CohortText (paragraphs) are what the person agrees to before the camera opens;
	// CohortText is of a separate opt-in. AskAgain says that the text has changed since they did.
	ConsentVersion          string
	ConsentText, CohortText []string
	AskAgain, InCohort      bool
	// Devices are the browsers that sign the camera's pictures.
	Devices []Device
}

// Device is a browser that holds a key.
type Device struct {
	ID, Name              string
	CreatedAt, LastUsedAt time.Time
}

func (SecurityPage) page() (name, title string) { return "security", "Security" }

// PasskeysOn says whether a passkey opens the account: they are not off, and not all of them are set aside.
func (p SecurityPage) PasskeysOn() bool {
	return !p.IsOff("passkey") && slices.ContainsFunc(p.Passkeys, func(k Passkey) bool { return !k.SetAside })
}

// CanEnrolFace says whether another way in exists already: a face is never the only one.
func (p SecurityPage) CanEnrolFace() bool {
	return p.PasskeysOn() || p.TOTPSince != nil && !p.TOTPSetAside || p.RecoveryLeft > 0 && !p.IsOff("recovery")
}
