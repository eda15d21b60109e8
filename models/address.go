package models

import "time"

const (
	// ConfirmWithin is how long a registration waits for its address to be proven.
	ConfirmWithin = 24 * time.Hour
	// UndoWithin is how long a change of address can be taken back by the old one,
	// which nobody else may have for as long.
	UndoWithin = 7 * 24 * time.Hour
)

// Claim is an account's word that an address is its own, until a link that is sent
// there proves it.
type Claim struct {
	Kind      LinkKind // of that link
	Email     string
	Canonical string
}

// Addresses are those that an account has or asked for beside its own.
type Addresses struct {
	Second  string  // proven; "" without one
	Waiting []Claim // whose links were not followed yet
	Former  []FormerAddress
}

// Waits is the address that a link of the kind was sent to, "" for none.
func (a Addresses) Waits(kind LinkKind) string {
	for _, claim := range a.Waiting {
		if claim.Kind == kind {
			return claim.Email
		}
	}
	return ""
}

// FormerAddress is one that the account had until it was changed. It is kept for as
// long as a letter to it may say that this wasn't its owner.
type FormerAddress struct {
	Email     string
	ChangedAt time.Time
}

// EmailUnverified is the refusal to add anything to an account that never had a
// factor, and whose address isn't proven: whoever knows its password could be
// anybody.
func EmailUnverified() error {
	return Refuse(CodeEmailUnverified, "confirm your email address first: we write to you with a link")
}
