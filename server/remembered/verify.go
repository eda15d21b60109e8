package remembered

import (
	"encoding/json"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
	"github.com/sallyport/sallyport/server/web"
)

const (
	// signedTag keeps a signature for this from serving for anything else, and others
	// from serving here.
	signedTag = "sallyport remembered device v1"
	purpose   = "verify_device"
	// signWithin is short: a browser signs by itself.
	signWithin = time.Minute
)

// question is what a challenge keeps of what it asks.
type question struct {
	Device models.ID `json:"device"`
	Nonce  string    `json:"nonce"`
}

type optionsRequest struct {
	Thumbprint string `json:"thumbprint"`
}

type optionsBody struct {
	Challenge models.ID `json:"challenge"`
	Nonce     string    `json:"nonce"`
	Subject   string    `json:"subject"` // stands for the account
	Session   models.ID `json:"session"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Options answers POST /v1/verify/device/options. Issuing a challenge counts as the
// attempt that it allows.
func (h *Handlers) Options(c *fiber.Ctx) error {
	var r optionsRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	device, err := h.find(c, func(d models.RememberedDevice) bool { return d.Key.Thumbprint == r.Thumbprint })
	if err != nil {
		return err
	}
	if err := h.TryChallenge(c, models.Device); err != nil {
		return err
	}
	s, now := web.Session(c), h.Now()
	asked := question{Device: device.ID, Nonce: seal.NewToken()}
	doc, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	challenge := models.Challenge{ID: models.NewID(now), Purpose: purpose, SessionID: s.ID, UserID: s.User.ID, Data: doc, ExpiresAt: now.Add(signWithin)}
	if err := h.Store.CreateChallenge(c.UserContext(), challenge); err != nil {
		return err
	}
	return c.JSON(optionsBody{challenge.ID, asked.Nonce, models.SubjectOf(s.User.ID), s.ID, challenge.ExpiresAt})
}

type verifyRequest struct {
	Challenge models.ID `json:"challenge"`
	// Signature is that of the key over the tag, origin, subject, session, challenge and
	// nonce, a line each; base64url.
	Signature string `json:"signature"`
}

// Verify answers POST /v1/verify/device: in the place of a second factor, at level 1.
func (h *Handlers) Verify(c *fiber.Ctx) error {
	var r verifyRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	if _, err := models.ParseID(string(r.Challenge)); err != nil {
		return models.Invalid("challenge", "malformed", "this is no challenge id")
	}
	s := web.Session(c)
	challenge, err := h.Store.ConsumeChallenge(c.UserContext(), s.ID, purpose, r.Challenge)
	if err != nil {
		return err
	}
	var asked question
	if err := json.Unmarshal(challenge.Data, &asked); err != nil {
		return err
	}
	if err := h.TryAnswer(c, models.Device); err != nil {
		return err
	}
	device, err := h.find(c, func(d models.RememberedDevice) bool { return d.ID == asked.Device })
	if err != nil {
		return err
	}
	statement := []string{signedTag, h.Origin, models.SubjectOf(s.User.ID), string(s.ID), string(challenge.ID), asked.Nonce}
	if !device.Key.Verify(statement, r.Signature) {
		return models.Refuse(models.CodeFactorRejected, "this device's key did not sign what it was asked: use another way")
	}
	event := models.Event{Kind: models.FactorPassed, Factor: models.Device, Object: device.ID, Since: device.CreatedAt, Until: device.EndsAt}
	moved, token, err := h.Store.PassRemembered(c.UserContext(), s.Ref(), device.ID, h.Decide(c, event))
	if err != nil {
		return err
	}
	return h.Answer(c, fiber.StatusOK, moved, token)
}

// find gives the device of the account that fits; conflict when there is none, or they
// count for nothing here.
func (h *Handlers) find(c *fiber.Ctx, fits func(models.RememberedDevice) bool) (models.RememberedDevice, error) {
	devices, err := h.Store.RememberedDevices(c.UserContext(), web.Session(c).User.ID)
	if err != nil {
		return models.RememberedDevice{}, err
	}
	for _, d := range devices {
		if fits(d) && h.Policy(c).Allows(models.Device) {
			return d, nil
		}
	}
	return models.RememberedDevice{}, models.NotRemembered()
}
