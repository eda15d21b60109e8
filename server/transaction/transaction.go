// Package transaction asks for a second factor alone, for apps that keep their users and
// passwords themselves. An app asks from its server, its person confirms on our page, and
// the app's server takes what came of it, once. Whose factor it is and when it counts is
// decided where it is for accounts: in the state machine.
package transaction

import (
	"context"
	"net/url"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

// Store is what this part needs of the records.
type Store interface {
	BeginTransaction(ctx context.Context, t models.Transaction, secret models.TokenHash, by models.Session, judge func(models.Attempt) (enrols bool, err error)) error
	Transaction(ctx context.Context, id models.ID) (models.Transaction, error)
	OpenTransaction(ctx context.Context, id models.ID, secret models.TokenHash, client models.Client, decide models.Decide) (models.Session, string, error)
	ReturnTransaction(ctx context.Context, by models.Session, code models.TokenHash) error
	DenyTransaction(ctx context.Context, by models.Session) error
	RedeemTransaction(ctx context.Context, appID string, id models.ID, code models.TokenHash, client models.Client) (models.Transaction, error)
	EraseSubject(ctx context.Context, appID, subject string) error
}

// Digester gives keyed digests of what must be recognised and not stored.
type Digester interface {
	Digest(purpose, value string) []byte
}

// Handlers answers the requests of this part.
type Handlers struct {
	*web.Door
	Store    Store
	Digester Digester
	// App finds the app that a request comes from; invalid_client for none.
	App func(c *fiber.Ctx) (models.App, error)
	// FaceUnavailable tells why faces can't be compared, "" when they can; FaceState is what
	// a page says of setting one up.
	FaceUnavailable func(policy models.Policy) string
	FaceState       func(ctx context.Context, userID models.ID, policy models.Policy) (pages.FaceState, error)
}

// appOf is the app that a request comes from, and that may ask for second factors.
func (h *Handlers) appOf(c *fiber.Ctx) (models.App, error) {
	app, err := h.App(c)
	if err == nil && app.Transactions == nil {
		return app, models.Invalid("", "not_allowed", "this app is not registered for second factors")
	}
	return app, err
}

// mine finds a transaction of the app; not_found for another's, as for none.
func (h *Handlers) mine(c *fiber.Ctx, app models.App) (models.Transaction, error) {
	id, err := web.PathID(c)
	if err != nil {
		return models.Transaction{}, err
	}
	t, err := h.Store.Transaction(c.UserContext(), id)
	if err == nil && t.App.ID != app.ID {
		return t, notFound()
	}
	return t, err
}

func notFound() error { return models.Refuse(models.CodeNotFound, "there is nothing here") }

// Erase answers DELETE /v1/subjects/{id}: the app's own name of a subject.
func (h *Handlers) Erase(c *fiber.Ctx) error {
	app, err := h.appOf(c)
	if err != nil {
		return err
	}
	subject, err := url.PathUnescape(c.Params("id"))
	if err != nil || !models.SubjectName(subject) {
		return notFound()
	}
	if err := h.Store.EraseSubject(c.UserContext(), app.ID, subject); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
