package web

// ForgotPage asks for the address that a link for a new password goes to.
type ForgotPage struct {
	Layout
}

func (ForgotPage) page() (name, title string) { return "forgot", "Forgot your password?" }

// ResetLinkPage asks once more before a letter's link is used up.
type ResetLinkPage struct {
	Layout
}

func (ResetLinkPage) page() (name, title string) { return "reset-link", "A new password" }

// ResetPage takes a new password after the second step.
type ResetPage struct {
	Layout
	PasswordMin, PasswordMax int
	// CanKeep says that a factor was passed, so that others can be set up anew instead.
	CanKeep bool
}

func (ResetPage) page() (name, title string) { return "reset", "Choose a new password" }
