package models

import "time"

// User is an account.
type User struct {
	ID            ID
	Email         string
	EmailVerified bool
	// EmailHeld says that the address is the account's: it signs in by it and is written
	// to there. Another account may have proven it since.
	EmailHeld   bool
	Username    string
	DisplayName string
	// Handle is the WebAuthn user handle: 64 random bytes, one per user, which
	// say nothing of who that is (WebAuthn Level 3 section 14.6.1).
	Handle []byte
	// MFAEstablishedAt is when the account first had a second factor. Set
	// once, never cleared: an account that lost its factors goes through
	// recovery, never back to "a password alone may enrol".
	MFAEstablishedAt *time.Time
	Admin            bool     // may help others: see server/admin
	Groups           []string // sorted; what they may do is said by apps and policy
	CreatedAt        time.Time
	// AppID and Subject say whose user this is where it is no account of ours: one that an
	// app keeps, which asks for second factors alone. It has no address, name or password.
	AppID   string
	Subject string
}

// Label is what authenticators call the user.
func (u User) Label() string {
	if u.AppID != "" {
		return u.DisplayName
	}
	return u.Email
}

// Credentials is a user with what a password is checked against.
type Credentials struct {
	User
	PasswordHash string // PHC string
}

// NewUser is what registration makes an account from. The canonical forms are
// what must be unique.
type NewUser struct {
	User
	EmailCanonical    string
	UsernameCanonical string
	PasswordHash      string
	Language          string // one of Languages: what the account's letters are written in
}
