package models

import (
	"encoding/json"
	"time"
)

// PasskeyRecord is a stored passkey: the columns that are asked about, and the
// whole credential as the passkey code wrote it.
type PasskeyRecord struct {
	ID             ID
	UserID         ID
	CredentialID   []byte
	Name           string
	SignCount      uint32
	CloneWarning   bool
	BackupEligible bool
	BackupState    bool
	AAGUID         []byte
	Credential     json.RawMessage
	CreatedAt      time.Time
	LastUsedAt     *time.Time
	QuarantinedAt  *time.Time // set aside: it opens nothing, and its owner may remove it
}

// Challenge is something a client must answer once. It belongs to a session,
// or to a pre-session cookie by the hash of it.
type Challenge struct {
	ID        ID
	Purpose   string
	SessionID ID        // zero before there is a session
	UserID    ID        // zero before there is a session
	Binding   TokenHash // of the pre-session token; zero with a session
	StepUp    ID        // the step-up that its answer is a proof for; zero for none
	Data      json.RawMessage
	Capture   []byte // what a camera gave to a face challenge; sealed in the store and open here
	CreatedAt time.Time
	ExpiresAt time.Time
}

// TOTPSecret is the secret of an authenticator app. It is sealed in the store
// and open here.
type TOTPSecret struct {
	ID         ID
	UserID     ID
	Secret     []byte
	LastStep   int64 // the newest time step (RFC 6238) a code was accepted for
	CreatedAt  time.Time
	ExpiresAt  time.Time // of an enrolment that is not confirmed; else zero
	LastUsedAt *time.Time
	// QuarantinedAt is when it was set aside: it opens nothing then.
	QuarantinedAt *time.Time
}

// RecoveryCode is one saved recovery code.
type RecoveryCode struct {
	ID        ID
	Row       int    // 1 to 99: the number printed before the code
	Hash      string // PHC string
	CreatedAt time.Time
	UsedAt    *time.Time
}

// Reissue is a new recovery code, by its hash, in the row of one that was used.
type Reissue struct {
	Used ID
	ID   ID
	Hash string // PHC string
}

// ChatMessage is a line in the demo's room.
type ChatMessage struct {
	ID          ID
	UserID      ID
	Username    string
	DisplayName string
	Body        string
	At          time.Time
}
