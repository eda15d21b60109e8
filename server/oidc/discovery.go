package oidc

import (
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// metadata is OpenID Connect Discovery with what the library's document has no place for.
type metadata struct {
	*oidc.DiscoveryConfiguration
	PushEndpoint          string   `json:"pushed_authorization_request_endpoint"` // RFC 9126
	IssInAnswers          bool     `json:"authorization_response_iss_parameter_supported"`
	BackchannelLogout     bool     `json:"backchannel_logout_supported"`
	BackchannelSession    bool     `json:"backchannel_logout_session_supported"`
	FrontchannelLogout    bool     `json:"frontchannel_logout_supported"`
	FrontchannelSession   bool     `json:"frontchannel_logout_session_supported"`
	PromptValuesSupported []string `json:"prompt_values_supported"`
}

// scopesKnown are the scopes that mean something here; an app may have others of its own.
var scopesKnown = []string{"openid", "profile", "email", "phone", "groups", "offline_access"}

// Discovery answers GET /.well-known/openid-configuration.
func (h *Handlers) Discovery(c *fiber.Ctx) error {
	at := func(path string) string { return h.Origin + path }
	methods := []oidc.AuthMethod{oidc.AuthMethodBasic, oidc.AuthMethodPost, oidc.AuthMethodPrivateKeyJWT}
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	return c.JSON(metadata{
		DiscoveryConfiguration: &oidc.DiscoveryConfiguration{
			Issuer: h.Origin, AuthorizationEndpoint: at(PathAuthorize), TokenEndpoint: at(PathToken), IntrospectionEndpoint: at(PathIntrospect),
			UserinfoEndpoint: at(PathUserinfo), RevocationEndpoint: at(PathRevoke), EndSessionEndpoint: at(PathEndSession), JwksURI: at(PathKeys), DeviceAuthorizationEndpoint: at(PathDevice),
			ScopesSupported: scopesKnown, ResponseTypesSupported: []string{"code", "id_token"},
			ResponseModesSupported: []string{"query", "fragment", "form_post"},
			GrantTypesSupported:    []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeImplicit, oidc.GrantTypeRefreshToken, oidc.GrantTypeClientCredentials, oidc.GrantTypeDeviceCode},
			ACRValuesSupported:     []string{string(models.ACRAAL2), string(models.ACRMFA), string(models.ACRDevice)},
			SubjectTypesSupported:  []string{"public"}, IDTokenSigningAlgValuesSupported: Algorithms,
			TokenEndpointAuthMethodsSupported:                  append(methods[:3:3], oidc.AuthMethodNone),
			TokenEndpointAuthSigningAlgValuesSupported:         assertionAlgs,
			RevocationEndpointAuthMethodsSupported:             append(methods[:3:3], oidc.AuthMethodNone),
			IntrospectionEndpointAuthMethodsSupported:          methods,
			RevocationEndpointAuthSigningAlgValuesSupported:    assertionAlgs,
			IntrospectionEndpointAuthSigningAlgValuesSupported: assertionAlgs,
			DisplayValuesSupported:                             []oidc.Display{oidc.DisplayPage},
			ClaimTypesSupported:                                []string{"normal"}, ClaimsSupported: claimsKnown, ClaimsParameterSupported: true,
			CodeChallengeMethodsSupported: []oidc.CodeChallengeMethod{oidc.CodeChallengeMethodS256},
		},
		PushEndpoint: at(PathPush), IssInAnswers: true, BackchannelLogout: true, BackchannelSession: true, FrontchannelLogout: true, FrontchannelSession: true,
		PromptValuesSupported: []string{"none", "login", "consent", "select_account"},
	})
}

// PublicKeys answers GET /oauth/keys.
func (h *Handlers) PublicKeys(c *fiber.Ctx) error {
	set, err := h.Keys.Public(c.UserContext())
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	// Shorter than a new key is published ahead.
	c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	return c.JSON(set)
}
