package web

import (
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

// RefuseCrossSite refuses writes that another site had the browser make. It
// follows net/http's CrossOriginProtection: browsers say where a request comes
// from by Sec-Fetch-Site, older ones by Origin, and what sends neither is no
// browser and carries nobody's cookie by accident.
func (d *Door) RefuseCrossSite(c *fiber.Ctx) error {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions:
		return c.Next()
	}
	if !d.SameOrigin(c) {
		return models.Refuse(models.CodeCrossSite, "this request came from another site")
	}
	return c.Next()
}

// SameOrigin tells whether the request comes from our own pages or from no
// browser at all.
func (d *Door) SameOrigin(c *fiber.Ctx) bool {
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
