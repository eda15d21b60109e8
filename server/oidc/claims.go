package oidc

import (
	"context"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/sallyport/sallyport/models"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// The types of what is signed, in the header "typ".
const (
	typID     = "JWT"
	typAccess = "at+jwt"     // RFC 9068 section 2.1
	typLogout = "logout+jwt" // OpenID Connect Back-Channel Logout section 2.4
)

// claimsKnown are what an ID token or userinfo may hold.
var claimsKnown = []string{
	"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "sid", "at_hash",
	"name", "preferred_username", "updated_at", "email", "email_verified", "groups", "roles",
}

// scopeOf is the scope that a claim about a person comes with.
var scopeOf = map[string]string{
	"name": "profile", "preferred_username": "profile", "email": "email", "email_verified": "email", "groups": "groups",
}

// userClaims are what an app learns of a person: by scopes, and one by one where it asked
// so and may ask for the scope. An address that nobody has proven is none where addresses
// have to be.
func (h *Handlers) userClaims(app models.App, user models.User, scopes, asked []string) map[string]any {
	claims := map[string]any{}
	tells := func(claim string) bool {
		scope := scopeOf[claim]
		return slices.Contains(scopes, scope) || slices.Contains(asked, claim) && slices.Contains(app.Scopes, scope)
	}
	if tells("name") {
		claims["name"] = user.DisplayName
	}
	if tells("preferred_username") {
		claims["preferred_username"] = user.Username
	}
	held := user.Email != "" && user.EmailHeld && (user.EmailVerified || !h.VerifyEmails)
	if tells("email") && held {
		claims["email"] = user.Email
	}
	if tells("email_verified") && held {
		claims["email_verified"] = user.EmailVerified
	}
	if tells("groups") {
		claims["groups"] = user.Groups
	}
	if len(app.Roles) > 0 {
		claims["roles"] = app.Roles.Of(user.Groups)
	}
	return claims
}

// idToken tells an app who signed in, how and when (OpenID Connect Core section 2). access
// is the access token beside it, or "".
func (h *Handlers) idToken(ctx context.Context, app models.App, grant models.Grant, user models.User, scopes []string, nonce, access string) (string, error) {
	now := h.Now()
	claims := h.userClaims(app, user, scopes, nil)
	claims["iss"], claims["sub"], claims["aud"], claims["azp"] = h.Origin, user.ID, app.ID, app.ID
	claims["iat"], claims["exp"] = now.Unix(), now.Add(idTokenLifetime).Unix()
	h.tellOf(claims, grant)
	if nonce != "" {
		claims["nonce"] = nonce
	}
	if access != "" {
		hash, err := oidc.ClaimHash(access, jose.SignatureAlgorithm(app.IDTokenAlg))
		if err != nil {
			return "", err
		}
		claims["at_hash"] = hash
	}
	return h.Keys.Sign(ctx, app.IDTokenAlg, typID, claims)
}

// tellOf adds how and when a person signed in, as it was when the grant was given.
func (h *Handlers) tellOf(claims map[string]any, grant models.Grant) {
	claims["acr"], claims["amr"] = grant.ACR(), models.AMROf(grant.Methods)
	claims["auth_time"], claims["sid"] = models.AuthTime(grant.Methods).Unix(), grant.SessionID
}

// accessToken is an opaque one, or for apps that verify by themselves a signed one.
func (h *Handlers) accessToken(ctx context.Context, app models.App, grant *models.Grant, user *models.User, m *mint, scopes []string) (string, error) {
	if app.TokenFormat == "opaque" {
		return m.access, nil
	}
	now := h.Now()
	claims := h.accessClaims(app, grant, user, models.AccessToken{ID: m.id, AppID: app.ID, Scopes: scopes, CreatedAt: now, ExpiresAt: now.Add(app.TokenLifetime.Std())})
	delete(claims, "active")
	delete(claims, "token_type")
	return h.Keys.Sign(ctx, app.IDTokenAlg, typAccess, claims)
}

// accessClaims are what an access token means, signed (RFC 9068) or told (RFC 7662).
func (h *Handlers) accessClaims(app models.App, grant *models.Grant, user *models.User, t models.AccessToken) map[string]any {
	audience := app.Audiences
	if len(audience) == 0 {
		audience = []string{app.ID}
	}
	claims := map[string]any{
		"active": true, "token_type": oidc.BearerToken, "iss": h.Origin, "sub": app.ID, "aud": audience, "client_id": app.ID, "jti": t.ID,
		"scope": strings.Join(t.Scopes, " "), "iat": t.CreatedAt.Unix(), "exp": t.ExpiresAt.Unix(),
	}
	if grant != nil {
		for name, value := range h.userClaims(app, *user, t.Scopes, nil) {
			if name == "groups" || name == "roles" || name == "preferred_username" {
				claims[name] = value
			}
		}
		claims["sub"] = grant.UserID
		h.tellOf(claims, *grant)
	}
	return claims
}
