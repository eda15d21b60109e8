package models

import "time"

// AuditEvent is a row of the audit log, as its account sees it.
type AuditEvent struct {
	ID        ID
	At        time.Time
	UserID    ID // "" for nobody, or where it is clear
	SessionID ID // "" where no session did it
	Fact      string
	Detail    map[string]any
	Client    Client
}

// Dossier is what is kept about an account beside its factors, sessions and events:
// for its export.
type Dossier struct {
	Language          string
	ImportedAt        *time.Time
	ExternalID        string // what the account was called where it came from, or ""
	PasswordChangedAt *time.Time
	Freeze            Freeze
	DeletionDueAt     *time.Time
	KnownDevices      []SeenDevice
	Failures          []FactorFailures
	Letters           []Letter
	Messages          []ChatMessage
}

// SeenDevice is a browser or an app that brought the account to level 2 before.
type SeenDevice struct {
	ID         ID
	UserAgent  string
	CreatedAt  time.Time
	LastUsedAt time.Time
}

// FactorFailures are the failures in a row of one factor.
type FactorFailures struct {
	Factor     Factor
	Failures   int
	DisabledAt *time.Time
}

// Letter is a notice as it is remembered.
type Letter struct {
	Kind      NoticeKind
	Address   string
	CreatedAt time.Time
	SentAt    *time.Time
}
