package web

// LoginPage asks for a password, or takes a passkey alone.
type LoginPage struct {
	Layout
	// Next is where the person was going: a path on this site that the server has already judged safe.
	Next string
	// Hint is who an app says that they are.
	Hint string
}

func (LoginPage) page() (name, title string) { return "login", "Sign in" }
