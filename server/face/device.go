package face

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

type deviceBody struct {
	ID         models.ID `json:"id"`
	Name       string    `json:"name"`
	Thumbprint string    `json:"thumbprint"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at"`
}

func describe(k models.DeviceKey) deviceBody {
	return deviceBody{k.ID, k.Name, k.Thumbprint, k.CreatedAt, k.LastUsedAt}
}

// Devices answers GET /v1/me/devices: the browsers that hold a key, and what a
// new one would sign.
func (h *Handlers) Devices(c *fiber.Ctx) error {
	keys, err := h.Store.DeviceKeys(c.UserContext(), web.Session(c).User.ID)
	if err != nil {
		return err
	}
	list := []deviceBody{}
	for _, k := range keys {
		list = append(list, describe(k))
	}
	s := web.Session(c)
	return c.JSON(fiber.Map{"devices": list, "subject": models.SubjectOf(s.User.ID), "session": s.ID})
}

type addDeviceRequest struct {
	Name      string `json:"name"`
	PublicKey string `json:"public_key"`
	// Signature is that of the key over the open tag, origin, subject, session,
	// "add_device" and its thumbprint, a line each: it proves that the key is there.
	Signature string `json:"signature"`
}

const purposeDevice = "add_device"

// AddDevice answers POST /v1/me/devices: a browser that was cleared, or another,
// makes itself known. The route asks for a factor other than the face first.
func (h *Handlers) AddDevice(c *fiber.Ctx) error {
	var r addDeviceRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	read, err := models.ReadBrowserKey(r.PublicKey)
	if err != nil {
		return err
	}
	key := signer{BrowserKey: read}
	s := web.Session(c)
	if !key.Verify([]string{openTag, h.Origin, models.SubjectOf(s.User.ID), string(s.ID), purposeDevice, key.Thumbprint}, r.Signature) {
		return badSignature()
	}
	name, err := deviceName(r.Name)
	if err != nil {
		return err
	}
	record := key.record(name, h.Now())
	if err := h.Store.AddDeviceKey(c.UserContext(), s.Ref(), record, h.Decide(c, models.Event{Kind: models.DeviceAdded, Object: record.ID})); err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(describe(record))
}

// RemoveDevice answers DELETE /v1/me/devices/{id}.
func (h *Handlers) RemoveDevice(c *fiber.Ctx) error {
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	if err := h.Store.RemoveDeviceKey(c.UserContext(), web.Session(c).Ref(), id, h.Decide(c, models.Event{Kind: models.DeviceRemoved, Object: id})); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

const maxDeviceName = 64

func deviceName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if utf8.RuneCountInString(name) > maxDeviceName || strings.ContainsRune(name, 0) {
		return "", models.Invalid("name", "too_long", "a name may have at most 64 characters")
	}
	if name == "" {
		name = "This browser"
	}
	return name, nil
}
