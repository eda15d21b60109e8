package transaction

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
	"github.com/sallyport/sallyport/server/web"
)

// Open answers POST /v1/transactions/{id}/open: the first browser that brings the secret
// has the transaction from then on.
func (h *Handlers) Open(c *fiber.Ctx) error {
	var r struct {
		Secret string `json:"secret"`
	}
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	t, err := h.Store.Transaction(c.UserContext(), id)
	if err == nil && !t.Allowed() {
		return notFound()
	}
	if err != nil {
		return err
	}
	web.SetTransaction(c, t)
	event := models.Event{Kind: models.TransactionOpened}
	session, token, err := h.Store.OpenTransaction(c.UserContext(), id, models.HashToken(r.Secret), web.Client(c), h.DecideFor(c, t.User.ID, event))
	if err != nil {
		return err
	}
	return h.Answer(c, fiber.StatusOK, session, token)
}

// wayBody is the way back to the app: an address to go to, and for a page that was shown in
// a pop-up or a frame what it tells the app's own pages.
type wayBody struct {
	ReturnTo string            `json:"return_to"`
	Origin   string            `json:"origin"` // of return_to: nobody else is told
	Message  map[string]string `json:"message"`
}

// Return answers POST /v1/transactions/{id}/return: what was passed is worth a code. A
// later one takes the place of the one before, so that a lost answer loses nothing.
func (h *Handlers) Return(c *fiber.Ctx) error {
	t, err := h.own(c)
	if err != nil {
		return err
	}
	code := seal.NewToken()
	if err := h.Store.ReturnTransaction(c.UserContext(), web.Session(c), models.HashToken(code)); err != nil {
		return err
	}
	return c.JSON(h.wayBack(t, "code", code))
}

// Deny answers POST /v1/transactions/{id}/deny: its person won't confirm it.
func (h *Handlers) Deny(c *fiber.Ctx) error {
	t, err := h.own(c)
	if err != nil {
		return err
	}
	if err := h.Store.DenyTransaction(c.UserContext(), web.Session(c)); err != nil {
		return err
	}
	h.ClearTransaction(c)
	return c.JSON(h.wayBack(t, "error", "access_denied"))
}

// own is the transaction of the request's session; not_found where the address names
// another.
func (h *Handlers) own(c *fiber.Ctx) (models.Transaction, error) {
	if err := web.Decode(c, &struct{}{}); err != nil {
		return models.Transaction{}, err
	}
	t, _ := web.Transaction(c)
	if id, err := web.PathID(c); err != nil || id != t.ID {
		return t, notFound()
	}
	return t, nil
}

// wayBack says who answers (as RFC 9207 has it), which transaction, and the app's own state.
func (h *Handlers) wayBack(t models.Transaction, name, value string) wayBody {
	message := map[string]string{name: value, "state": t.Asked.State, "transaction": string(t.ID), "iss": h.Origin}
	params := url.Values{}
	for name, value := range message {
		params.Set(name, value)
	}
	join := "?"
	if strings.Contains(t.Asked.ReturnTo, "?") {
		join = "&"
	}
	return wayBody{ReturnTo: t.Asked.ReturnTo + join + params.Encode(), Origin: originOf(t.Asked.ReturnTo), Message: message}
}

// originOf writes a registered address's origin (RFC 6454 section 6.2).
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	host := u.Host
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}
