package web

// VerifyPage is the second door.
type VerifyPage struct {
	Layout
	// Factors the person can use now, last used first: "passkey", "totp", "face", "recovery".
	Factors []string
	// FaceAvailable is false while the face engine is out of order; FaceReason then says why, in a sentence, when the
	// person could otherwise have used it.
	FaceAvailable bool
	FaceReason    string
	Next          string
}

func (VerifyPage) page() (name, title string) { return "verify", "Confirm it’s you" }
