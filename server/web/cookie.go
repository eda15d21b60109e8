package web

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

// cookieName is __Host-sallyport, which a browser only takes with Secure, for
// this host and for every path. On http://localhost that prefix can't be set.
func (d *Door) cookieName() string { return d.hostPrefix() + "sallyport" }

func (d *Door) preSessionName() string { return d.hostPrefix() + "sallyport-pre" }

// HostCookie reads a cookie that the browser keeps for the host of the request alone.
func (d *Door) HostCookie(c *fiber.Ctx, name string) string { return c.Cookies(d.hostPrefix() + name) }

// SetHostCookie has the browser keep such a cookie; an empty value takes it away.
func (d *Door) SetHostCookie(c *fiber.Ctx, name, value string, expires time.Time) {
	d.setCookie(c, d.hostPrefix()+name, value, expires)
}

func (d *Door) hostPrefix() string {
	if d.Secure {
		return "__Host-"
	}
	return ""
}

func (d *Door) setCookie(c *fiber.Ctx, name, value string, expires time.Time) {
	c.Cookie(&fiber.Cookie{
		Name:     name,
		Value:    value,
		Path:     "/",
		Expires:  expires,
		Secure:   d.Secure,
		HTTPOnly: true,
		SameSite: fiber.CookieSameSiteLaxMode,
	})
}

// ClearSession takes the session's cookie from the browser.
func (d *Door) ClearSession(c *fiber.Ctx) {
	d.setCookie(c, d.cookieName(), "", time.Unix(0, 0))
}

// SetPreSession binds a ceremony that begins without a session to this browser.
func (d *Door) SetPreSession(c *fiber.Ctx, token string, expires time.Time) {
	d.setCookie(c, d.preSessionName(), token, expires)
}

// TakePreSession gives the hash of the pre-session token and clears its cookie.
func (d *Door) TakePreSession(c *fiber.Ctx) (models.TokenHash, bool) {
	token := c.Cookies(d.preSessionName())
	if token == "" {
		return models.TokenHash{}, false
	}
	d.setCookie(c, d.preSessionName(), "", time.Unix(0, 0))
	return models.HashToken(token), true
}
