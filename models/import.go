package models

// ImportedUser is an account that is brought along from another system.
type ImportedUser struct {
	NewUser           // PasswordHash as the other system made it
	ExternalID string // what the account is called there; may be empty
	Language   string // one of Languages
	TOTPSecret []byte // of its authenticator app; nil without one
}

// ImportKind is what came of one account of an import.
type ImportKind string

// What can come of it. Nothing that exists is ever changed.
const (
	ImportCreated   ImportKind = "created"
	ImportUnchanged ImportKind = "unchanged" // it was imported before
	ImportConflict  ImportKind = "conflicting"
)

// ImportOutcome says what came of one account.
type ImportOutcome struct {
	Kind  ImportKind
	Field string // with ImportConflict: what belongs to another account
}
