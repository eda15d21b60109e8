package models

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// TransactionWithin is how long a transaction takes at most. A person who has just typed a
// password elsewhere is there; whoever finds the tab open after lunch may be another.
const TransactionWithin = 10 * time.Minute

// TransactionCodeWithin is how long a code of a transaction works: it goes through a
// browser, straight to the app's server.
const TransactionCodeWithin = time.Minute

// MaxWrongCodes end a transaction: an app knows its codes.
const MaxWrongCodes = 5

// Transaction is a second factor that an app asks for which keeps its users and passwords
// itself.
type Transaction struct {
	ID        ID
	App       App
	User      User // the app's subject
	Asked     Asked
	Status    TransactionStatus
	OpenedAt  *time.Time // by the one browser that it belongs to
	Methods   []Method   // what was passed in it
	Enrolled  bool       // by factors that were set up in it
	PassedAt  *time.Time
	CreatedAt time.Time
	ExpiresAt time.Time
}

// TransactionStatus is where a transaction stands.
type TransactionStatus string

// The statuses. Expired is never stored.
const (
	TransactionPending  TransactionStatus = "pending"
	TransactionDone     TransactionStatus = "passed"
	TransactionRedeemed TransactionStatus = "redeemed" // the app has its result
	TransactionDenied   TransactionStatus = "denied"
	TransactionFailed   TransactionStatus = "failed" // too many wrong codes
	TransactionExpired  TransactionStatus = "expired"
)

// StatusAt is where the transaction stands at a time.
func (t Transaction) StatusAt(now time.Time) TransactionStatus {
	if t.Live() && !now.Before(t.ExpiresAt) {
		return TransactionExpired
	}
	return t.Status
}

// Live tells whether something can still come of it, but for its time.
func (t Transaction) Live() bool {
	return t.Status == TransactionPending || t.Status == TransactionDone
}

// Allowed tells whether the app may still ask for it: its settings may have changed.
func (t Transaction) Allowed() bool {
	settings := t.App.Transactions
	return settings != nil && slices.Contains(settings.ReturnTo, t.Asked.ReturnTo) &&
		(t.Asked.Display != DisplayFrame || len(settings.FrameAncestors) > 0)
}

// Display is how the app shows the page.
type Display string

// The ways. Each is said when the transaction is made, so that a page which is to be led to
// stands in no frame, and tells no opener.
const (
	DisplayPage  Display = "page"
	DisplayPopup Display = "popup"
	DisplayFrame Display = "frame"
)

// Asked is what an app asks for: what would do, where the person goes back to, and what
// they are shown. It is fixed when the transaction is made.
type Asked struct {
	Factors  []Factor `json:"factors,omitempty"` // those that would do; all without any
	ACR      ACR      `json:"acr,omitempty"`     // aal2 asks for a passkey that verifies its user
	Enrols   bool     `json:"enrols,omitempty"`  // the app vouches for a subject that has no factor
	Display  Display  `json:"display"`
	ReturnTo string   `json:"return_to"`
	State    string   `json:"state"` // the app's own, handed back to it
	Context  Context  `json:"context"`
}

// Takes tells whether a factor would do. A passkey may still lack its user's verification.
func (a Asked) Takes(f Factor) bool {
	return slices.Contains([]Factor{Passkey, TOTP, Face}, f) &&
		(len(a.Factors) == 0 || slices.Contains(a.Factors, f)) && (a.ACR != ACRAAL2 || f == Passkey)
}

// Met tells whether what was passed reaches what is asked for.
func (a Asked) Met(methods []Method) bool { return a.ACR != ACRAAL2 || ACROf(methods) == ACRAAL2 }

// Usable are those of factors that would do.
func (a Asked) Usable(factors []Factor) []Factor {
	return slices.DeleteFunc(slices.Clone(factors), func(f Factor) bool { return !a.Takes(f) })
}

// Context is what a person agrees to by passing: plain text, shown as it stands.
type Context struct {
	Action  string `json:"action"`
	Details string `json:"details"`
	Purpose string `json:"purpose"` // the app's own word, which nobody is shown
	Subject string `json:"subject"`
}

// Hash binds a result to what was shown: base64url, without padding, of the SHA-256 of the
// context as canonical JSON (RFC 8785): {"action":…,"details":…,"purpose":…,"subject":…},
// which is what JSON.stringify makes of strings in that order. What [Context.Check] lets
// through holds nothing that encoders write in several ways.
func (c Context) Hash() string {
	var doc strings.Builder
	encoder := json.NewEncoder(&doc)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(c) // four strings
	sum := sha256.Sum256([]byte(strings.TrimSuffix(doc.String(), "\n")))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
