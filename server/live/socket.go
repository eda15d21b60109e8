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
	l := newLine(topic, session)
	if session.State == models.Anonymous {
		goodbye(conn, closeSessionEnded)
		return
	}
	if !h.add(l) {
		goodbye(conn, websocket.CloseTryAgainLater)
		return
	}
	defer h.remove(l)
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
	l.write(conn, gone)
	// The library's Close leaves the connection open; a read deadline in the
	// past ends it at once, and with it the reading goroutine.
	_ = conn.SetReadDeadline(time.Now())
	<-gone
}

func (l *line) write(conn *websocket.Conn, gone <-chan struct{}) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case <-gone:
			return
		case code := <-l.end:
			goodbye(conn, code)
			return
		case text := <-l.out:
			_ = conn.SetWriteDeadline(time.Now().Add(writeWithin))
			if conn.WriteMessage(websocket.TextMessage, text) != nil {
				return
			}
		case <-ping.C:
			if conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeWithin)) != nil {
				return
			}
		}
	}
}

func goodbye(conn *websocket.Conn, code int) {
	_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(writeWithin))
}
