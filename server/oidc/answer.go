package oidc

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	pages "github.com/sallyport/sallyport/web"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

func refusedParams(err error) url.Values {
	var why *refusal
	if !errors.As(err, &why) {
		return url.Values{"error": {"server_error"}}
	}
	return url.Values{"error": {why.code}, "error_description": {why.why}}
}

// answer sends a person back to the app, with who answers (RFC 9207) so that an app that
// asks several providers can't be led to take one's answer for another's.
func (h *Handlers) answer(c *fiber.Ctx, uri, mode, state string, params url.Values) error {
	params.Set("iss", h.Origin)
	if state != "" {
		params.Set("state", state)
	}
	switch mode {
	case "form_post":
		// The form goes to the app and may be led on from there. Nothing else of the policy changes.
		policy := string(c.Response().Header.Peek(fiber.HeaderContentSecurityPolicy))
		c.Set(fiber.HeaderContentSecurityPolicy, strings.Replace(policy, "form-action 'self'", "form-action *", 1))
		fields := []pages.FormField{}
		for _, name := range []string{"code", "id_token", "error", "error_description", "state", "iss"} {
			if params.Has(name) {
				fields = append(fields, pages.FormField{Name: name, Value: params.Get(name)})
			}
		}
		return h.Render(c, pages.FormPostPage{Layout: h.Layout(c), Action: uri, Fields: fields})
	case "fragment":
		return c.Redirect(uri+"#"+params.Encode(), http.StatusSeeOther)
	default:
		join := "?"
		if strings.Contains(uri, "?") {
			join = "&"
		}
		return c.Redirect(uri+join+params.Encode(), http.StatusSeeOther)
	}
}

// machineError answers an app in OAuth's words where the library doesn't.
func (h *Handlers) machineError(c *fiber.Ctx, err error) error {
	var why *refusal
	var theirs *oidc.Error
	switch {
	case errors.As(err, &why):
		return c.Status(http.StatusBadRequest).JSON(fiber.Map{"error": why.code, "error_description": why.why})
	case errors.As(err, &theirs) && theirs.ErrorType == oidc.InvalidClient:
		c.Set(fiber.HeaderWWWAuthenticate, `Basic realm="sallyport"`)
		return c.Status(http.StatusUnauthorized).JSON(fiber.Map{"error": theirs.ErrorType, "error_description": theirs.Description})
	default:
		return err
	}
}

// AppByHeader finds the app that a request with a JSON body, or with none, comes from: by its
// secret with the scheme Basic, or by a signed assertion with the scheme Bearer. invalid_client
// for public apps too.
func (h *Handlers) AppByHeader(c *fiber.Ctx) (models.App, error) {
	var app models.App
	var err error
	if scheme, assertion, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " "); strings.EqualFold(scheme, "Bearer") {
		app, err = h.byAssertion(c.UserContext(), op.ClientCredentials{ClientAssertion: strings.TrimSpace(assertion)})
	} else {
		app, err = h.appByForm(c, url.Values{})
	}
	var theirs *oidc.Error
	if errors.As(err, &theirs) || err == nil && app.Public {
		return models.App{}, models.Refuse(models.CodeInvalidClient, "show which app you are, by Authorization")
	}
	return app, err
}

// appByForm finds the app that a form comes from, as the library does for its own.
func (h *Handlers) appByForm(c *fiber.Ctx, form url.Values) (models.App, error) {
	cc := op.ClientCredentials{
		ClientID: form.Get("client_id"), ClientSecret: form.Get("client_secret"),
		ClientAssertion: form.Get("client_assertion"), ClientAssertionType: form.Get("client_assertion_type"),
	}
	if header := c.Get(fiber.HeaderAuthorization); header != "" {
		basic := http.Request{Header: http.Header{"Authorization": {header}}}
		id, secret, ok := basic.BasicAuth()
		if !ok || cc.ClientSecret != "" || cc.ClientAssertion != "" {
			return models.App{}, invalidClient()
		}
		var errID, errSecret error
		cc.ClientID, errID = url.QueryUnescape(id)
		cc.ClientSecret, errSecret = url.QueryUnescape(secret)
		if errID != nil || errSecret != nil || form.Has("client_id") && form.Get("client_id") != cc.ClientID {
			return models.App{}, invalidClient()
		}
	}
	if cc.ClientAssertion != "" && (cc.ClientSecret != "" || cc.ClientAssertionType != oidc.ClientAssertionTypeJWTAssertion) {
		return models.App{}, invalidClient()
	}
	return h.authenticate(c.UserContext(), cc)
}
