package account

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// deviceBody is a remembered device as its owner sees it.
type deviceBody struct {
	ID      models.ID `json:"id"`
	Current bool      `json:"current"` // this session was signed in there
	machineBody
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at"`
	EndsAt     time.Time `json:"ends_at"`
}

// Remembered answers GET /v1/me/remembered-devices.
func (h *Handlers) Remembered(c *fiber.Ctx) error {
	list, err := h.remembered(c)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"remembered_devices": list})
}

func (h *Handlers) remembered(c *fiber.Ctx) ([]deviceBody, error) {
	current := web.Session(c)
	found, err := h.Store.RememberedDevices(c.UserContext(), current.User.ID)
	if err != nil {
		return nil, err
	}
	list := []deviceBody{}
	for _, d := range found {
		list = append(list, deviceBody{
			ID: d.ID, Current: d.SessionID == current.ID, machineBody: h.machine(d.Client),
			CreatedAt: d.CreatedAt, LastUsedAt: d.LastUsedAt, EndsAt: d.EndsAt,
		})
	}
	return list, nil
}

// Forget answers DELETE /v1/me/remembered-devices/{id}. No step-up: to trust less is
// always easy.
func (h *Handlers) Forget(c *fiber.Ctx) error {
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	if err := h.Store.ForgetRemembered(c.UserContext(), web.Session(c), id); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
