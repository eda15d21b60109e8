package oidc

import (
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

type appBody struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Scopes  []string  `json:"scopes"`
	GivenAt time.Time `json:"given_at"`
}

// Apps answers GET /v1/me/apps: what the person allowed apps to know.
func (h *Handlers) Apps(c *fiber.Ctx) error {
	found, err := h.Store.AppConsents(c.UserContext(), web.Session(c).User.ID)
	if err != nil {
		return err
	}
	list := []appBody{}
	for _, a := range found {
		list = append(list, appBody{a.AppID, a.AppName, a.Scopes, a.GivenAt})
	}
	return c.JSON(fiber.Map{"apps": list})
}

// Withdraw answers DELETE /v1/me/apps/{id}: what the app was allowed and given ends.
func (h *Handlers) Withdraw(c *fiber.Ctx) error {
	id := c.Params("id")
	if len(id) > 64 {
		return models.Refuse(models.CodeNotFound, "there is nothing here")
	}
	if err := h.Store.WithdrawApp(c.UserContext(), web.Session(c), id); err != nil {
		return err
	}
	return c.SendStatus(http.StatusNoContent)
}
