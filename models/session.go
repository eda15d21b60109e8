package models

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"
)

// State is where a sign-in stands.
type State string

// The states. Anonymous has no session row.
const (
	Anonymous            State = "anonymous"
	SecondFactorRequired State = "second_factor_required"
	EnrolmentRequired    State = "enrolment_required"
	Recovering           State = "recovering"
	Resetting            State = "resetting" // may choose a new password, and nothing else
	Authenticated        State = "authenticated"
	// A session of a transaction is in one of these, and in no other.
	TransactionFactorRequired    State = "transaction_factor_required"
	TransactionEnrolmentRequired State = "transaction_enrolment_required"
	TransactionPassed            State = "transaction_passed"
)

// Transport is how a session's token travels. It is fixed when the session is
// opened.
type Transport string

// The transports.
const (
	Cookie Transport = "cookie"
	Bearer Transport = "bearer"
	// ByApp is for a device that signed in by a code (RFC 8628): the session has no token,
	// its app's tokens hang on it.
	ByApp Transport = "app"
	// InTransaction is the cookie of one transaction.
	InTransaction Transport = "transaction"
)

// TokenHash is the SHA-256 of a session token: all that is stored of it.
type TokenHash [sha256.Size]byte

// ParseTokenHash reads a hash in hexadecimal.
func ParseTokenHash(text string) (TokenHash, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(TokenHash{}) {
		return TokenHash{}, errors.New("is no SHA-256 in hexadecimal")
	}
	return TokenHash(b), nil
}

// HashToken hashes a token as it came in a request.
func HashToken(token string) TokenHash { return sha256.Sum256([]byte(token)) }

// Client is what a request tells of the machine it came from.
type Client struct {
	IP        string
	UserAgent string
}

// Session is one sign-in of one person on one device.
type Session struct {
	ID            ID // stable: what lists, challenges and sockets refer to
	TokenHash     TokenHash
	User          User
	State         State
	Methods       []Method
	PolicyVersion string
	Transport     Transport
	Client        Client
	App           string // by name, where an app on a device alone uses it
	CreatedAt     time.Time
	LastSeenAt    time.Time
	IdleEndsAt    time.Time // moves with use
	EndsAt        time.Time // absolute
	Transaction   ID        // that it is for; "" for a session of an account
	// Act is what the request at hand does and has to have asked for; not stored.
	Act Act
}

// ACR is derived from the methods; a session has no level of its own.
func (s Session) ACR() ACR { return ACROf(s.Methods) }

// ProvenAt is when the newest of its methods was passed.
func (s Session) ProvenAt() time.Time {
	at := s.CreatedAt
	for _, m := range s.Methods {
		if m.At.After(at) {
			at = m.At
		}
	}
	return at
}

// ExpiresAt is the earlier of the idle and the absolute end.
func (s Session) ExpiresAt() time.Time {
	if s.IdleEndsAt.Before(s.EndsAt) {
		return s.IdleEndsAt
	}
	return s.EndsAt
}

// Ref names the session and the token that a request came with. A transition
// needs both to match, so of two requests with one token only the first moves
// the session.
type Ref struct {
	ID        ID
	UserID    ID
	TokenHash TokenHash
	Act       Act // uses up the step-up that was asked for it; zero for what needs none
	For       ID  // the step-up that a proof is given for; zero for none
}

// Ref names s for a transition.
func (s Session) Ref() Ref {
	return Ref{ID: s.ID, UserID: s.User.ID, TokenHash: s.TokenHash, Act: s.Act}
}

// Proving names s for a proof that is given for a step-up, or for none with "".
func (s Session) Proving(stepUp ID) Ref {
	ref := s.Ref()
	ref.For = stepUp
	return ref
}
