package web

import (
	"slices"
	"time"
)

// VerifyPage is the second door.
type VerifyPage struct {
	Layout
	// Factors of the account that count, last used first: "passkey", "totp", "face", "recovery".
	Factors []string
	// FaceAvailable is false while the face engine is out of order; FaceReason then says why in a sentence.
	FaceAvailable bool
	FaceReason    string
	// Off says that one of the account's factors was switched off after too many failures in a row.
	Off bool
	// ByMail says that a letter's link stands in the place of the password.
	ByMail bool
	// Waiting says that people may come back by waiting, for WaitHours; UnderWay that a way back has begun, which is over at
	// OverAt where it is one by waiting.
	Waiting   bool
	WaitHours int
	UnderWay  bool
	OverAt    *time.Time
	// RememberFor is how long this device can be remembered, in words; "" where it can't. Subject stands for the account then.
	RememberFor, Subject string
	Next                 string
}

func (VerifyPage) page() (name, title string) { return "verify", "Confirm it’s you" }

// Usable are the factors that work now.
func (p VerifyPage) Usable() []string {
	return slices.DeleteFunc(slices.Clone(p.Factors), func(kind string) bool { return kind == "face" && !p.FaceAvailable })
}

// FaceTrouble is why a person who enrolled their face can't use it now, or "".
func (p VerifyPage) FaceTrouble() string {
	if p.FaceAvailable || !slices.Contains(p.Factors, "face") {
		return ""
	}
	if p.FaceReason == "" {
		return "Signing in with your face isn’t available right now."
	}
	return p.FaceReason
}
