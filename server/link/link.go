// Package link is where the links of letters lead. A page only shows what its link
// would do, so that a mail program or a scanner that opens it changes nothing; a POST
// with the link's token does it, once.
package link

import (
	"context"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

// Store is what this part needs of the records.
type Store interface {
	ProveEmail(ctx context.Context, kind models.LinkKind, token models.TokenHash, client models.Client) error
	UndoEmail(ctx context.Context, token models.TokenHash, client models.Client) (models.Denial, error)
	Deny(ctx context.Context, token models.TokenHash, client models.Client) (models.Denial, error)
}

// Handlers answers the requests of this part.
type Handlers struct {
	*web.Door
	Store Store
}

// NotMePage asks whether it is meant. It doesn't know the link: the token is in the
// fragment, which browsers keep to themselves.
func (h *Handlers) NotMePage(c *fiber.Ctx) error {
	return h.Render(c, pages.NotMePage{Layout: h.Layout(c)})
}

type denialBody struct {
	Outcome models.Denial `json:"outcome"`
}

// NotMe answers POST /v1/links/not-me. Whoever has the link may use it, signed in
// or not. What is no token is answered like one that was used.
func (h *Handlers) NotMe(c *fiber.Ctx) error {
	token, err := web.LinkToken(c)
	if err != nil {
		return err
	}
	outcome, err := h.Store.Deny(c.UserContext(), token, web.Client(c))
	if err != nil {
		return err
	}
	return c.JSON(denialBody{Outcome: outcome})
}
