package forward

import (
	"net/url"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// headerLocation is where nginx finds what it is to lead a browser to: of an answer to
// its auth_request it takes no redirect.
const headerLocation = "Sallyport-Location"

// Nginx answers GET /authz/nginx with 200, 401 or 403 alone; of others nginx makes 500.
// A 401 says in Sallyport-Location where a person has to go.
func (h *Handlers) Nginx(c *fiber.Ctx) error {
	return h.answer(c, byNginx, func(c *fiber.Ctx, to string) error {
		c.Set(headerLocation, to)
		return signInFirst()
	})
}

// Forward answers /authz/forward, for Caddy and Traefik: they relay what is no 2xx.
func (h *Handlers) Forward(c *fiber.Ctx) error { return h.answer(c, byForward, redirect) }

// Envoy answers /authz/envoy/ and the path that Envoy was asked for.
func (h *Handlers) Envoy(c *fiber.Ctx) error { return h.answer(c, byEnvoy, redirect) }

func redirect(c *fiber.Ctx, to string) error { return c.Redirect(to, fiber.StatusFound) }

func signInFirst() error {
	return models.Refuse(models.CodeSessionRequired, "sign in, or confirm that it is you, and come back")
}

// answer says whether a request may go on to its app. Where a person has to sign in or
// prove something, a page leads there and everything else is 401.
func (h *Handlers) answer(c *fiber.Ctx, read func(*fiber.Ctx) (asked, error), lead func(*fiber.Ctx, string) error) error {
	identify(c, identity{})
	if err := h.trusted(c); err != nil {
		return err
	}
	a, err := read(c)
	if err != nil {
		return err
	}
	host, err := h.app(a.host)
	if err != nil {
		return err
	}
	rule, err := h.rule(host, a.target)
	if err != nil {
		return err
	}
	if rule.Public {
		return nil
	}
	if err := h.findSession(c, host); err != nil {
		return err
	}
	session := web.Session(c)
	switch judge(rule, session, h.Now()) {
	case theSession, aProof:
		if !a.navigates(c) {
			return signInFirst()
		}
		return lead(c, h.origin(host)+below+"start?rd="+url.QueryEscape(a.target))
	case theGroup:
		return wrongGroup()
	case nothing:
	}
	known, err := h.identity(c.UserContext(), session, host)
	if err != nil {
		return err
	}
	identify(c, known)
	return nil
}

// findSession finds the session that the browser has at the app's host.
func (h *Handlers) findSession(c *fiber.Ctx, host string) error {
	token := h.HostCookie(c, appCookie)
	if token == "" {
		return nil
	}
	session, err := h.Store.SessionByHost(c.UserContext(), models.HashToken(token), host)
	if models.CodeOf(err) == models.CodeSessionRequired {
		return nil
	}
	if err != nil {
		return err
	}
	return h.Admit(c, session)
}
