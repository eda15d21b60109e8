package web

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

const (
	keyDevices local = "devices"
	keyMarkers local = "markers"
)

// HeaderDevice is where an app without cookies keeps its marker: it comes with
// the answer that reaches level 2 and goes with later requests.
const HeaderDevice = "Sallyport-Device"

// maxMarkers are the accounts that one browser is known to. A marker belongs to
// one account, so people who share a browser have one each.
const maxMarkers = 5

func (d *Door) deviceName() string { return d.hostPrefix() + "sallyport-device" }

// markers reads the request's markers, newest first.
func (d *Door) markers(c *fiber.Ctx) []string {
	text := c.Cookies(d.deviceName())
	if text == "" && c.Get(fiber.HeaderOrigin) == "" { // a browser has its cookie
		text = c.Get(HeaderDevice)
	}
	list := strings.FieldsFunc(text, func(r rune) bool { return r == '.' })
	return list[:min(len(list), maxMarkers)]
}

// knownDevices finds what the request's markers say, once a request.
func (d *Door) knownDevices(c *fiber.Ctx) ([]models.KnownDevice, error) {
	if found, ok := c.Locals(keyDevices).([]models.KnownDevice); ok {
		return found, nil
	}
	var hashes []models.TokenHash
	for _, marker := range d.markers(c) {
		hashes = append(hashes, models.HashToken(marker))
	}
	found := []models.KnownDevice{}
	if len(hashes) > 0 {
		var err error
		if found, err = d.Store.KnownDevices(c.UserContext(), hashes); err != nil {
			return nil, err
		}
	}
	c.Locals(keyDevices, found)
	return found, nil
}

// KnownDevice is the device that the request comes from, where the account knows
// it; "" for a stranger, and for an account that doesn't exist. From then on what
// the request has hashed goes through the lane of known devices.
func (d *Door) KnownDevice(c *fiber.Ctx, userID models.ID) (models.ID, error) {
	devices, err := d.knownDevices(c)
	if err != nil {
		return "", err
	}
	for _, device := range devices {
		if device.UserID == userID {
			c.SetUserContext(WithKnownLane(c.UserContext()))
			return device.ID, nil
		}
	}
	return "", nil
}

type inKnownLane struct{}

// WithKnownLane is for the work of a known device.
func WithKnownLane(ctx context.Context) context.Context {
	return context.WithValue(ctx, inKnownLane{}, true)
}

// InKnownLane tells the hasher whose work it does. It travels in the context as a
// deadline does: how long something may take is nothing that what is hashed
// depends on.
func InKnownLane(ctx context.Context) bool { return ctx.Value(inKnownLane{}) != nil }

// markerFor gives the hash of the marker that the account is to know this device
// by: the one it has, or a new one. What the device keeps from then on is set with
// the answer. The database has the last word on whether the account knows it.
func (d *Door) markerFor(c *fiber.Ctx, userID models.ID) models.TokenHash {
	devices, _ := c.Locals(keyDevices).([]models.KnownDevice)
	kept := d.markers(c)
	for _, device := range devices {
		if device.UserID == userID {
			c.Locals(keyMarkers, kept)
			return device.Marker
		}
	}
	marker := newMarker()
	kept = append([]string{marker}, kept...)
	c.Locals(keyMarkers, kept[:min(len(kept), maxMarkers)])
	return models.HashToken(marker)
}

func newMarker() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails; it ends the process instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// keepMarkers has the device keep its markers, where the request gave it one or
// found one in use.
func (d *Door) keepMarkers(c *fiber.Ctx, transport models.Transport) {
	markers, ok := c.Locals(keyMarkers).([]string)
	if !ok {
		return
	}
	text := strings.Join(markers, ".")
	if transport == models.Bearer {
		c.Set(HeaderDevice, text)
		return
	}
	d.setCookie(c, d.deviceName(), text, d.Now().Add(models.KnownDeviceWithin))
}
