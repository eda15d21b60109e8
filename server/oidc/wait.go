package oidc

import (
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

// requestCookie binds an app's request to a browser while its person signs in.
const requestCookie = "sallyport-request"

// kindWaiting counts requests that are kept for somebody: anybody can make one.
const kindWaiting = "authorization"

// browser is what a request that waits is bound to: whoever is handed its address can't
// go on with it elsewhere.
func (h *Handlers) browser(c *fiber.Ctx) models.TokenHash {
	token := h.HostCookie(c, requestCookie)
	if token == "" {
		token = seal.NewToken()
	}
	h.SetHostCookie(c, requestCookie, token, h.Now().Add(waitLifetime))
	return models.HashToken(token)
}

// wait keeps a request until its person has done what it takes, and leads them there.
func (h *Handlers) wait(c *fiber.Ctx, r request, s seen, what outcome, waiting models.Authorization) error {
	if waiting.ID == "" {
		if err := h.CountNetwork(c, kindWaiting, h.Policy(c).Limits.Login); err != nil {
			return err
		}
		waiting.ID, waiting.Browser = models.NewID(h.Now()), h.browser(c)
		if err := h.Store.KeepAuthorization(c.UserContext(), waiting, models.TokenHash{}); err != nil {
			return err
		}
	}
	here := "/authorize/" + string(waiting.ID)
	switch what {
	case signIn:
		lead := h.Lead(s.session.State, here)
		if hint := r.params["login_hint"]; hint != "" && len(hint) <= 320 && s.session.State == models.Anonymous {
			lead += "&hint=" + url.QueryEscape(hint)
		}
		return c.Redirect(lead, http.StatusSeeOther)
	case confirm:
		return c.Redirect("/confirm?next="+url.QueryEscape(here), http.StatusSeeOther)
	case agree, choose, give:
	}
	page := pages.AuthorizePage{
		Layout: h.Layout(c), ID: string(waiting.ID), App: r.app.Name, Choosing: what == choose, Scopes: r.scopes,
		Host: hostOf(r.redirectURI), OtherAccount: r.hint != "" && r.hint != s.session.User.ID,
	}
	return h.Render(c, page)
}

func hostOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return u.Host
}

// Decide answers POST /v1/authorizations/{id}: what a person says about a request that
// waits in their browser.
func (h *Handlers) Decide(c *fiber.Ctx) error {
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	var body struct {
		Decision string `json:"decision"`
	}
	if err := web.Decode(c, &body); err != nil {
		return err
	}
	if body.Decision != "allow" && body.Decision != "deny" {
		return models.Invalid("decision", "unknown", "decision is allow or deny")
	}
	waiting, err := h.Store.Authorization(c.UserContext(), id, h.browser(c))
	if err != nil {
		return err
	}
	app, err := h.Store.App(c.UserContext(), waiting.AppID)
	if err != nil {
		return err
	}
	r, err := check(app, waiting.Params)
	if err != nil {
		return models.Refuse(models.CodeNotFound, "there is nothing here")
	}
	if err := h.Store.DecideAuthorization(c.UserContext(), web.Session(c), id, waiting.Browser, body.Decision, r.scopes); err != nil {
		return err
	}
	return c.SendStatus(http.StatusNoContent)
}

// ConfirmPage answers GET /confirm: an app, or a door in front of one, wants to know once
// more that it's the person. What is proven is in the session; whoever sent them looks there.
func (h *Handlers) ConfirmPage(c *fiber.Ctx) error {
	return h.Render(c, pages.ConfirmPage{Layout: h.Layout(c), Next: web.NextPath(c)})
}

// Confirm answers POST /v1/session/confirm: it uses up the step-up that was asked for it.
func (h *Handlers) Confirm(c *fiber.Ctx) error {
	if err := web.Decode(c, &struct{}{}); err != nil {
		return err
	}
	if err := h.Store.SpendStepUp(c.UserContext(), web.Session(c).Ref(), h.Door.Decide(c, models.Event{Kind: models.Confirmed})); err != nil {
		return err
	}
	return c.SendStatus(http.StatusNoContent)
}
