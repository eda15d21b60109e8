package oidc

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

const (
	deviceLifetime = 10 * time.Minute // of a code that waits to be typed
	deviceEvery    = 5 * time.Second  // between two questions (RFC 8628 section 3.2)
	// kindDevice counts codes that are handed out, kindUserCode those that are typed.
	kindDevice, kindUserCode = "device_authorization", "user_code"
)

// BeginDevice answers POST /oauth/device (RFC 8628 section 3.1): an app on a device
// without a browser gets a code for its person to type elsewhere.
func (h *Handlers) BeginDevice(c *fiber.Ctx) error {
	form, err := readForm(c)
	if err != nil {
		return err
	}
	if err := h.CountNetwork(c, kindDevice, h.Policy(c).Limits.Login); err != nil {
		return err
	}
	app, err := h.appByForm(c, form)
	if err != nil {
		return h.machineError(c, err)
	}
	asked := strings.Fields(form.Get("scope"))
	switch {
	case !app.Grants(models.GrantDevice):
		return h.machineError(c, refuse(unauthorizedClient, "this client may not sign devices in"))
	case len(form["scope"]) > 1 || !slices.Contains(asked, "openid"):
		return h.machineError(c, refuse(invalidScope, "scope must be there once and hold openid"))
	}
	device, now := seal.NewToken(), h.Now()
	d := models.DeviceAuthorization{
		ID: models.NewID(now), AppID: app.ID, Scopes: app.Allows(asked), Client: web.Client(c), Every: deviceEvery, CreatedAt: now, ExpiresAt: now.Add(deviceLifetime),
	}
	code := models.UserCode()
	err = h.Store.BeginDevice(c.UserContext(), d, models.HashToken(device), models.HashToken(code))
	for tries := 0; models.CodeOf(err) == models.CodeConflict && tries < 3; tries++ {
		code = models.UserCode()
		err = h.Store.BeginDevice(c.UserContext(), d, models.HashToken(device), models.HashToken(code))
	}
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(oidc.DeviceAuthorizationResponse{
		DeviceCode: device, UserCode: code, VerificationURI: h.Origin + "/device",
		VerificationURIComplete: h.Origin + "/device?user_code=" + url.QueryEscape(code),
		ExpiresIn:               int(deviceLifetime.Seconds()), Interval: int(deviceEvery.Seconds()),
	})
}

// DeviceToken implements op.Server (RFC 8628 section 3.4).
func (p *provider) DeviceToken(ctx context.Context, r *op.ClientRequest[oidc.DeviceAccessTokenRequest]) (*op.Response, error) {
	app := r.Client.(relyingParty).app
	minted := p.h.newMint(app)
	answer, grant, user, err := p.h.Store.PollDevice(ctx, models.HashToken(r.Data.DeviceCode), app.ID, minted.of)
	if err != nil {
		return nil, failed(err)
	}
	switch answer {
	case models.DevicePending:
		return nil, oidc.ErrAuthorizationPending()
	case models.DeviceTooSoon:
		return nil, oidc.ErrSlowDown()
	case models.DeviceDenied:
		return nil, oidc.ErrAccessDenied().WithDescription("the person would rather not")
	case models.DeviceExpired:
		return nil, oidc.ErrExpiredDeviceCode()
	case models.DeviceUnknown:
		return nil, oidc.ErrInvalidGrant().WithDescription("this code is not valid, or no longer")
	case models.DeviceAllowed:
	}
	return p.h.tokens(ctx, app, grant, user, minted, "")
}

// DevicePage answers GET /device: where a person types the code that their device shows.
func (h *Handlers) DevicePage(c *fiber.Ctx) error {
	return h.Render(c, pages.DevicePage{Layout: h.Layout(c), Code: models.ReadUserCode(c.Query("user_code"))})
}

// FindDevice answers POST /v1/device-authorizations. Codes are short, so typing them is
// counted.
func (h *Handlers) FindDevice(c *fiber.Ctx) error {
	var body struct {
		UserCode string `json:"user_code"`
	}
	if err := web.Decode(c, &body); err != nil {
		return err
	}
	code := models.ReadUserCode(body.UserCode)
	if code == "" {
		return models.Invalid("user_code", "length", "the code has eight letters: look at your device again")
	}
	limits := h.Policy(c).Limits
	if err := h.CountAccount(c, kindUserCode, limits.TOTP); err != nil {
		return err
	}
	if err := h.CountNetwork(c, kindUserCode, limits.PasskeyLogin); err != nil {
		return err
	}
	found, err := h.Store.FindDevice(c.UserContext(), web.Session(c), models.HashToken(code))
	if models.CodeOf(err) == models.CodeNotFound {
		return models.Invalid("user_code", "unknown", "no device waits with this code: look at it again, or begin anew there")
	}
	if err != nil {
		return err
	}
	return c.Status(http.StatusCreated).JSON(fiber.Map{"id": found.ID})
}

// FoundDevicePage answers GET /device/{id}: what the device would get, and who asks.
func (h *Handlers) FoundDevicePage(c *fiber.Ctx) error {
	found, app, err := h.foundDevice(c)
	if err != nil {
		return err
	}
	browser, machine := web.Browser(found.Client.UserAgent)
	return h.Render(c, pages.FoundDevicePage{
		Layout: h.Layout(c), ID: string(found.ID), App: app.Name, Scopes: found.Scopes, CreatedAt: found.CreatedAt,
		Machine: pages.Machine{Browser: browser, Device: machine}, IP: found.Client.IP,
	})
}

func (h *Handlers) foundDevice(c *fiber.Ctx) (models.DeviceAuthorization, models.App, error) {
	id, err := web.PathID(c)
	if err != nil {
		return models.DeviceAuthorization{}, models.App{}, err
	}
	found, err := h.Store.FoundDevice(c.UserContext(), web.Session(c), id)
	if err != nil {
		return found, models.App{}, err
	}
	app, err := h.Store.App(c.UserContext(), found.AppID)
	return found, app, err
}

// AllowDevice answers POST /v1/device-authorizations/{id}. Whoever got somebody to type a
// code of theirs signs in as them (RFC 8628 section 5.4), so that this asks for everything
// once more, whatever the app.
func (h *Handlers) AllowDevice(c *fiber.Ctx) error {
	if err := web.Decode(c, &struct{}{}); err != nil {
		return err
	}
	found, app, err := h.foundDevice(c)
	if err != nil {
		return err
	}
	now, timeouts := h.Now(), h.Policy(c).Timeouts
	admits := func(by models.Session) (models.Session, error) {
		device := models.Session{
			ID: models.NewID(now), TokenHash: models.HashToken(seal.NewToken()), User: by.User, State: by.State, Methods: by.Methods,
			PolicyVersion: by.PolicyVersion, Transport: models.ByApp, Client: found.Client,
			CreatedAt: now, LastSeenAt: now, IdleEndsAt: now.Add(timeouts.Idle.Std()), EndsAt: now.Add(timeouts.Absolute.Std()),
		}
		switch {
		case !app.Admits(by.User.Groups):
			return device, &models.Error{Code: models.CodeConflict, Reason: "group", Message: "you are in none of the groups that may sign in there"}
		case !device.ACR().Meets(app.ACR):
			return device, &models.Error{Code: models.CodeConflict, Reason: "level", Message: "you hold no second step that is strong enough for this app"}
		}
		return device, nil
	}
	if err := h.Store.AllowDevice(c.UserContext(), web.Session(c).Ref(), found, h.Door.Decide(c, models.Event{Kind: models.DeviceSignedIn, Object: found.ID}), admits); err != nil {
		return err
	}
	return c.SendStatus(http.StatusNoContent)
}

// DenyDevice answers DELETE /v1/device-authorizations/{id}.
func (h *Handlers) DenyDevice(c *fiber.Ctx) error {
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	if err := h.Store.DenyDevice(c.UserContext(), web.Session(c), id); err != nil {
		return err
	}
	return c.SendStatus(http.StatusNoContent)
}
