package oidc

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/mfa"
	"github.com/sallyport/sallyport/models/seal"
	"github.com/sallyport/sallyport/server/web"
)

const pushedURI = "urn:ietf:params:oauth:request_uri:"

// AuthorizeByForm answers POST /oauth/authorize, which OpenID Connect Core section 3.1.2.1
// wants: a form of another site carries no cookie of ours, so the browser comes again.
func (h *Handlers) AuthorizeByForm(c *fiber.Ctx) error {
	form, err := readForm(c)
	if err != nil {
		return err
	}
	return c.Redirect(PathAuthorize+"?"+form.Encode(), http.StatusSeeOther)
}

func readForm(c *fiber.Ctx) (url.Values, error) {
	body, err := io.ReadAll(web.BodyReader(c))
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, models.Invalid("", "form", "this is no form")
	}
	return form, nil
}

// Authorize answers GET /oauth/authorize. What can be answered at once is; for the rest
// the request waits while its person does what it takes.
func (h *Handlers) Authorize(c *fiber.Ctx) error {
	form, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return models.Invalid("", "query", "the app that sent you here made a request that can't be read")
	}
	params, twice := readParams(form)
	app, err := h.appOf(c, params)
	if err != nil {
		return err
	}
	waiting := models.Authorization{AppID: app.ID, Params: params, CreatedAt: h.Now(), ExpiresAt: h.Now().Add(waitLifetime)}
	if handle, pushed := strings.CutPrefix(params["request_uri"], pushedURI); pushed {
		waiting.Browser = h.browser(c)
		waiting, err = h.Store.ClaimPushed(c.UserContext(), models.HashToken(handle), app.ID, waiting)
		if models.CodeOf(err) == models.CodeNotFound {
			return models.Invalid("request_uri", "over", "this request was used, or waited too long: go back to the app and try again")
		}
		if err != nil {
			return err
		}
		params, twice = waiting.Params, ""
	}
	uri, mode, ok := target(app, params)
	if !ok {
		return models.Invalid("redirect_uri", "unknown", "the app that sent you here named an address that is not registered for it")
	}
	if twice != "" {
		return h.answer(c, uri, mode, params["state"], refusedParams(refuse(invalidRequest, twice+" is there twice")))
	}
	return h.proceed(c, app, waiting)
}

func (h *Handlers) appOf(c *fiber.Ctx, params map[string]string) (models.App, error) {
	app, err := h.Store.App(c.UserContext(), params["client_id"])
	if models.CodeOf(err) == models.CodeNotFound {
		return app, models.Invalid("client_id", "unknown", "the app that sent you here is not known")
	}
	return app, err
}

// Continue answers GET /authorize/{id}: a request that waits goes on.
func (h *Handlers) Continue(c *fiber.Ctx) error {
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	waiting, err := h.Store.Authorization(c.UserContext(), id, h.browser(c))
	if err != nil {
		return err
	}
	app, err := h.Store.App(c.UserContext(), waiting.AppID)
	if err != nil {
		return err
	}
	if _, _, ok := target(app, waiting.Params); !ok { // its settings were changed meanwhile
		return models.Invalid("redirect_uri", "unknown", "the app that sent you here named an address that is not registered for it")
	}
	return h.proceed(c, app, waiting)
}

// proceed judges a request and does what comes of it.
func (h *Handlers) proceed(c *fiber.Ctx, app models.App, waiting models.Authorization) error {
	uri, mode, _ := target(app, waiting.Params)
	state := waiting.Params["state"]
	told := func(err error) error {
		var why *refusal
		if !errors.As(err, &why) {
			return err
		}
		return h.answer(c, uri, mode, state, refusedParams(err))
	}
	r, err := check(app, waiting.Params)
	if err != nil {
		return told(err)
	}
	if hint := waiting.Params["id_token_hint"]; hint != "" {
		if r.hint, _, err = h.readHint(c, hint, app.ID); err != nil {
			return told(refuse(invalidRequest, "id_token_hint was not issued here"))
		}
	}
	if err := h.FindSession(c); err != nil {
		return err
	}
	saw, err := h.see(c, r, waiting)
	if err != nil {
		return err
	}
	what, err := judge(r, saw)
	if err != nil {
		return told(err)
	}
	if what == give {
		params, err := h.give(c, r, saw, waiting.ID)
		if err != nil {
			return told(err)
		}
		return h.answer(c, uri, mode, state, params)
	}
	return h.wait(c, r, saw, what, waiting)
}

// see looks up what a request is judged by.
func (h *Handlers) see(c *fiber.Ctx, r request, waiting models.Authorization) (seen, error) {
	s := seen{session: web.Session(c), begun: waiting.CreatedAt, now: h.Now()}
	if s.session.State != models.Authenticated {
		return s, nil
	}
	if waiting.DecidedBy == s.session.ID {
		s.agreed = waiting.Decision
	}
	usable, err := h.UsableFactors(c, s.session)
	if err != nil {
		return s, err
	}
	s.best = mfa.Best(usable)
	consents, err := h.Store.AppConsents(c.UserContext(), s.session.User.ID)
	if err != nil {
		return s, err
	}
	for _, consent := range consents {
		if consent.AppID == r.app.ID {
			s.consent = consent
		}
	}
	return s, nil
}

// give keeps what the app gets, and makes the answer's parameters.
func (h *Handlers) give(c *fiber.Ctx, r request, s seen, waited models.ID) (url.Values, error) {
	grant := models.Grant{
		ID: models.NewID(s.now), AppID: r.app.ID, UserID: s.session.User.ID, SessionID: s.session.ID, Scopes: r.scopes, Claims: r.claims,
		Nonce: r.params["nonce"], Methods: s.session.Methods, CreatedAt: s.now,
	}
	if grant.Claims == nil {
		grant.Claims = []string{}
	}
	var code *models.AuthCode
	secret := seal.NewToken()
	if r.responseType == "code" {
		code = &models.AuthCode{
			Hash: models.HashToken(secret), RedirectURI: r.redirectURI, Challenge: r.params["code_challenge"], ExpiresAt: s.now.Add(codeLifetime),
		}
	}
	err := h.Store.GiveGrant(c.UserContext(), s.session.Ref(), grant, code, waited)
	switch code := models.CodeOf(err); {
	case err == nil:
	case code == models.CodeSessionRequired:
		return nil, refuse(loginRequired, "the session ended meanwhile")
	case code == models.CodeNotFound:
		return nil, refuse(accessDenied, "this request was answered already")
	default:
		return nil, err
	}
	if code != nil {
		return url.Values{"code": {secret}}, nil
	}
	token, err := h.idToken(c.UserContext(), r.app, grant, s.session.User, r.scopes, grant.Nonce, "")
	return url.Values{"id_token": {token}}, err
}

// Push answers POST /oauth/par (RFC 9126): an app leaves its request here and sends the
// browser with a handle alone.
func (h *Handlers) Push(c *fiber.Ctx) error {
	form, err := readForm(c)
	if err != nil {
		return err
	}
	app, err := h.appByForm(c, form)
	if err != nil {
		return h.machineError(c, err)
	}
	params, twice := readParams(form)
	if twice != "" || params["request_uri"] != "" {
		return h.machineError(c, refuse(invalidRequest, "each parameter once, and no request_uri"))
	}
	params["client_id"] = app.ID
	if _, _, ok := target(app, params); !ok {
		return h.machineError(c, refuse(invalidRequest, "redirect_uri is not registered for this client"))
	}
	if _, err := check(app, params); err != nil {
		return h.machineError(c, err)
	}
	handle, now := seal.NewToken(), h.Now()
	a := models.Authorization{ID: models.NewID(now), AppID: app.ID, Params: params, CreatedAt: now, ExpiresAt: now.Add(pushLifetime)}
	if err := h.Store.KeepAuthorization(c.UserContext(), a, models.HashToken(handle)); err != nil {
		return err
	}
	return c.Status(http.StatusCreated).JSON(fiber.Map{"request_uri": pushedURI + handle, "expires_in": int(pushLifetime.Seconds())})
}
