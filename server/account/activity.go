package account

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

// eventsAtOnce is how many events a page of the timeline holds at the most.
const eventsAtOnce = 50

type eventBody struct {
	ID        models.ID `json:"id"`
	At        time.Time `json:"at"`
	Kind      string    `json:"kind"`
	Title     string    `json:"title"`
	Words     string    `json:"words"`
	Browser   string    `json:"browser"`
	Device    string    `json:"device"`
	UserAgent string    `json:"user_agent"`
	Place     string    `json:"place"`
	IP        string    `json:"ip"`
	Current   bool      `json:"current"` // done by the session that asks
}

func newEvent(s models.Session, e models.AuditEvent) eventBody {
	title, words := describe(e)
	browser, device := web.Browser(e.Client.UserAgent)
	return eventBody{
		ID: e.ID, At: e.At, Kind: e.Fact, Title: title, Words: words, Browser: browser, Device: device, UserAgent: e.Client.UserAgent,
		IP: e.Client.IP, Current: e.SessionID == s.ID,
	}
}

// Events answers GET /v1/me/events?before=&limit=.
func (h *Handlers) Events(c *fiber.Ctx) error {
	limit := eventsAtOnce
	if asked := c.Query("limit"); asked != "" {
		n, err := strconv.Atoi(asked)
		if err != nil || n < 1 || n > eventsAtOnce {
			return models.Invalid("limit", "malformed", "ask for 1 to 50 events at once")
		}
		limit = n
	}
	var before models.ID
	if asked := c.Query("before"); asked != "" {
		id, err := models.ParseID(asked)
		if err != nil {
			return models.Invalid("before", "malformed", "give the id of the last event that you have")
		}
		before = id
	}
	list, more, err := h.events(c, before, limit)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"events": list, "more": more})
}

// events gives a page of the timeline, and whether there is an older one.
func (h *Handlers) events(c *fiber.Ctx, before models.ID, limit int) ([]eventBody, bool, error) {
	s := web.Session(c)
	found, err := h.Store.Events(c.UserContext(), s.User.ID, before, limit+1)
	if err != nil {
		return nil, false, err
	}
	more := len(found) > limit
	list := []eventBody{}
	for _, e := range found[:min(len(found), limit)] {
		list = append(list, newEvent(s, e))
	}
	return list, more, nil
}

// ActivityPage shows the timeline, by days.
func (h *Handlers) ActivityPage(c *fiber.Ctx) error {
	before, err := models.ParseID(c.Query("before"))
	if err != nil {
		before = "" // from the newest on
	}
	list, more, err := h.events(c, before, eventsAtOnce)
	if err != nil {
		return err
	}
	page := pages.ActivityPage{Layout: h.Layout(c), Older: before != ""}
	for _, e := range list {
		page.Add(pages.ActivityRow{At: e.At, Title: e.Title, Words: e.Words, Browser: e.Browser, Device: e.Device, IP: e.IP, Current: e.Current})
		if more {
			page.More = string(e.ID)
		}
	}
	return h.Render(c, page)
}
