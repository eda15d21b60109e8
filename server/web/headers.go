package web

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Headers sets what every answer carries. Nothing with a session may be kept
// by any cache; assets relax that for themselves.
func (d *Door) Headers() fiber.Handler {
	// 'self' covers wss: in current browsers; older Safari wants it said.
	socket := "ws" + strings.TrimPrefix(d.Origin, "http")
	policy := strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"worker-src 'self'",
		"style-src 'self'",
		"img-src 'self' blob:",
		"connect-src 'self' " + socket,
		"form-action 'self'",
		"base-uri 'none'",
		"frame-ancestors 'none'",
	}, "; ")
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentSecurityPolicy, policy)
		c.Set(fiber.HeaderPermissionsPolicy, "camera=(self), publickey-credentials-get=(self), publickey-credentials-create=(self), "+
			"microphone=(), geolocation=(), payment=(), usb=()")
		c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
		c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
		c.Set("Cross-Origin-Opener-Policy", "same-origin")
		c.Set("Cross-Origin-Resource-Policy", "same-origin")
		c.Set(fiber.HeaderCacheControl, "no-store")
		if d.Secure {
			c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
		}
		return c.Next()
	}
}
