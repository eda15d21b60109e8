package web

import "time"

// AccountPage shows who the account belongs to, and changes the password.
type AccountPage struct {
	Layout
	Email, Username, DisplayName string
	// EmailHeld says that the address is the account's, EmailVerified that it is proven. SecondEmail is the one beside it;
	// EmailAsked and SecondEmailAsked wait for their letters' links. "" for none.
	EmailHeld, EmailVerified                  bool
	SecondEmail, EmailAsked, SecondEmailAsked string
	CreatedAt                                 time.Time
	PasswordMin, PasswordMax                  int
	// DeletionDue is when the account will be erased; nil when it stays.
	// RecoverySince is when somebody asked to come back without a factor; nil for never.
	RecoverySince *time.Time
	DeletionDue   *time.Time
	// DeletionGraceDays is how long a deletion can be taken back; 0 for not at all.
	DeletionGraceDays int
	// FaceStatement says what signing in with a face does and does not protect against.
	FaceStatement string
}

func (AccountPage) page() (name, title string) { return "account", "Your account" }
