package link

import (
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

// ProveEmail answers POST /v1/links/{kind} for the kinds that prove an address of an
// account: verify-email, change-email and second-email. Whoever has the link may use
// it, signed in or not: the session asked for it.
func (h *Handlers) ProveEmail(kind models.LinkKind) fiber.Handler {
	return func(c *fiber.Ctx) error {
		token, err := web.LinkToken(c)
		if err != nil {
			return err
		}
		if err := h.Store.ProveEmail(c.UserContext(), kind, token, web.Client(c)); err != nil {
			return err
		}
		return c.SendStatus(fiber.StatusNoContent)
	}
}

// ProveEmailPage asks whether it is meant.
func (h *Handlers) ProveEmailPage(kind models.LinkKind) fiber.Handler {
	return func(c *fiber.Ctx) error {
		return h.Render(c, pages.ProveEmailPage{Layout: h.Layout(c), Kind: string(kind)})
	}
}

// UndoEmail answers POST /v1/links/undo-email: the address before the change is the
// account's again, and everybody is signed out.
func (h *Handlers) UndoEmail(c *fiber.Ctx) error {
	token, err := web.LinkToken(c)
	if err != nil {
		return err
	}
	outcome, err := h.Store.UndoEmail(c.UserContext(), token, web.Client(c))
	if err != nil {
		return err
	}
	return c.JSON(denialBody{Outcome: outcome})
}

// UndoEmailPage asks whether it is meant.
func (h *Handlers) UndoEmailPage(c *fiber.Ctx) error {
	return h.Render(c, pages.UndoEmailPage{Layout: h.Layout(c)})
}
