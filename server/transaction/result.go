package transaction

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

type statusBody struct {
	ID        models.ID                `json:"id"`
	Status    models.TransactionStatus `json:"status"`
	ExpiresAt time.Time                `json:"expires_at"`
}

// Status answers GET /v1/transactions/{id}: where it stands, which uses nothing up and is
// no result.
func (h *Handlers) Status(c *fiber.Ctx) error {
	app, err := h.appOf(c)
	if err != nil {
		return err
	}
	t, err := h.mine(c, app)
	if err != nil {
		return err
	}
	return c.JSON(statusBody{ID: t.ID, Status: t.StatusAt(h.Now()), ExpiresAt: t.ExpiresAt})
}

type resultBody struct {
	Status      models.TransactionStatus `json:"status"`
	Subject     string                   `json:"subject"`
	ACR         models.ACR               `json:"acr"` // of what was passed here alone
	AMR         []string                 `json:"amr"` // RFC 8176
	At          time.Time                `json:"at"`
	Enrolled    bool                     `json:"enrolled"`
	ContextHash string                   `json:"context_hash"`
}

// Result answers POST /v1/transactions/{id}/result, once, and for the app alone that asked.
// What the password is worth beside it is that app's business.
func (h *Handlers) Result(c *fiber.Ctx) error {
	app, err := h.appOf(c)
	if err != nil {
		return err
	}
	var r struct {
		Code string `json:"code"`
	}
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	t, err := h.Store.RedeemTransaction(c.UserContext(), app.ID, id, models.HashToken(r.Code), web.Client(c))
	if err != nil {
		return err
	}
	return c.JSON(resultBody{
		Status: models.TransactionDone, Subject: t.User.Subject, ACR: models.ACROf(t.Methods), AMR: models.AMROf(t.Methods), At: *t.PassedAt,
		Enrolled: t.Enrolled, ContextHash: t.Asked.Context.Hash(),
	})
}
