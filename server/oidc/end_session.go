package oidc

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

// readHint reads an ID token that was issued here, also one that is over (OpenID Connect
// RP-Initiated Logout section 2): whose it is, and of which session. appID is whose token
// it has to be, "" for anybody's.
func (h *Handlers) readHint(c *fiber.Ctx, token, appID string) (user, session models.ID, err error) {
	var claims struct {
		Issuer   string    `json:"iss"`
		Subject  models.ID `json:"sub"`
		Audience string    `json:"aud"`
		Session  models.ID `json:"sid"`
	}
	if err := h.Keys.Verify(c.UserContext(), token, typID, &claims); err != nil {
		return "", "", err
	}
	if claims.Issuer != h.Origin || appID != "" && claims.Audience != appID {
		return "", "", errNotOurs
	}
	return claims.Subject, claims.Session, nil
}

// EndSessionByForm answers POST /oauth/end-session: see AuthorizeByForm.
func (h *Handlers) EndSessionByForm(c *fiber.Ctx) error {
	form, err := readForm(c)
	if err != nil {
		return err
	}
	return c.Redirect(PathEndSession+"?"+form.Encode(), http.StatusSeeOther)
}

// EndSession answers GET /oauth/end-session. An app that shows the ID token of this very
// session signs its person out; anybody else only has them asked. Where they may go
// afterwards is the app's own, to the letter.
func (h *Handlers) EndSession(c *fiber.Ctx) error {
	form, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return models.Invalid("", "query", "the app that sent you here made a request that can't be read")
	}
	if err := h.FindSession(c); err != nil {
		return err
	}
	appID := form.Get("client_id")
	var hinted models.ID
	if hint := form.Get("id_token_hint"); hint != "" {
		if _, hinted, err = h.readHint(c, hint, appID); err != nil {
			return models.Invalid("id_token_hint", "unknown", "the app that sent you here showed a token that was not issued here")
		}
		if appID == "" {
			appID = audienceOf(hint)
		}
	}
	after, err := h.afterwards(c, appID, form)
	if err != nil {
		return err
	}
	session := web.Session(c)
	page := pages.EndSessionPage{Layout: h.Layout(c), After: after}
	if session.State == models.Anonymous {
		page.Done = true
		if after != "" {
			return c.Redirect(after, http.StatusSeeOther)
		}
		return h.Render(c, page)
	}
	if page.Frames, err = h.frames(c, session.ID); err != nil {
		return err
	}
	if hinted != session.ID {
		h.allowFrames(c, page.Frames)
		return h.Render(c, page) // asks
	}
	if err := h.Door.Store.EndSession(c.UserContext(), session, session.ID); err != nil && models.CodeOf(err) != models.CodeNotFound {
		return err
	}
	h.ClearSession(c)
	if after != "" && len(page.Frames) == 0 {
		return c.Redirect(after, http.StatusSeeOther)
	}
	page.User, page.State, page.Done = nil, "", true
	h.allowFrames(c, page.Frames)
	return h.Render(c, page)
}

// afterwards is where a person may be sent after signing out; "" for nowhere.
func (h *Handlers) afterwards(c *fiber.Ctx, appID string, form url.Values) (string, error) {
	uri := form.Get("post_logout_redirect_uri")
	if uri == "" {
		return "", nil
	}
	app, err := h.appOf(c, map[string]string{"client_id": appID})
	if err != nil {
		return "", err
	}
	if !slices.Contains(app.PostLogoutRedirectURIs, uri) {
		return "", models.Invalid("post_logout_redirect_uri", "unknown", "the app that sent you here named an address that is not registered for it")
	}
	if state := form.Get("state"); state != "" {
		join := "?"
		if strings.Contains(uri, "?") {
			join = "&"
		}
		uri += join + url.Values{"state": {state}}.Encode()
	}
	return uri, nil
}

// frames are the pages of apps that are shown, unseen, when a session ends (OpenID Connect
// Front-Channel Logout section 2).
func (h *Handlers) frames(c *fiber.Ctx, sessionID models.ID) ([]string, error) {
	ids, err := h.Store.SessionGrants(c.UserContext(), sessionID)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, id := range ids {
		app, err := h.Store.App(c.UserContext(), id)
		if err != nil || app.FrontchannelLogoutURI == "" {
			continue
		}
		join := "?"
		if strings.Contains(app.FrontchannelLogoutURI, "?") {
			join = "&"
		}
		list = append(list, app.FrontchannelLogoutURI+join+url.Values{"iss": {h.Origin}, "sid": {string(sessionID)}}.Encode())
	}
	return list, nil
}

// allowFrames lets the page show them, and nothing else.
func (h *Handlers) allowFrames(c *fiber.Ctx, frames []string) {
	if len(frames) == 0 {
		return
	}
	sources := "frame-src"
	for _, frame := range frames {
		u, _ := url.Parse(frame)
		sources += " " + u.Scheme + "://" + u.Host
	}
	policy := string(c.Response().Header.Peek(fiber.HeaderContentSecurityPolicy))
	c.Set(fiber.HeaderContentSecurityPolicy, policy+"; "+sources)
}
