package admin

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

type webhookBody struct {
	ID          models.ID  `json:"id"`
	URL         string     `json:"url"`
	Description string     `json:"description"`
	Types       []string   `json:"types"` // empty for all
	CreatedAt   time.Time  `json:"created_at"`
	DisabledAt  *time.Time `json:"disabled_at"`
	Waiting     int        `json:"waiting"`
	Dead        int        `json:"dead"`
}

func newWebhook(w models.Webhook) webhookBody { return webhookBody(w) }

// Webhooks answers GET /v1/admin/webhooks.
func (h *Handlers) Webhooks(c *fiber.Ctx) error {
	found, err := h.Store.Webhooks(c.UserContext())
	if err != nil {
		return err
	}
	list := []webhookBody{}
	for _, w := range found {
		list = append(list, newWebhook(w))
	}
	return c.JSON(fiber.Map{"webhooks": list, "types": models.EventTypes()})
}

type addRequest struct {
	URL         string   `json:"url"`
	Description string   `json:"description"`
	Types       []string `json:"types"`
}

// AddWebhook answers POST /v1/admin/webhooks. The answer alone shows the secret.
func (h *Handlers) AddWebhook(c *fiber.Ctx) error {
	var r addRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	w := models.Webhook{ID: models.NewID(h.Now()), URL: r.URL, Description: r.Description, Types: append([]string{}, r.Types...)}
	change := models.WebhookChange{URL: &w.URL, Description: &w.Description, Types: &w.Types}
	if err := change.Check(h.CheckURL); err != nil {
		return err
	}
	secret, err := h.Store.AddWebhook(c.UserContext(), web.Session(c).Ref(), w, h.Decide(c, models.Event{Kind: models.WebhookAdded, Object: w.ID}))
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(fiber.Map{"id": w.ID, "secret": secret})
}

type changeRequest struct {
	URL         *string   `json:"url"`
	Description *string   `json:"description"`
	Types       *[]string `json:"types"`
	Disabled    *bool     `json:"disabled"`
}

// ChangeWebhook answers PATCH /v1/admin/webhooks/{id}.
func (h *Handlers) ChangeWebhook(c *fiber.Ctx) error {
	var r changeRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	change := models.WebhookChange(r)
	if err := change.Check(h.CheckURL); err != nil {
		return err
	}
	changed, err := h.Store.ChangeWebhook(c.UserContext(), web.Session(c).Ref(), id, change, h.Decide(c, models.Event{Kind: models.WebhookChanged, Object: id}))
	if err != nil {
		return err
	}
	return c.JSON(newWebhook(changed))
}

// RemoveWebhook answers DELETE /v1/admin/webhooks/{id}.
func (h *Handlers) RemoveWebhook(c *fiber.Ctx) error {
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	if err := h.Store.RemoveWebhook(c.UserContext(), web.Session(c).Ref(), id, h.Decide(c, models.Event{Kind: models.WebhookRemoved, Object: id})); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// RotateSecret answers POST /v1/admin/webhooks/{id}/secrets. The answer alone shows the
// secret.
func (h *Handlers) RotateSecret(c *fiber.Ctx) error {
	if err := web.Decode(c, &struct{}{}); err != nil {
		return err
	}
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	secret, err := h.Store.RotateWebhookSecret(c.UserContext(), web.Session(c).Ref(), id, h.Decide(c, models.Event{Kind: models.WebhookSecretRotated, Object: id}))
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(fiber.Map{"id": id, "secret": secret})
}

// TestWebhook answers POST /v1/admin/webhooks/{id}/test: what comes of it is among the
// deliveries.
func (h *Handlers) TestWebhook(c *fiber.Ctx) error {
	if err := web.Decode(c, &struct{}{}); err != nil {
		return err
	}
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	delivery, err := h.Store.TestWebhook(c.UserContext(), id)
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusAccepted).JSON(fiber.Map{"id": delivery})
}
