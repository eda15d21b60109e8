package oidc

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// provider answers what apps ask, once the library has read it.
type provider struct {
	op.UnimplementedServer
	h *Handlers
}

// VerifyClient implements op.Server.
func (p *provider) VerifyClient(ctx context.Context, r *op.Request[op.ClientCredentials]) (op.Client, error) {
	app, err := p.h.authenticate(ctx, *r.Data)
	return relyingParty{app: app}, failed(err)
}

// CodeExchange implements op.Server (OpenID Connect Core section 3.1.3).
func (p *provider) CodeExchange(ctx context.Context, r *op.ClientRequest[oidc.AccessTokenRequest]) (*op.Response, error) {
	app := r.Client.(relyingParty).app
	accept := func(g models.Grant, code models.AuthCode) bool {
		return g.AppID == app.ID && code.RedirectURI == r.Data.RedirectURI && code.Proves(r.Data.CodeVerifier) && app.Grants(models.GrantCode)
	}
	minted := p.h.newMint(app)
	grant, user, err := p.h.Store.RedeemCode(ctx, models.HashToken(r.Data.Code), accept, minted.of)
	if err != nil {
		return nil, failed(err)
	}
	return p.h.tokens(ctx, app, grant, user, minted, grant.Nonce)
}

// RefreshToken implements op.Server (OpenID Connect Core section 12).
func (p *provider) RefreshToken(ctx context.Context, r *op.ClientRequest[oidc.RefreshTokenRequest]) (*op.Response, error) {
	app := r.Client.(relyingParty).app
	hash := models.HashToken(r.Data.RefreshToken)
	minted := p.h.newMint(app)
	// Looked at before it is used up: a session that the policy no longer bears, and scopes
	// that were never granted, are no theft.
	if grant, err := p.h.Store.RefreshGrant(ctx, hash); err == nil {
		if err := p.h.alive(ctx, grant); err != nil {
			return nil, failed(err)
		}
		for _, scope := range r.Data.Scopes {
			if !grant.Has(scope) {
				return nil, oidc.ErrInvalidScope().WithDescription("%q was not granted", scope)
			}
		}
		minted.scopes = r.Data.Scopes
	} else if models.CodeOf(err) != models.CodeNotFound {
		return nil, failed(err)
	}
	grant, user, err := p.h.Store.RotateRefresh(ctx, hash, func(g models.Grant) bool { return g.AppID == app.ID }, minted.of)
	if err != nil {
		return nil, failed(err)
	}
	return p.h.tokens(ctx, app, grant, user, minted, "")
}

// ClientCredentialsExchange implements op.Server (RFC 6749 section 4.4).
func (p *provider) ClientCredentialsExchange(ctx context.Context, r *op.ClientRequest[oidc.ClientCredentialsRequest]) (*op.Response, error) {
	app := r.Client.(relyingParty).app
	minted := p.h.newMint(app)
	own := func(s string) bool { return !slices.Contains(scopesKnown, s) && slices.Contains(app.Scopes, s) }
	m := minted.of(models.Grant{})
	m.Scopes, m.Refresh = []string{}, models.TokenHash{}
	for _, s := range r.Data.Scope {
		if !own(s) {
			return nil, oidc.ErrInvalidScope().WithDescription("%q is not for this client without a person", s)
		}
		m.Scopes = append(m.Scopes, s)
	}
	if err := p.h.Store.GiveAppToken(ctx, app.ID, m); err != nil {
		return nil, failed(err)
	}
	token, err := p.h.accessToken(ctx, app, nil, nil, minted, m.Scopes)
	if err != nil {
		return nil, failed(err)
	}
	return op.NewResponse(oidc.AccessTokenResponse{
		AccessToken: token, TokenType: oidc.BearerToken, ExpiresIn: uint64(app.TokenLifetime.Std().Seconds()), Scope: m.Scopes,
	}), nil
}

// mint is what one exchange gives: its secrets stay here, their hashes go to the store.
type mint struct {
	h       *Handlers
	app     models.App
	id      models.ID
	access  string
	refresh string
	scopes  []string // fewer than granted; nil for all
}

func (h *Handlers) newMint(app models.App) *mint {
	return &mint{h: h, app: app, id: models.NewID(h.Now()), access: seal.NewToken(), refresh: seal.NewToken()}
}

// refreshes tells whether a grant gives a refresh token: OpenID Connect Core section 11.
func (m *mint) refreshes(g models.Grant) bool {
	return m.app.Grants(models.GrantRefresh) && g.Has("offline_access")
}

func (m *mint) of(g models.Grant) models.Mint {
	now := m.h.Now()
	out := models.Mint{
		AccessID: m.id, AccessExpires: now.Add(m.app.TokenLifetime.Std()), Scopes: m.scopes,
		SessionIdleEnd: now.Add(m.h.Policies.Current().Timeouts.Idle.Std()),
	}
	if m.app.TokenFormat == "opaque" {
		out.AccessHash = models.HashToken(m.access)
	}
	if m.refreshes(g) {
		out.Refresh, out.RefreshIdleEnd = models.HashToken(m.refresh), now.Add(m.app.RefreshIdle.Std())
	}
	return out
}

// tokens answers an exchange.
func (h *Handlers) tokens(ctx context.Context, app models.App, grant models.Grant, user models.User, m *mint, nonce string) (*op.Response, error) {
	if err := h.alive(ctx, grant); err != nil {
		return nil, failed(err)
	}
	if !app.Admits(user.Groups) { // they left the group, or the app shut it out
		return nil, oidc.ErrInvalidGrant().WithDescription("the person may not sign in there any more")
	}
	scopes := m.scopes
	if len(scopes) == 0 {
		scopes = grant.Scopes
	}
	scopes = app.Allows(scopes)
	access, err := h.accessToken(ctx, app, &grant, &user, m, scopes)
	if err != nil {
		return nil, failed(err)
	}
	body := oidc.AccessTokenResponse{
		AccessToken: access, TokenType: oidc.BearerToken, ExpiresIn: uint64(app.TokenLifetime.Std().Seconds()), Scope: scopes,
	}
	if m.refreshes(grant) {
		body.RefreshToken = m.refresh
	}
	if slices.Contains(scopes, "openid") {
		if body.IDToken, err = h.idToken(ctx, app, grant, user, scopes, nonce, access); err != nil {
			return nil, failed(err)
		}
	}
	answer := op.NewResponse(body)
	answer.Header.Set("Pragma", "no-cache")
	return answer, nil
}

// alive refuses what hangs on a session that is over, or that the policy in force no
// longer bears.
func (h *Handlers) alive(ctx context.Context, grant models.Grant) error {
	states, err := h.States(ctx, []models.ID{grant.SessionID})
	if err == nil && states[grant.SessionID] != models.Authenticated {
		err = models.Refuse(models.CodeInvalidGrant, "the session is over")
	}
	return err
}

// find looks an access token up, opaque or signed. not_found for one that is over.
func (h *Handlers) find(ctx context.Context, token string) (models.AccessToken, error) {
	var id models.ID
	if strings.Count(token, ".") == 2 {
		var claims struct {
			ID string `json:"jti"`
		}
		if err := h.Keys.Verify(ctx, token, typAccess, &claims); err != nil {
			if models.CodeOf(err) == models.CodeUnavailable {
				return models.AccessToken{}, err
			}
			return models.AccessToken{}, models.Refuse(models.CodeNotFound, "no such token")
		}
		parsed, err := models.ParseID(claims.ID)
		if err != nil {
			return models.AccessToken{}, models.Refuse(models.CodeNotFound, "no such token")
		}
		id = parsed
	}
	found, err := h.Store.AccessToken(ctx, models.HashToken(token), id)
	if err == nil && found.Grant != nil {
		err = h.alive(ctx, *found.Grant)
	}
	return found, err
}

// UserInfo implements op.Server (OpenID Connect Core section 5.3).
func (p *provider) UserInfo(ctx context.Context, r *op.Request[oidc.UserInfoRequest]) (*op.Response, error) {
	found, err := p.h.find(ctx, r.Data.AccessToken)
	if code := models.CodeOf(err); err != nil && code != models.CodeNotFound && code != models.CodeInvalidGrant {
		return nil, failed(err)
	}
	var app models.App
	if err == nil {
		if app, err = p.h.Store.App(ctx, found.AppID); err != nil {
			return nil, failed(err)
		}
	}
	if err != nil || found.Grant == nil || !app.Admits(found.User.Groups) {
		return nil, op.NewStatusError(oidc.ErrInvalidRequest().WithDescription("this access token is not valid, or no longer"), http.StatusUnauthorized)
	}
	if !slices.Contains(found.Scopes, "openid") {
		return nil, op.NewStatusError(oidc.ErrInvalidScope().WithDescription("openid was not granted"), http.StatusForbidden)
	}
	claims := p.h.userClaims(app, found.User, app.Allows(found.Scopes), found.Grant.Claims)
	claims["sub"] = found.User.ID
	return op.NewResponse(claims), nil
}

// Introspect implements op.Server (RFC 7662). An app hears of its own tokens, and of those
// that are for it.
func (p *provider) Introspect(ctx context.Context, r *op.Request[op.IntrospectionRequest]) (*op.Response, error) {
	asks, err := p.h.authenticate(ctx, *r.Data.ClientCredentials)
	if err != nil {
		return nil, failed(err)
	}
	if asks.Public {
		return nil, invalidClient()
	}
	found, err := p.h.find(ctx, r.Data.Token)
	var app models.App
	if err == nil {
		app, err = p.h.Store.App(ctx, found.AppID)
	}
	admitted := found.Grant == nil || app.Admits(found.User.Groups)
	switch code := models.CodeOf(err); {
	case err == nil && admitted && (app.ID == asks.ID || slices.Contains(app.Audiences, asks.ID)):
		return op.NewResponse(p.h.accessClaims(app, found.Grant, &found.User, found)), nil
	case err == nil || code == models.CodeNotFound || code == models.CodeInvalidGrant:
		return op.NewResponse(map[string]any{"active": false}), nil
	default:
		return nil, failed(err)
	}
}

// Revocation implements op.Server (RFC 7009).
func (p *provider) Revocation(ctx context.Context, r *op.ClientRequest[oidc.RevocationRequest]) (*op.Response, error) {
	var id models.ID
	var claims struct {
		ID string `json:"jti"`
	}
	if strings.Count(r.Data.Token, ".") == 2 && p.h.Keys.Verify(ctx, r.Data.Token, typAccess, &claims) == nil {
		id, _ = models.ParseID(claims.ID)
	}
	if err := p.h.Store.RevokeToken(ctx, r.Client.GetID(), models.HashToken(r.Data.Token), id); err != nil {
		return nil, failed(err)
	}
	return op.NewResponse(struct{}{}), nil
}
