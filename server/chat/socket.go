package chat

import (
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/sallyport/sallyport/models"
)

// sessionCheck is how often an open socket asks whether its session has run
// out. Ends by a statement are announced at once; the idle end comes by itself.
const sessionCheck = 15 * time.Second

// serve runs one socket until either side ends it.
func (h *Hub) serve(conn *websocket.Conn, session models.ID) {
	s := &socket{session: session, conn: conn, out: make(chan []byte, backlog), end: make(chan int, 1)}
	if !h.add(s) {
		s.goodbye(websocket.CloseTryAgainLater)
		return
	}
	defer h.remove(s)
	// The session may have ended between the request's check and add: its end
	// was announced to nobody then.
	if !h.alive(session) {
		s.goodbye(closeSessionEnded)
		return
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		// Clients have nothing to say here; reading notices when they leave.
		conn.SetReadLimit(512)
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}()
	s.write(h, gone)
	// The library's Close leaves the connection open; a read deadline in the
	// past ends it at once, and with it the reading goroutine.
	_ = conn.SetReadDeadline(time.Now())
	<-gone
}

func (s *socket) write(h *Hub, gone <-chan struct{}) {
	check := time.NewTicker(sessionCheck)
	defer check.Stop()
	for {
		select {
		case <-gone:
			return
		case code := <-s.end:
			s.goodbye(code)
			return
		case text := <-s.out:
			_ = s.conn.SetWriteDeadline(time.Now().Add(writeWithin))
			if s.conn.WriteMessage(websocket.TextMessage, text) != nil {
				return
			}
		case <-check.C:
			if !h.alive(s.session) {
				s.goodbye(closeSessionEnded)
				return
			}
			// A ping also finds out about clients that vanished.
			if s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeWithin)) != nil {
				return
			}
		}
	}
}

func (s *socket) goodbye(code int) {
	_ = s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(writeWithin))
}
