package account

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// deletionBody tells when the account is erased.
type deletionBody struct {
	DeletionDueAt time.Time `json:"deletion_due_at"`
}

// Delete answers DELETE /v1/me. Every session ends with it, the one that asks too.
func (h *Handlers) Delete(c *fiber.Ctx) error {
	grace := h.Policy(c).Accounts.DeletionGrace.Std()
	due, err := h.Store.RequestDeletion(c.UserContext(), web.Session(c).Ref(), grace, h.Decide(c, models.Event{Kind: models.DeletionRequested}))
	if err != nil {
		return err
	}
	h.ClearSession(c)
	return c.JSON(deletionBody{due})
}

// Restore answers POST /v1/me/restore: the account stays.
func (h *Handlers) Restore(c *fiber.Ctx) error {
	if err := web.Decode(c, &struct{}{}); err != nil {
		return err
	}
	if err := h.Store.KeepAccount(c.UserContext(), web.Session(c)); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
