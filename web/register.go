package web

// RegisterPage makes a new account.
type RegisterPage struct {
	Layout
	Next                     string
	PasswordMin, PasswordMax int
}

func (RegisterPage) page() (name, title string) { return "register", "Create an account" }
