package admin

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// Events answers GET /v1/admin/events?type=: a stream of what happens from now on, or
// behind the event of Last-Event-ID.
func (h *Handlers) Events(c *fiber.Ctx) error {
	var types []string
	for _, asked := range c.Context().QueryArgs().PeekMulti("type") {
		if !slices.Contains(models.EventTypes(), string(asked)) {
			return models.Invalid("type", "unknown", "there is a type that no event is of")
		}
		types = append(types, string(asked))
	}
	tail := models.NewTail(h.Store.PublishedEvents, h.Now(), types)
	if last := c.Get("Last-Event-ID"); last != "" {
		id, err := models.ParseID(last)
		if err != nil {
			return models.Invalid("Last-Event-ID", "malformed", "give the id of the last event that you have")
		}
		tail = models.Resume(h.Store.PublishedEvents, id, types)
	}
	by := web.Session(c)
	return h.Stream(c, func(ctx context.Context) (string, error) {
		if err := h.stillAdmin(ctx, by.ID); err != nil {
			return "", err
		}
		messages, _, err := tail.Next(ctx)
		if err != nil {
			return "", err
		}
		var text strings.Builder
		for _, m := range messages {
			doc, err := json.Marshal(m)
			if err != nil {
				return "", err
			}
			text.WriteString("id: " + string(m.Data.ID) + "\nevent: " + m.Type + "\ndata: " + string(doc) + "\n\n")
		}
		return text.String(), nil
	})
}

// stillAdmin refuses a session whose owner is no admin any more; its end is told elsewhere.
func (h *Handlers) stillAdmin(ctx context.Context, id models.ID) error {
	sessions, err := h.Door.Store.SessionsByID(ctx, []models.ID{id})
	if err == nil && (len(sessions) == 0 || !sessions[0].User.Admin) {
		return models.Refuse(models.CodeNotFound, "there is nothing here")
	}
	return err
}
