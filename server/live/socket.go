package live

import (
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/sallyport/sallyport/models"
)

// pingEvery finds out about clients that vanished.
const pingEvery = 15 * time.Second

// serve runs one socket of a session until either side ends it. It is of a topic,
// or of none with "".
func (h *Hub) serve(conn *websocket.Conn, topic string, session models.Session) {
	s := &socket{topic: topic, session: session.ID, state: session.State, conn: conn, out: make(chan []byte, backlog), end: make(chan int, 1)}
	if session.State == models.Anonymous {
		s.goodbye(closeSessionEnded)
		return
	}
	if !h.add(s) {
		s.goodbye(websocket.CloseTryAgainLater)
		return
	}
	defer h.remove(s)
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
	s.write(gone)
	// The library's Close leaves the connection open; a read deadline in the
	// past ends it at once, and with it the reading goroutine.
	_ = conn.SetReadDeadline(time.Now())
	<-gone
}

func (s *socket) write(gone <-chan struct{}) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
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
		case <-ping.C:
			if s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeWithin)) != nil {
				return
			}
		}
	}
}

func (s *socket) goodbye(code int) {
	_ = s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(writeWithin))
}
