package passkey

import (
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// List answers GET /v1/me/passkeys.
func (h *Handlers) List(c *fiber.Ctx) error {
	records, err := h.Store.Passkeys(c.UserContext(), web.Session(c).User.ID)
	if err != nil {
		return err
	}
	list := []passkeyBody{}
	for _, r := range records {
		list = append(list, describe(r))
	}
	return c.JSON(fiber.Map{"passkeys": list})
}

type renameRequest struct {
	Name string `json:"name"`
}

// Rename answers PATCH /v1/me/passkeys/{id}.
func (h *Handlers) Rename(c *fiber.Ctx) error {
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	var r renameRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	name, err := checkName(r.Name)
	if err != nil {
		return err
	}
	if name == "" {
		return models.Invalid("name", "too_short", "give it a name that you will recognise")
	}
	row, err := h.Store.RenamePasskey(c.UserContext(), web.Session(c).User.ID, id, name)
	if err != nil {
		return err
	}
	return c.JSON(describe(row))
}

// Remove answers DELETE /v1/me/passkeys/{id}.
func (h *Handlers) Remove(c *fiber.Ctx) error {
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	records, err := h.Store.Passkeys(c.UserContext(), web.Session(c).User.ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(records, func(r models.PasskeyRecord) bool { return r.ID == id })
	if i < 0 {
		// Before the state machine is asked: a foreign id must not look like the last factor.
		return models.Refuse(models.CodeNotFound, "there is nothing here")
	}
	event := models.Event{Kind: models.FactorRemoved, Factor: models.Passkey, Object: id, SetAside: records[i].QuarantinedAt != nil}
	moved, token, err := h.Store.RemovePasskey(c.UserContext(), web.Session(c).Ref(), id, h.Decide(c, event))
	if err != nil {
		return err
	}
	return h.NoContent(c, moved, token)
}
