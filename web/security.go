package web

import "time"

// SecurityPage adds, renames and removes second factors. It serves three states: enrolment_required (choose the
// first one), recovering (replace what was lost, then sign in anew) and authenticated.
type SecurityPage struct {
	Layout
	Passkeys []Passkey
	// TOTPSince is nil without an authenticator app.
	TOTPSince                   *time.Time
	Face                        FaceState
	RecoveryTotal, RecoveryLeft int
	Next                        string
}

// Passkey is one registered passkey.
type Passkey struct {
	ID, Name   string
	CreatedAt  time.Time
	LastUsedAt *time.Time
	// Synced says that the passkey's maker keeps a copy, so that losing the device does not lose it.
	Synced bool
}

// FaceState is what the page says about signing in with a face.
type FaceState struct {
	Enrolled bool
	Since    *time.Time
	// Available is false while the face engine is out of order; Reason then says why in a sentence.
	Available bool
	Reason    string
	// ConsentVersion and ConsentText (paragraphs) are what the person agrees to before the camera opens.
	ConsentVersion string
	ConsentText    []string
}

func (SecurityPage) page() (name, title string) { return "security", "Security" }

// CanEnrolFace says whether another way in exists already: a face is never the only one.
func (p SecurityPage) CanEnrolFace() bool {
	return len(p.Passkeys) > 0 || p.TOTPSince != nil || p.RecoveryLeft > 0
}
