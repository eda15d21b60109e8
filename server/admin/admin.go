// Package admin is what the people who run the site do. They let somebody back in who lost
// every factor: one admin asks, another agrees, and the account's owner gets a link.
// Nobody here sets a password or a factor for anybody. And they say which programs are
// told what happens, which apps sign people in, and watch it.
package admin

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

// Store is what this part needs of the records.
type Store interface {
	AssistedRecoveries(ctx context.Context) ([]models.AssistedRequest, error)
	OpenAssisted(ctx context.Context, ref models.Ref, username string, decide models.Decide) (models.ID, error)
	ApproveAssisted(ctx context.Context, ref models.Ref, id models.ID, decide models.Decide) error
	WithdrawAssisted(ctx context.Context, by models.Session, id models.ID) error

	Apps(ctx context.Context) ([]models.AppRecord, error)
	CreateApp(ctx context.Context, ref models.Ref, app models.App, decide models.Decide) (secret string, err error)
	UpdateApp(ctx context.Context, ref models.Ref, app models.App, decide models.Decide) error
	DeleteApp(ctx context.Context, ref models.Ref, id string, decide models.Decide) error
	RotateAppSecret(ctx context.Context, ref models.Ref, id string, decide models.Decide) (secret string, err error)

	Webhooks(ctx context.Context) ([]models.Webhook, error)
	AddWebhook(ctx context.Context, ref models.Ref, w models.Webhook, decide models.Decide) (secret string, err error)
	ChangeWebhook(ctx context.Context, ref models.Ref, id models.ID, change models.WebhookChange, decide models.Decide) (models.Webhook, error)
	RemoveWebhook(ctx context.Context, ref models.Ref, id models.ID, decide models.Decide) error
	RotateWebhookSecret(ctx context.Context, ref models.Ref, id models.ID, decide models.Decide) (secret string, err error)
	TestWebhook(ctx context.Context, id models.ID) (models.ID, error)
	Deliveries(ctx context.Context, endpoint models.ID, state models.DeliveryState, before models.ID, limit int) ([]models.Delivery, error)
	ReplayDelivery(ctx context.Context, id models.ID) error
	PublishedEvents(ctx context.Context, behind models.ID, limit int) ([]models.AuditEvent, error)
}

// Handlers answers the requests of this part.
type Handlers struct {
	*web.Door
	Store Store
	// CheckURL tells what is wrong with a webhook's address.
	CheckURL func(string) error
	// Stream holds an answer open and writes what more gives, until the session ends.
	Stream func(c *fiber.Ctx, more func(context.Context) (string, error)) error
}

type recoveryBody struct {
	ID         models.ID  `json:"id"`
	Username   string     `json:"username"`
	OpenedBy   string     `json:"opened_by"`
	Own        bool       `json:"own"` // opened by whoever asks: another admin has to agree
	ApprovedBy string     `json:"approved_by"`
	BegunAt    time.Time  `json:"begun_at"`
	ApprovedAt *time.Time `json:"approved_at"`
}

// Recoveries answers GET /v1/admin/recoveries.
func (h *Handlers) Recoveries(c *fiber.Ctx) error {
	list, err := h.list(c)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"recoveries": list})
}

func (h *Handlers) list(c *fiber.Ctx) ([]recoveryBody, error) {
	found, err := h.Store.AssistedRecoveries(c.UserContext())
	if err != nil {
		return nil, err
	}
	list := []recoveryBody{}
	for _, r := range found {
		list = append(list, recoveryBody{
			ID: r.ID, Username: r.Username, OpenedBy: r.OpenedBy, Own: r.OpenedByID == web.Session(c).User.ID,
			ApprovedBy: r.ApprovedBy, BegunAt: r.BegunAt, ApprovedAt: r.ApprovedAt,
		})
	}
	return list, nil
}

type openRequest struct {
	Username string `json:"username"`
}

// Open answers POST /v1/admin/recoveries: the first admin's word.
func (h *Handlers) Open(c *fiber.Ctx) error {
	var r openRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	if r.Username == "" {
		return models.Invalid("username", "length", "write the user name of the account, as its owner does")
	}
	if !h.Mails {
		return &models.Error{Code: models.CodeConflict, Reason: "no_mail", Message: "this site sends no mail, so nobody can be let back in"}
	}
	id, err := h.Store.OpenAssisted(c.UserContext(), web.Session(c).Ref(), r.Username, h.Decide(c, models.Event{Kind: models.AssistedOpened}))
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(fiber.Map{"id": id})
}

// Approve answers POST /v1/admin/recoveries/{id}/approve: the second admin's word.
func (h *Handlers) Approve(c *fiber.Ctx) error {
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	if err := web.Decode(c, &struct{}{}); err != nil {
		return err
	}
	if err := h.Store.ApproveAssisted(c.UserContext(), web.Session(c).Ref(), id, h.Decide(c, models.Event{Kind: models.AssistedApproved})); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// Withdraw answers DELETE /v1/admin/recoveries/{id}.
func (h *Handlers) Withdraw(c *fiber.Ctx) error {
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	if err := h.Store.WithdrawAssisted(c.UserContext(), web.Session(c), id); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// Page shows the recoveries and what can be done with them.
func (h *Handlers) Page(c *fiber.Ctx) error {
	list, err := h.list(c)
	if err != nil {
		return err
	}
	page := pages.AdminRecoveriesPage{Layout: h.Layout(c)}
	for _, r := range list {
		page.Recoveries = append(page.Recoveries, pages.AssistedRow{
			ID: string(r.ID), Username: r.Username, OpenedBy: r.OpenedBy, Own: r.Own, ApprovedBy: r.ApprovedBy, BegunAt: r.BegunAt,
		})
	}
	return h.Render(c, page)
}
