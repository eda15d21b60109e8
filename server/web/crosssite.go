package web

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

// RefuseCrossSite refuses writes that another site had the browser make. It
// follows net/http's CrossOriginProtection: browsers say where a request comes
// from by Sec-Fetch-Site, older ones by Origin, and what sends neither is no
// browser and carries nobody's cookie by accident. Apps that are listed may write
// to the v1 surface.
func (d *Door) RefuseCrossSite(c *fiber.Ctx) error {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions:
		return c.Next()
	}
	if !d.sameOrigin(c) && !d.fromApp(c) {
		return models.Refuse(models.CodeCrossSite, "this request came from another site")
	}
	return c.Next()
}

// sameOrigin tells whether the request comes from our own pages or from no
// browser at all.
func (d *Door) sameOrigin(c *fiber.Ctx) bool {
	switch c.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
		origin := c.Get(fiber.HeaderOrigin)
		return origin == "" || origin == d.Origin
	default:
		return false
	}
}

// Knows tells whether a page of an origin may open sockets here: it is one of our own, or
// of an app that is listed. "" is no browser.
func (d *Door) Knows(origin string) bool {
	return origin == "" || origin == d.Origin || slices.Contains(d.Apps, origin)
}

// fromApp tells whether a script of a listed app asks for what such apps may use: the v1
// surface but for admins'. Origins are compared to the letter, as browsers write them.
func (d *Door) fromApp(c *fiber.Ctx) bool {
	return strings.HasPrefix(c.Path(), "/v1/") && !strings.HasPrefix(c.Path(), "/v1/admin/") && slices.Contains(d.Apps, c.Get(fiber.HeaderOrigin))
}

// ShareWithApps lets scripts of listed apps send requests with the session's cookie and read
// the answers (Fetch, "CORS protocol"). Nobody else is told anything.
func (d *Door) ShareWithApps(c *fiber.Ctx) error {
	if len(d.Apps) == 0 {
		return c.Next()
	}
	c.Vary(fiber.HeaderOrigin) // also of what others get: a cache must not hand it on
	if !d.fromApp(c) {
		return c.Next()
	}
	c.Set(fiber.HeaderAccessControlAllowOrigin, c.Get(fiber.HeaderOrigin))
	c.Set(fiber.HeaderAccessControlAllowCredentials, "true")
	if c.Method() != fiber.MethodOptions {
		c.Set(fiber.HeaderAccessControlExposeHeaders, fiber.HeaderRetryAfter)
		return c.Next()
	}
	c.Set(fiber.HeaderAccessControlAllowMethods, "GET, POST, PATCH, DELETE")
	c.Set(fiber.HeaderAccessControlAllowHeaders, fiber.HeaderContentType)
	c.Set(fiber.HeaderAccessControlMaxAge, "600")
	return c.SendStatus(fiber.StatusNoContent)
}
