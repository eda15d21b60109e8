package web

// NotMePage asks once more before "this wasn't me" is taken for an answer.
type NotMePage struct {
	Layout
}

func (NotMePage) page() (name, title string) { return "not-me", "This wasn’t me" }

// ConfirmEmailPage asks for the password of a registration, to make the account.
type ConfirmEmailPage struct {
	Layout
	PasswordMax int
}

func (ConfirmEmailPage) page() (name, title string) { return "confirm-email", "Confirm your address" }

// ProveEmailPage asks once more before a letter's link is used up that proves an
// address of an account.
type ProveEmailPage struct {
	Layout
	// Kind of the link: verify-email, change-email or second-email.
	Kind string
}

func (ProveEmailPage) page() (name, title string) { return "prove-email", "Confirm your address" }

// UndoEmailPage asks once more before a change of address is taken back.
type UndoEmailPage struct {
	Layout
}

func (UndoEmailPage) page() (name, title string) { return "undo-email", "Keep the old address" }
