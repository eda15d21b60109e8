package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

const keyTransaction local = "transaction"

// HeaderTransaction names the transaction that a request of its page is for. A WebSocket
// names it in its query, for scripts set no headers there. No other site's page can send
// the header, so it guards the cookie where that has to be SameSite=None.
const HeaderTransaction = "Sallyport-Transaction"

// Transaction is what the request's session confirms for an app; false for a session of an
// account.
func Transaction(c *fiber.Ctx) (models.Transaction, bool) {
	t, ok := c.Locals(keyTransaction).(models.Transaction)
	return t, ok
}

// SetTransaction notes what the request is about.
func SetTransaction(c *fiber.Ctx, t models.Transaction) { c.Locals(keyTransaction, t) }

// transactionOf is the transaction that a request names, "" for none.
func transactionOf(c *fiber.Ctx) string {
	if strings.EqualFold(c.Get(fiber.HeaderUpgrade), "websocket") {
		return c.Query("transaction")
	}
	return c.Get(HeaderTransaction)
}

// FindTransaction makes the session of a transaction the request's, by the transaction's own
// cookie alone: whoever is signed in here beside it has no part in it. Without such a
// cookie, or once the transaction is over, the request is anonymous.
func (d *Door) FindTransaction(c *fiber.Ctx, named string) error {
	c.Locals(keySession, models.Session{State: models.Anonymous})
	id, err := models.ParseID(named)
	if err != nil {
		return models.Invalid("", "malformed", "this is no transaction")
	}
	token := c.Cookies(d.transactionName(id))
	if token == "" {
		return nil
	}
	session, err := d.Store.SessionByToken(c.UserContext(), models.HashToken(token))
	if models.CodeOf(err) == models.CodeSessionRequired || err == nil && session.Transaction != id {
		return nil
	}
	if err != nil {
		return err
	}
	t, err := d.Store.Transaction(c.UserContext(), id)
	if models.CodeOf(err) == models.CodeNotFound || err == nil && (!t.Live() || !t.Allowed()) {
		return nil
	}
	if err != nil {
		return err
	}
	SetTransaction(c, t)
	return d.Admit(c, session)
}

// transactionName is a cookie for each, so that several can run side by side.
func (d *Door) transactionName(id models.ID) string {
	return d.hostPrefix() + "sallyport-transaction-" + string(id)
}

// setTransaction gives a transaction's session to the browser; an empty token takes it away.
// In a frame of an app the cookie is a third party's: the browser keeps it for that app's
// pages alone (CHIPS). Secure goes with that, on http://localhost too, which browsers trust.
func (d *Door) setTransaction(c *fiber.Ctx, id models.ID, token string, expires time.Time) {
	cookie := http.Cookie{ //nolint:gosec // Secure wherever the site is
		Name: d.transactionName(id), Value: token, Path: "/", Expires: expires, Secure: d.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if t, _ := Transaction(c); t.Asked.Display == models.DisplayFrame {
		cookie.Secure, cookie.SameSite, cookie.Partitioned = true, http.SameSiteNoneMode, true
	}
	c.Response().Header.Add(fiber.HeaderSetCookie, cookie.String())
}

// ClearTransaction takes a transaction's cookie from the browser.
func (d *Door) ClearTransaction(c *fiber.Ctx) {
	d.setTransaction(c, Session(c).Transaction, "", time.Unix(0, 0))
}
