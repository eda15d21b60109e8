package models

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	appID     = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{2,63}$`)
	groupName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.:-]{0,63}$`)
	scopeName = regexp.MustCompile(`^[!#-\[\]-~]{1,64}$`) // RFC 6749 appendix A.4
)

// GroupName tells whether a name can be a group's: 1 to 64 letters, digits, "_", ".", ":"
// and "-", as headers and tokens carry it as it stands.
func GroupName(name string) bool { return groupName.MatchString(name) }

// Check says everything that is wrong with an app, each problem with its key.
func (a App) Check() []Problem {
	var problems []Problem
	wrong := func(key, format string, args ...any) {
		problems = append(problems, Problem{Key: key, Message: fmt.Sprintf(format, args...)})
	}
	if !appID.MatchString(a.ID) {
		wrong("id", "must be 3 to 64 of a-z, 0-9, \"-\", \"_\" and \".\", is %q", a.ID)
	}
	if n := len([]rune(a.Name)); n == 0 || n > 64 || strings.ContainsFunc(a.Name, func(r rune) bool { return r < ' ' }) {
		wrong("name", "must be 1 to 64 characters: people see it")
	}
	for _, uri := range a.RedirectURIs {
		if why := badRedirect(uri, a.Public); why != "" {
			wrong("redirect_uris", "%q %s", uri, why)
		}
	}
	for _, uri := range a.PostLogoutRedirectURIs {
		if why := badRedirect(uri, a.Public); why != "" {
			wrong("post_logout_redirect_uris", "%q %s", uri, why)
		}
	}
	for key, uri := range map[string]string{"backchannel_logout_uri": a.BackchannelLogoutURI, "frontchannel_logout_uri": a.FrontchannelLogoutURI} {
		if why := badRedirect(uri, false); uri != "" && why != "" {
			wrong(key, "%s", why)
		}
	}
	a.checkGrants(wrong)
	a.checkAuth(wrong)
	for _, scope := range a.Scopes {
		if !scopeName.MatchString(scope) {
			wrong("scopes", "%q is no scope", scope)
		}
	}
	if a.IDTokenAlg != "RS256" && a.IDTokenAlg != "ES256" {
		wrong("id_token_alg", "must be RS256 or ES256, is %q", a.IDTokenAlg)
	}
	if a.TokenFormat != "jwt" && a.TokenFormat != "opaque" {
		wrong("token_format", "must be jwt or opaque, is %q", a.TokenFormat)
	}
	if d := a.TokenLifetime.Std(); d < 5*time.Minute || d > 15*time.Minute {
		wrong("token_lifetime", "must be 5m to 15m, is %s", a.TokenLifetime)
	}
	if d := a.RefreshIdle.Std(); d < 15*time.Minute || d > 90*24*time.Hour {
		wrong("refresh_idle", "must be 15m to 2160h, is %s", a.RefreshIdle)
	}
	if !slices.Contains([]ACR{ACRDevice, ACRMFA, ACRAAL2}, a.ACR) {
		wrong("acr", "must be mfa, aal2 or pwd+device, is %q", a.ACR)
	}
	for _, group := range a.Groups {
		if !GroupName(group) {
			wrong("groups", "%q is no group's name", group)
		}
	}
	for group, roles := range a.Roles {
		if !GroupName(group) || slices.ContainsFunc(roles, func(r string) bool { return !GroupName(r) }) {
			wrong("roles", "%q: %q can't be", group, roles)
		}
	}
	if t := a.Transactions; t != nil {
		t.check(wrong, a.Public)
	}
	return problems
}

func (a App) checkGrants(wrong func(key, format string, args ...any)) {
	known := []GrantType{GrantCode, GrantRefresh, GrantClientCredentials, GrantDevice}
	for _, g := range a.GrantTypes {
		if !slices.Contains(known, g) {
			wrong("grant_types", "%q is not known here", g)
		}
	}
	if a.Grants(GrantClientCredentials) && a.Public {
		wrong("grant_types", "client_credentials needs a secret or a key, which a public app can't keep")
	}
	for _, t := range a.ResponseTypes {
		if t != "code" && t != "id_token" {
			wrong("response_types", "%q is not known here", t)
		}
	}
	if slices.Contains(a.ResponseTypes, "code") != a.Grants(GrantCode) {
		wrong("response_types", "code and the grant type authorization_code go together")
	}
	if len(a.ResponseTypes) > 0 && len(a.RedirectURIs) == 0 {
		wrong("redirect_uris", "must name one: people are sent back there")
	}
}

func (a App) checkAuth(wrong func(key, format string, args ...any)) {
	switch a.AuthMethod {
	case AppAuthNone:
		if !a.Public {
			wrong("auth_method", "must not be none but for a public app")
		}
	case AppAuthBasic, AppAuthPost, AppAuthPrivateKey:
		if a.Public {
			wrong("auth_method", "must be none: a public app keeps no secret")
		}
	default:
		wrong("auth_method", "must be client_secret_basic, client_secret_post, private_key_jwt or none, is %q", a.AuthMethod)
	}
	if a.PKCEOptional && a.Public {
		wrong("pkce_optional", "can't be for a public app")
	}
	if a.AuthMethod == AppAuthPrivateKey {
		var set struct {
			Keys []struct {
				Kty string `json:"kty"`
				D   string `json:"d"`
				K   string `json:"k"`
			} `json:"keys"`
		}
		if err := json.Unmarshal(a.Keys, &set); err != nil || len(set.Keys) == 0 {
			wrong("jwks", "must be a JSON Web Key Set with the app's public keys")
		}
		for _, key := range set.Keys {
			if key.D != "" || key.K != "" || key.Kty != "EC" && key.Kty != "RSA" && key.Kty != "OKP" {
				wrong("jwks", "must hold public keys alone")
			}
		}
	}
}

func (t AppFactors) check(wrong func(key, format string, args ...any), public bool) {
	if public {
		wrong("transactions", "can't be for a public app: it asks from its server")
	}
	if len(t.ReturnTo) == 0 {
		wrong("transactions.return_to", "must name one: people are sent back there")
	}
	for _, uri := range t.ReturnTo {
		if why := badRedirect(uri, false); why != "" {
			wrong("transactions.return_to", "%q %s", uri, why)
		}
	}
	for _, origin := range t.FrameAncestors {
		if u, err := url.Parse(origin); err != nil || u.Scheme+"://"+u.Host != origin || badRedirect(origin+"/", false) != "" {
			wrong("transactions.frame_ancestors", "%q is no origin", origin)
		}
	}
}

// badRedirect says why people can't be sent to a URI; "" where they can. Schemes of
// their own are for public apps, and have a dot (RFC 8252 section 7.1).
func badRedirect(uri string, public bool) string {
	u, err := url.Parse(uri)
	switch {
	case err != nil || len(uri) > 1024 || strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r > '~' }) || strings.ContainsAny(uri, `\*"<>{}|^`+"`"):
		return "is no URI that a browser and a server read alike"
	case strings.Contains(uri, "#"):
		return "must have no fragment"
	case u.User != nil:
		return "must hold no user name"
	case u.Scheme != strings.ToLower(strings.SplitN(uri, ":", 2)[0]) || !strings.HasPrefix(uri, u.Scheme+":") || u.Host != strings.ToLower(u.Host):
		return "must have scheme and host in lower case"
	case u.Scheme == "https" || u.Scheme == "http":
		if u.Host == "" {
			return "must be absolute, with a host"
		}
		if strings.Contains(u.Path+"/", "/../") || strings.Contains(u.Path+"/", "/./") {
			return "must have no dot segments"
		}
		if u.Scheme == "http" && !slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname()) && !strings.HasSuffix(u.Hostname(), ".localhost") {
			return "must be https, but on the machine itself"
		}
	case !public || !strings.Contains(u.Scheme, "."):
		return "must be https; a scheme of its own is for public apps, and has a dot"
	}
	return ""
}
