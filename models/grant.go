package models

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"time"
)

// Grant is what a session gave to an app: whoever holds a code or a token of it acts for
// its person. It ends with the session.
type Grant struct {
	ID        ID
	AppID     string
	UserID    ID
	SessionID ID
	Scopes    []string
	Claims    []string // asked for one by one (OpenID Connect Core section 5.5), for userinfo
	Nonce     string
	Methods   []Method // as they were when it was given
	CreatedAt time.Time
}

// ACR is the context that the grant was given in. A refreshed token says no more.
func (g Grant) ACR() ACR { return ACROf(g.Methods) }

// Has tells whether a scope was granted.
func (g Grant) Has(scope string) bool { return slices.Contains(g.Scopes, scope) }

// AuthTime is since when a context has been proven by what was passed: the age of the
// oldest of the newest methods that add up to it. A step-up by one factor alone does not
// make a sign-in young that took two. The zero time without methods.
func AuthTime(methods []Method) time.Time {
	newest := slices.Clone(methods)
	slices.SortStableFunc(newest, func(a, b Method) int { return b.At.Compare(a.At) })
	whole := ACROf(methods)
	for i := range newest {
		if ACROf(newest[:i+1]) == whole {
			return newest[i].At
		}
	}
	return time.Time{}
}

// AuthCode is an authorization code (RFC 6749 section 4.1.2) by what is known of it.
type AuthCode struct {
	Hash        TokenHash
	RedirectURI string
	Challenge   string // S256 of the verifier (RFC 7636 section 4.2), "" without PKCE
	ExpiresAt   time.Time
}

// Proves tells whether a verifier is the one of the code's challenge. Without a challenge
// there must be no verifier either: else the one who began and the one who ends it differ.
func (c AuthCode) Proves(verifier string) bool {
	if c.Challenge == "" {
		return verifier == ""
	}
	if n := len(verifier); n < 43 || n > 128 {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(c.Challenge)) == 1
}

// Authorization is an authorization request that waits for its person.
type Authorization struct {
	ID        ID
	AppID     string
	Params    map[string]string
	Pushed    bool      // by the app itself (RFC 9126)
	Browser   TokenHash // zero while none has come with what was pushed
	Decision  string    // "allow", "deny", or "" while nobody has said anything
	DecidedBy ID        // the session that did
	CreatedAt time.Time
	ExpiresAt time.Time
}

// AccessToken is one that lives.
type AccessToken struct {
	ID        ID
	AppID     string
	Scopes    []string
	CreatedAt time.Time
	ExpiresAt time.Time
	Grant     *Grant // nil for an app's own
	User      User   // with a grant
}

// Mint is what a use of a code or refresh token gives, by its hashes. A zero Refresh gives
// none.
type Mint struct {
	AccessID       ID
	AccessHash     TokenHash // zero for signed tokens
	AccessExpires  time.Time
	Refresh        TokenHash
	RefreshIdleEnd time.Time
	SessionIdleEnd time.Time // of a session that the app alone uses
	Scopes         []string  // fewer than the grant's where a refresh asked so; all with nil
}

// SigningKey signs tokens.
type SigningKey struct {
	ID        ID     // the kid
	Alg       string // RS256 or ES256
	PKCS8     []byte // open; sealed in the store
	CreatedAt time.Time
	ActiveAt  time.Time // signs from then on
	RetiredAt *time.Time
}

// Logout is an app that is to hear that a session is over.
type Logout struct {
	ID        ID
	App       App
	UserID    ID
	SessionID ID
}

// AppConsent is what a person agreed that an app may know.
type AppConsent struct {
	AppID   string
	AppName string
	Scopes  []string
	GivenAt time.Time
}

// Covers tells whether all of the scopes were agreed to.
func (c AppConsent) Covers(scopes []string) bool {
	return !slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(c.Scopes, s) })
}
