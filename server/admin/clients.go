package admin

import (
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

type clientBody struct {
	Client    models.App       `json:"client"`
	Managed   models.AppKeeper `json:"managed"`
	Secrets   int              `json:"secrets"` // that live
	CreatedAt time.Time        `json:"created_at"`
	UpdatedAt time.Time        `json:"updated_at"`
}

func newClient(a models.AppRecord) clientBody {
	return clientBody{a.App, a.Managed, len(a.SecretHashes), a.CreatedAt, a.UpdatedAt}
}

// Clients answers GET /v1/admin/clients.
func (h *Handlers) Clients(c *fiber.Ctx) error {
	found, err := h.Store.Apps(c.UserContext())
	if err != nil {
		return err
	}
	list := []clientBody{}
	for _, a := range found {
		list = append(list, newClient(a))
	}
	return c.JSON(fiber.Map{"clients": list})
}

// Client answers GET /v1/admin/clients/{id}.
func (h *Handlers) Client(c *fiber.Ctx) error {
	found, err := h.Store.Apps(c.UserContext())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(found, func(a models.AppRecord) bool { return a.ID == c.Params("id") })
	if i < 0 {
		return models.Refuse(models.CodeNotFound, "there is nothing here")
	}
	return c.JSON(newClient(found[i]))
}

// readClient reads an app with what it doesn't say filled in. Of everything that is wrong
// with it the first is told.
func readClient(c *fiber.Ctx, id string) (models.App, error) {
	var r struct {
		Client models.App `json:"client"`
	}
	if err := web.Decode(c, &r); err != nil {
		return r.Client, err
	}
	if id != "" && r.Client.ID == "" {
		r.Client.ID = id
	}
	if id != "" && r.Client.ID != id {
		return r.Client, models.Invalid("client.id", "changed", "an app keeps its id: make another one instead")
	}
	app := r.Client.WithDefaults()
	if problems := app.Check(); len(problems) > 0 {
		return app, models.Invalid("client."+problems[0].Key, "value", problems[0].Key+" "+problems[0].Message)
	}
	return app, nil
}

// AddClient answers POST /v1/admin/clients. The answer alone shows the secret, where the
// app has one.
func (h *Handlers) AddClient(c *fiber.Ctx) error {
	app, err := readClient(c, "")
	if err != nil {
		return err
	}
	secret, err := h.Store.CreateApp(c.UserContext(), web.Session(c).Ref(), app, h.Decide(c, models.Event{Kind: models.ClientAdded, Object: models.ID(app.ID)}))
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(fiber.Map{"id": app.ID, "secret": secret})
}

// ChangeClient answers PUT /v1/admin/clients/{id}: what the body leaves out becomes the
// default.
func (h *Handlers) ChangeClient(c *fiber.Ctx) error {
	app, err := readClient(c, c.Params("id"))
	if err != nil {
		return err
	}
	if err := h.Store.UpdateApp(c.UserContext(), web.Session(c).Ref(), app, h.Decide(c, models.Event{Kind: models.ClientChanged, Object: models.ID(app.ID)})); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// RemoveClient answers DELETE /v1/admin/clients/{id}.
func (h *Handlers) RemoveClient(c *fiber.Ctx) error {
	id := c.Params("id")
	if err := h.Store.DeleteApp(c.UserContext(), web.Session(c).Ref(), id, h.Decide(c, models.Event{Kind: models.ClientRemoved, Object: models.ID(id)})); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// RotateClientSecret answers POST /v1/admin/clients/{id}/secrets. The answer alone shows
// the secret.
func (h *Handlers) RotateClientSecret(c *fiber.Ctx) error {
	if err := web.Decode(c, &struct{}{}); err != nil {
		return err
	}
	id := c.Params("id")
	secret, err := h.Store.RotateAppSecret(c.UserContext(), web.Session(c).Ref(), id, h.Decide(c, models.Event{Kind: models.ClientSecretRotated, Object: models.ID(id)}))
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(fiber.Map{"id": id, "secret": secret})
}
