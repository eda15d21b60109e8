package web

import "time"

// AccountPage shows who the account belongs to, and changes the password.
type AccountPage struct {
	Layout
	Email, Username, DisplayName string
	CreatedAt                    time.Time
	PasswordMin, PasswordMax     int
	// FaceStatement says what signing in with a face does and does not protect against.
	FaceStatement string
}

func (AccountPage) page() (name, title string) { return "account", "Your account" }
