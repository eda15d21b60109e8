package models

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// App is an OAuth 2.0 client (RFC 6749 section 2): a relying party of the OpenID
// Provider, or an app that asks for a second factor alone. It is one document, the same
// in a YAML file, the admin API and the database; [App.Check] says what is wrong with it.
type App struct {
	ID   string `json:"id" yaml:"id"` // the client_id: 3 to 64 of a-z, 0-9, "-", "_" and "."
	Name string `json:"name" yaml:"name"`
	// Public apps keep no secret: programs on phones and desktops, scripts in a browser.
	Public bool `json:"public" yaml:"public"`
	// FirstParty apps are the site's own: nobody is asked to consent to them.
	FirstParty bool `json:"first_party" yaml:"first_party"`
	// RedirectURIs are compared character by character; of public apps those on a
	// loopback address leave the port free (RFC 8252 section 7.3).
	RedirectURIs           []string     `json:"redirect_uris" yaml:"redirect_uris"`
	PostLogoutRedirectURIs []string     `json:"post_logout_redirect_uris" yaml:"post_logout_redirect_uris"`
	GrantTypes             []GrantType  `json:"grant_types" yaml:"grant_types"`
	ResponseTypes          []string     `json:"response_types" yaml:"response_types"` // "code", "id_token"
	AuthMethod             AppAuth      `json:"auth_method" yaml:"auth_method"`
	Keys                   AppKeys      `json:"jwks,omitempty" yaml:"jwks,omitempty"` // with private_key_jwt
	PKCEOptional           bool         `json:"pkce_optional" yaml:"pkce_optional"`   // for confidential apps that know none
	Scopes                 []string     `json:"scopes" yaml:"scopes"`
	Audiences              []string     `json:"audiences,omitempty" yaml:"audiences,omitempty"` // of access tokens; the app itself without any
	IDTokenAlg             string       `json:"id_token_alg" yaml:"id_token_alg"`               // RS256 or ES256
	TokenFormat            string       `json:"token_format" yaml:"token_format"`               // "jwt" or "opaque"
	TokenLifetime          Duration     `json:"token_lifetime" yaml:"token_lifetime"`
	RefreshIdle            Duration     `json:"refresh_idle" yaml:"refresh_idle"` // a refresh token that is not used for so long is over
	BackchannelLogoutURI   string       `json:"backchannel_logout_uri,omitempty" yaml:"backchannel_logout_uri,omitempty"`
	FrontchannelLogoutURI  string       `json:"frontchannel_logout_uri,omitempty" yaml:"frontchannel_logout_uri,omitempty"`
	ACR                    ACR          `json:"acr,omitempty" yaml:"acr,omitempty"`       // the least that it lets in; mfa without any
	Groups                 []string     `json:"groups,omitempty" yaml:"groups,omitempty"` // who may sign in there: anybody without any
	Roles                  AppRoles     `json:"roles,omitempty" yaml:"roles,omitempty"`   // what a group is to this app
	Transactions           *AppFactors  `json:"transactions,omitempty" yaml:"transactions,omitempty"`
	SecretHashes           []SecretHash `json:"-" yaml:"-"`
}

// AppFactors is what an app may do that keeps its users and passwords itself and asks
// for a second factor alone.
type AppFactors struct {
	ReturnTo       []string `json:"return_to" yaml:"return_to"`                                 // where people are sent back to, exact
	FrameAncestors []string `json:"frame_ancestors,omitempty" yaml:"frame_ancestors,omitempty"` // origins that may show our page in a frame
	// Enrols says that the app vouches for who somebody is, so that a first factor can be
	// set up on its word.
	Enrols bool `json:"enrols" yaml:"enrols"`
}

// GrantType is a way to get tokens (RFC 6749 section 1.3).
type GrantType string

// The grant types.
const (
	GrantCode              GrantType = "authorization_code"
	GrantRefresh           GrantType = "refresh_token"
	GrantClientCredentials GrantType = "client_credentials"
	GrantDevice            GrantType = "urn:ietf:params:oauth:grant-type:device_code"
)

// AppAuth is how an app shows who it is (OpenID Connect Core section 9).
type AppAuth string

// The ways.
const (
	AppAuthNone       AppAuth = "none"
	AppAuthBasic      AppAuth = "client_secret_basic"
	AppAuthPost       AppAuth = "client_secret_post"
	AppAuthPrivateKey AppAuth = "private_key_jwt"
)

// AppRoles says which roles a group gives in an app.
type AppRoles map[string][]string

// Of lists the roles that groups give, sorted and each once.
func (r AppRoles) Of(groups []string) []string {
	roles := []string{}
	for _, group := range groups {
		roles = append(roles, r[group]...)
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// AppKeys is a JSON Web Key Set (RFC 7517) of public keys. In YAML it is written as a
// mapping or as JSON text.
type AppKeys json.RawMessage

// MarshalJSON implements json.Marshaler.
func (k AppKeys) MarshalJSON() ([]byte, error) { return json.RawMessage(k).MarshalJSON() }

// UnmarshalJSON implements json.Unmarshaler.
func (k *AppKeys) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*k = nil
		return nil
	}
	return (*json.RawMessage)(k).UnmarshalJSON(data)
}

// UnmarshalYAML reads a mapping, or JSON as text.
func (k *AppKeys) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err == nil {
		*k = AppKeys(text)
		return nil
	}
	var keys map[string]any
	if err := unmarshal(&keys); err != nil {
		return err
	}
	doc, err := json.Marshal(keys)
	*k = doc
	return err
}

// SecretHash is a live secret of an app, by its SHA-256.
type SecretHash struct {
	Hash      TokenHash
	ExpiresAt *time.Time // nil for the newest
}

// AppRecord is an app with what the records know of it.
type AppRecord struct {
	App
	Managed   AppKeeper
	CreatedAt time.Time
	UpdatedAt time.Time
}

// AppKeeper says who keeps an app's settings.
type AppKeeper string

// The keepers: people, by the command line or the API, or the file of `clients.file`.
const (
	KeptByHand AppKeeper = "hand"
	KeptByFile AppKeeper = "file"
)

// WithDefaults fills in what an app doesn't say.
func (a App) WithDefaults() App {
	if len(a.GrantTypes) == 0 && len(a.RedirectURIs) > 0 {
		a.GrantTypes = []GrantType{GrantCode, GrantRefresh}
	}
	if len(a.ResponseTypes) == 0 && slices.Contains(a.GrantTypes, GrantCode) {
		a.ResponseTypes = []string{"code"}
	}
	if a.AuthMethod == "" {
		a.AuthMethod = AppAuthBasic
		if a.Public {
			a.AuthMethod = AppAuthNone
		}
	}
	if len(a.Scopes) == 0 {
		a.Scopes = []string{"openid", "profile", "email"}
	}
	if a.IDTokenAlg == "" {
		a.IDTokenAlg = "RS256" // what every relying party must know (OpenID Connect Core section 15.1)
	}
	if a.TokenFormat == "" {
		a.TokenFormat = "opaque"
	}
	if a.TokenLifetime == 0 {
		a.TokenLifetime = Duration(10 * time.Minute)
	}
	if a.RefreshIdle == 0 {
		a.RefreshIdle = Duration(8 * time.Hour)
	}
	if a.ACR == "" {
		a.ACR = ACRMFA
	}
	if a.RedirectURIs == nil {
		a.RedirectURIs = []string{}
	}
	if a.PostLogoutRedirectURIs == nil {
		a.PostLogoutRedirectURIs = []string{}
	}
	if a.GrantTypes == nil {
		a.GrantTypes = []GrantType{}
	}
	if a.ResponseTypes == nil {
		a.ResponseTypes = []string{}
	}
	return a
}

// HasSecret tells whether the app shows who it is by a secret.
func (a App) HasSecret() bool {
	return a.AuthMethod == AppAuthBasic || a.AuthMethod == AppAuthPost
}

// Grants tells whether the app may use a grant type.
func (a App) Grants(t GrantType) bool { return slices.Contains(a.GrantTypes, t) }

// Allows gives those of the asked scopes that the app may ask for, in the order asked
// and each once. "openid" is always allowed.
func (a App) Allows(scopes []string) []string {
	allowed := []string{}
	for _, s := range scopes {
		if (s == "openid" || slices.Contains(a.Scopes, s)) && !slices.Contains(allowed, s) {
			allowed = append(allowed, s)
		}
	}
	return allowed
}

// Admits tells whether somebody of these groups may sign in.
func (a App) Admits(groups []string) bool {
	return len(a.Groups) == 0 || slices.ContainsFunc(a.Groups, func(g string) bool { return slices.Contains(groups, g) })
}

// RedirectsTo tells whether a URI is one of the app's own. Nothing is decoded or put
// into another form first: what is compared is what the browser will be sent to.
func (a App) RedirectsTo(uri string) bool {
	if slices.Contains(a.RedirectURIs, uri) {
		return true
	}
	if !a.Public {
		return false
	}
	host, rest, ok := loopback(uri)
	return ok && slices.ContainsFunc(a.RedirectURIs, func(own string) bool {
		ownHost, ownRest, ok := loopback(own)
		return ok && host == ownHost && rest == ownRest
	})
}

// loopback splits a plain redirect URI on a loopback address into the address and what
// follows the port.
func loopback(uri string) (host, rest string, ok bool) {
	for _, host := range []string{"http://127.0.0.1", "http://[::1]"} {
		after, found := strings.CutPrefix(uri, host)
		if !found {
			continue
		}
		if port, found := strings.CutPrefix(after, ":"); found {
			after = strings.TrimLeft(port, "0123456789")
			if digits := len(port) - len(after); digits == 0 || digits > 5 {
				return "", "", false
			}
		}
		if !strings.HasPrefix(after, "/") || strings.ContainsAny(after, "#\\ \t\r\n") {
			return "", "", false
		}
		return host, after, true
	}
	return "", "", false
}
