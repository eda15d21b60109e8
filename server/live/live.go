package live

import (
	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// Handlers answers the requests of this part.
type Handlers struct {
	*web.Door
	Hub *Hub
}

// Socket opens a socket of a topic for the request's session. A page of another
// site is refused: a browser sends it the cookie, but not to a fetch that could be
// checked.
func (h *Handlers) Socket(topic string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if !websocket.IsWebSocketUpgrade(c) {
			return models.Invalid("", "upgrade", "this address speaks WebSocket")
		}
		if err := h.sameSite(c); err != nil {
			return err
		}
		session := web.Session(c)
		return websocket.New(func(conn *websocket.Conn) { h.Hub.serve(conn, topic, session) })(c)
	}
}

// sameSite refuses a page of another site.
func (h *Handlers) sameSite(c *fiber.Ctx) error {
	if !h.Knows(c.Get(fiber.HeaderOrigin)) {
		return models.Refuse(models.CodeCrossSite, "this request came from another site")
	}
	return nil
}

// Events answers GET /v1/session/events: a socket that says nothing and closes when
// the session ends, or for whoever asks for it a stream of events that says so. It is open
// to everybody, for a browser doesn't tell its page why a socket was refused: where there
// is no session, it is over at once.
func (h *Handlers) Events(c *fiber.Ctx) error {
	if asksForStream(c) {
		return h.sessionStream(c)
	}
	return h.Socket("")(c)
}
