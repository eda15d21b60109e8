// Package remembered is the device on which its owner asked not to be asked for the
// second step: a key of the browser that opens the second door beside the password, at
// level 1, for a while. What is remembered is listed and forgotten in server/account.
package remembered

import (
	"context"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// Store is what this part needs of the records.
type Store interface {
	CreateChallenge(ctx context.Context, c models.Challenge) error
	ConsumeChallenge(ctx context.Context, sessionID models.ID, purpose string, id models.ID) (models.Challenge, error)
	RememberedDevices(ctx context.Context, userID models.ID) ([]models.RememberedDevice, error)
	RememberDevice(ctx context.Context, ref models.Ref, d models.RememberedDevice, decide models.Decide) error
	PassRemembered(ctx context.Context, ref models.Ref, id models.ID, decide models.Decide) (models.Session, string, error)
}

// Handlers answers the requests of this part.
type Handlers struct {
	*web.Door
	Store Store
}

type rememberRequest struct {
	PublicKey string `json:"public_key"`
}

// Remember answers POST /v1/me/remembered-devices. Nothing is asked for it afresh: the
// state machine lets only a session have it that has just signed in with both.
func (h *Handlers) Remember(c *fiber.Ctx) error {
	var r rememberRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	key, err := models.ReadBrowserKey(r.PublicKey)
	if err != nil {
		return err
	}
	s, now := web.Session(c), h.Now()
	device := models.RememberedDevice{ID: models.NewID(now), Key: key, Client: web.Client(c), EndsAt: now.Add(h.Policy(c).Remember.Lifetime.Std())}
	event := models.Event{Kind: models.DeviceRemembered, Object: device.ID}
	if err := h.Store.RememberDevice(c.UserContext(), s.Ref(), device, h.Decide(c, event)); err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(fiber.Map{"id": device.ID, "ends_at": device.EndsAt})
}
