package face

// ConsentVersion names ConsentText. Change both together: people who accepted
// an older text are asked again when they next enrol.
const ConsentVersion = "2026-11"

// ConsentText is what a person accepts before the camera opens.
var ConsentText = []string{
	"We take three pictures with your camera and turn each into 128 numbers that describe your face. We keep the numbers, sealed, and never the pictures.",
	"When you sign in we take new pictures, compare their numbers with yours, and throw them away. We compare with nobody else’s, and look nobody up.",
	"The numbers serve to sign you in here and nothing else. They go to nobody.",
	"You can erase them at any time on your security page. They are gone at once, and other ways to sign in stay yours.",
	"You don’t have to: a passkey or an authenticator app does the same, and better.",
}

// Statement is what matching a face can't do until liveness is checked. The
// start-up log, the account page and the README say it.
const Statement = "Your face stops a stranger, not a photograph of you: we do not check yet that a living person sits at the camera. A passkey protects you better."
