package admin

import (
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// deliveriesAtOnce is how many deliveries a page of the list holds at the most.
const deliveriesAtOnce = 50

// Deliveries answers GET /v1/admin/webhooks/{id}/deliveries?state=&before=.
func (h *Handlers) Deliveries(c *fiber.Ctx) error {
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	state := models.DeliveryState(c.Query("state"))
	if !slices.Contains([]models.DeliveryState{"", models.DeliveryWaiting, models.DeliveryDelivered, models.DeliveryDead}, state) {
		return models.Invalid("state", "unknown", "ask for waiting, delivered or dead ones")
	}
	var before models.ID
	if asked := c.Query("before"); asked != "" {
		if before, err = models.ParseID(asked); err != nil {
			return models.Invalid("before", "malformed", "give the id of the last delivery that you have")
		}
	}
	found, err := h.Store.Deliveries(c.UserContext(), id, state, before, deliveriesAtOnce+1)
	if err != nil {
		return err
	}
	list := append([]models.Delivery{}, found[:min(len(found), deliveriesAtOnce)]...)
	return c.JSON(fiber.Map{"deliveries": list, "more": len(found) > deliveriesAtOnce})
}

// Replay answers POST /v1/admin/deliveries/{id}/replay.
func (h *Handlers) Replay(c *fiber.Ctx) error {
	if err := web.Decode(c, &struct{}{}); err != nil {
		return err
	}
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	if err := h.Store.ReplayDelivery(c.UserContext(), id); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
