package auth

import (
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

// LoginPage asks for a password, or takes a passkey alone.
func (h *Handlers) LoginPage(c *fiber.Ctx) error {
	return h.Render(c, pages.LoginPage{Layout: h.Layout(c), Next: web.NextPath(c), Hint: c.Query("hint")})
}

// RegisterPage makes a new account.
func (h *Handlers) RegisterPage(c *fiber.Ctx) error {
	return h.Render(c, pages.RegisterPage{
		Layout: h.Layout(c), Next: web.NextPath(c), PasswordMin: h.Policy(c).Password.MinLength, PasswordMax: web.MaxPassword,
	})
}
