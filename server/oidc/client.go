package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/sallyport/sallyport/models"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// assertionAlgs are those that apps may sign assertions by: none by a shared secret.
var assertionAlgs = []string{"RS256", "PS256", "ES256", "EdDSA"}

const (
	assertionLife = 10 * time.Minute // an app's assertion may live so long at most
	clockSkew     = 30 * time.Second
)

// relyingParty is an app as the library asks about it. It asks nothing but what is here;
// what people see and where they are sent is decided in authorize.go.
type relyingParty struct {
	op.Client
	app models.App
}

// GetID implements op.Client.
func (r relyingParty) GetID() string { return r.app.ID }

// AuthMethod implements op.Client.
func (r relyingParty) AuthMethod() oidc.AuthMethod { return oidc.AuthMethod(r.app.AuthMethod) }

// GrantTypes implements op.Client.
func (r relyingParty) GrantTypes() []oidc.GrantType {
	types := make([]oidc.GrantType, 0, len(r.app.GrantTypes))
	for _, t := range r.app.GrantTypes {
		types = append(types, oidc.GrantType(t))
	}
	return types
}

func invalidClient() error {
	return oidc.ErrInvalidClient().WithDescription("there is no such client, or it did not show that it is the one")
}

// authenticate finds the app that a request comes from, by a secret, a signed assertion,
// or for public apps by its id alone. An app that keeps a secret is not believed without.
func (h *Handlers) authenticate(ctx context.Context, cc op.ClientCredentials) (models.App, error) {
	if cc.ClientAssertion != "" {
		return h.byAssertion(ctx, cc)
	}
	app, err := h.Store.App(ctx, cc.ClientID)
	if models.CodeOf(err) == models.CodeNotFound {
		return app, invalidClient()
	}
	if err != nil {
		return app, err
	}
	switch app.AuthMethod {
	case models.AppAuthNone:
		if cc.ClientSecret == "" {
			return app, nil
		}
	case models.AppAuthBasic, models.AppAuthPost:
		if holds(app.SecretHashes, models.HashToken(cc.ClientSecret)) && cc.ClientSecret != "" {
			return app, nil
		}
	case models.AppAuthPrivateKey: // above
	}
	return app, invalidClient()
}

func holds(secrets []models.SecretHash, hash models.TokenHash) bool {
	found := 0
	for _, s := range secrets {
		found |= subtle.ConstantTimeCompare(s.Hash[:], hash[:])
	}
	return found == 1
}

// byAssertion takes a signed assertion (RFC 7523 section 3), once.
func (h *Handlers) byAssertion(ctx context.Context, cc op.ClientCredentials) (models.App, error) {
	algs := make([]jose.SignatureAlgorithm, 0, len(assertionAlgs))
	for _, a := range assertionAlgs {
		algs = append(algs, jose.SignatureAlgorithm(a))
	}
	token, err := jwt.ParseSigned(cc.ClientAssertion, algs)
	if err != nil {
		return models.App{}, invalidClient()
	}
	var claims jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil || cc.ClientID != "" && cc.ClientID != claims.Issuer {
		return models.App{}, invalidClient()
	}
	app, err := h.Store.App(ctx, claims.Issuer)
	if models.CodeOf(err) == models.CodeNotFound {
		return app, invalidClient()
	}
	if err != nil {
		return app, err
	}
	var set jose.JSONWebKeySet
	if app.AuthMethod != models.AppAuthPrivateKey || json.Unmarshal(app.Keys, &set) != nil {
		return app, invalidClient()
	}
	signed := slices.ContainsFunc(set.Keys, func(k jose.JSONWebKey) bool { return token.Claims(k.Key, &claims) == nil })
	now := h.Now()
	expected := jwt.Expected{Issuer: app.ID, Subject: app.ID, AnyAudience: jwt.Audience{h.Origin, h.Origin + PathToken}, Time: now}
	if !signed || claims.ValidateWithLeeway(expected, clockSkew) != nil {
		return app, invalidClient()
	}
	if claims.Expiry == nil || claims.ID == "" || claims.Expiry.Time().After(now.Add(assertionLife)) {
		return app, invalidClient()
	}
	err = h.Store.SpendAssertion(ctx, app.ID, models.HashToken(claims.ID), claims.Expiry.Time().Add(clockSkew))
	if models.CodeOf(err) == models.CodeConflict {
		return app, invalidClient()
	}
	return app, err
}

// failed puts an error of ours into the library's words. Records out of reach are 503,
// and never a reason to sign anybody out.
func failed(err error) error {
	var own *oidc.Error
	if err == nil || errors.As(err, &own) {
		return err
	}
	switch models.CodeOf(err) {
	case models.CodeInvalidGrant, models.CodeNotFound, models.CodeSessionRequired:
		return oidc.ErrInvalidGrant().WithDescription("this code or token is not valid, or no longer")
	case models.CodeUnavailable, models.CodeOverloaded:
		return op.NewStatusError(oidc.ErrServerError().WithParent(err).WithDescription("temporarily unavailable"), 503)
	default:
		return oidc.ErrServerError().WithParent(err)
	}
}
