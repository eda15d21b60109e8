// Package oidc is the OpenID Provider: apps hand signing in over to it whole. What OAuth
// and OpenID Connect say of requests and answers is zitadel/oidc's; who may have what, how
// often and after which proofs is decided here and in the store.
package oidc

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// Store is what this part needs of the records.
type Store interface {
	App(ctx context.Context, id string) (models.App, error)
	SpendAssertion(ctx context.Context, appID string, jti models.TokenHash, expiresAt time.Time) error
	KeepAuthorization(ctx context.Context, a models.Authorization, pushed models.TokenHash) error
	Authorization(ctx context.Context, id models.ID, browser models.TokenHash) (models.Authorization, error)
	ClaimPushed(ctx context.Context, pushed models.TokenHash, appID string, by models.Authorization) (models.Authorization, error)
	DecideAuthorization(ctx context.Context, by models.Session, id models.ID, browser models.TokenHash, decision string, scopes []string) error
	AppConsents(ctx context.Context, userID models.ID) ([]models.AppConsent, error)
	GiveGrant(ctx context.Context, ref models.Ref, grant models.Grant, code *models.AuthCode, waited models.ID) error
	RedeemCode(ctx context.Context, hash models.TokenHash, accept func(models.Grant, models.AuthCode) bool, mint func(models.Grant) models.Mint) (models.Grant, models.User, error)
	RotateRefresh(ctx context.Context, hash models.TokenHash, accept func(models.Grant) bool, mint func(models.Grant) models.Mint) (models.Grant, models.User, error)
	GiveAppToken(ctx context.Context, appID string, m models.Mint) error
	AccessToken(ctx context.Context, hash models.TokenHash, id models.ID) (models.AccessToken, error)
	RefreshGrant(ctx context.Context, hash models.TokenHash) (models.Grant, error)
	RevokeToken(ctx context.Context, appID string, hash models.TokenHash, id models.ID) error
	SessionGrants(ctx context.Context, sessionID models.ID) ([]string, error)
	WithdrawApp(ctx context.Context, by models.Session, appID string) error
	SessionGrant(ctx context.Context, appID string, sessionID models.ID) (models.Grant, models.User, error)
	BeginDevice(ctx context.Context, d models.DeviceAuthorization, device, userCode models.TokenHash) error
	FindDevice(ctx context.Context, by models.Session, userCode models.TokenHash) (models.DeviceAuthorization, error)
	FoundDevice(ctx context.Context, by models.Session, id models.ID) (models.DeviceAuthorization, error)
	AllowDevice(ctx context.Context, ref models.Ref, d models.DeviceAuthorization, decide models.Decide, admits func(models.Session) (models.Session, error)) error
	DenyDevice(ctx context.Context, by models.Session, id models.ID) error
	PollDevice(ctx context.Context, device models.TokenHash, appID string, mint func(models.Grant) models.Mint) (models.DevicePoll, models.Grant, models.User, error)
	SpendStepUp(ctx context.Context, ref models.Ref, decide models.Decide) error
}

// Handlers answers the requests of this part.
type Handlers struct {
	*web.Door
	Store Store
	Keys  *Keys
	// Lead is the page where a person in a state goes on, to come back to a path.
	Lead func(state models.State, next string) string

	machine http.Handler // what apps talk to, by net/http
}

// Where the provider is to be found, below its issuer. Discovery tells them all.
const (
	PathDiscovery   = "/.well-known/openid-configuration"
	PathMetadata    = "/.well-known/oauth-authorization-server" // RFC 8414
	PathAuthorize   = "/oauth/authorize"
	PathPush        = "/oauth/par"
	PathToken       = "/oauth/token" //nolint:gosec // an address
	PathUserinfo    = "/oauth/userinfo"
	PathIntrospect  = "/oauth/introspect"
	PathRevoke      = "/oauth/revoke"
	PathKeys        = "/oauth/keys"
	PathDevice      = "/oauth/device"       // RFC 8628
	PathTokenReview = "/oauth/token-review" //nolint:gosec // an address, for Kubernetes
	PathEndSession  = "/oauth/end-session"
	PathWaiting     = "/authorize/:id"
	idTokenLifetime = 15 * time.Minute
	codeLifetime    = time.Minute
	waitLifetime    = 30 * time.Minute // of a request whose person has yet to sign in
	pushLifetime    = 90 * time.Second
)

// New makes the provider over a door. Its issuer is the door's origin.
func New(door *web.Door, store Store, keys *Keys, lead func(models.State, string) string) *Handlers {
	h := &Handlers{Door: door, Store: store, Keys: keys, Lead: lead}
	h.machine = op.RegisterServer(&provider{h: h}, op.Endpoints{
		Token: op.NewEndpoint(PathToken), Introspection: op.NewEndpoint(PathIntrospect),
		Userinfo: op.NewEndpoint(PathUserinfo), Revocation: op.NewEndpoint(PathRevoke),
	}, op.WithServerCORSOptions(crossOrigin))
	return h
}

// Route is an address of the provider. None of them looks at the session's cookie before
// its handler does.
type Route struct {
	Method, Path string
	Body         int // most bytes
	Handler      fiber.Handler
}

const form = 32 << 10 // an assertion and what it comes with

// Routes lists what is mounted outside the v1 surface: requests come from apps and from
// browsers that apps send here, so they are no writes of our own pages.
func (h *Handlers) Routes() []Route {
	list := make([]Route, 0, 24)
	list = append(list,
		Route{fiber.MethodGet, PathDiscovery, 0, h.Discovery}, Route{fiber.MethodGet, PathMetadata, 0, h.Discovery}, Route{fiber.MethodGet, PathKeys, 0, h.PublicKeys},
		Route{fiber.MethodGet, PathAuthorize, 0, h.Authorize}, Route{fiber.MethodPost, PathAuthorize, form, h.AuthorizeByForm},
		Route{fiber.MethodPost, PathPush, form, h.Push}, Route{fiber.MethodPost, PathDevice, form, h.BeginDevice},
		Route{fiber.MethodPost, PathTokenReview, form, h.ReviewToken},
		Route{fiber.MethodGet, PathEndSession, 0, h.EndSession}, Route{fiber.MethodPost, PathEndSession, form, h.EndSessionByForm},
		Route{fiber.MethodGet, PathUserinfo, 0, h.bridge}, Route{fiber.MethodGet, PathWaiting, 0, h.Continue},
	)
	for _, path := range []string{PathToken, PathIntrospect, PathUserinfo, PathRevoke} {
		list = append(list, Route{fiber.MethodPost, path, form, h.bridge}, Route{fiber.MethodOptions, path, 0, h.bridge})
	}
	return list
}
