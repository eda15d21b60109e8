package main

import (
	"net/http"
	"sync"
	"time"

	"github.com/fasthttp/websocket"
)

const (
	writeWithin = 10 * time.Second
	pingEvery   = 25 * time.Second
	mostWaiting = 32 // messages that a slow reader may be behind
	// signedOut closes a socket whose session is over, so that its page can say so.
	signedOut = 4401
)

// lines are the open sockets.
type lines struct {
	mu   sync.Mutex
	open map[*line]bool
}

// line is a socket of a room, for as long as its session lives.
type line struct {
	room  string
	token hash
	out   chan any
	end   chan int // the code that it is closed with
}

func newLines() *lines { return &lines{open: map[*line]bool{}} }

func (l *lines) each(do func(*line)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for one := range l.open {
		do(one)
	}
}

// close ends a line; somebody may have done so before.
func (l *line) close(code int) {
	select {
	case l.end <- code:
	default:
	}
}

func (l *lines) tell(room string, what any) {
	l.each(func(one *line) {
		if one.room != room {
			return
		}
		select {
		case one.out <- what:
		default:
			one.close(websocket.CloseTryAgainLater)
		}
	})
}

// closeSession closes the sockets of a session that is over.
func (l *lines) closeSession(token hash) {
	l.each(func(one *line) {
		if one.token == token {
			one.close(signedOut)
		}
	})
}

// move hands the sockets of a session on to the one that took its place.
func (l *lines) move(before, after hash) {
	l.each(func(one *line) {
		if one.token == before {
			one.token = after
		}
	})
}

func (l *lines) closeAll() { l.each(func(one *line) { one.close(websocket.CloseGoingAway) }) }

// socket answers GET /socket/{id}: what is said in a room. The library refuses pages of
// other origins.
func (c *chat) socket(w http.ResponseWriter, r *http.Request, s session) {
	found, err := c.records.room(r.Context(), r.PathValue("id"))
	if c.refused(w, r, err) {
		return
	}
	upgrader := websocket.Upgrader{HandshakeTimeout: writeWithin}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // it was answered
	}
	defer func() { _ = conn.Close() }()
	own := &line{room: found.ID, token: s.Token, out: make(chan any, mostWaiting), end: make(chan int, 1)}
	c.lines.mu.Lock()
	c.lines.open[own] = true
	c.lines.mu.Unlock()
	defer func() {
		c.lines.mu.Lock()
		delete(c.lines.open, own)
		c.lines.mu.Unlock()
	}()
	// Once more, for the session may have ended before the line was among those that are closed.
	if _, err := c.records.session(r.Context(), s.Token, c.now()); err != nil {
		own.close(signedOut)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		conn.SetReadLimit(512) // pages have nothing to say here
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}()
	own.serve(conn, gone, time.Until(s.EndsAt))
}

func (l *line) serve(conn *websocket.Conn, gone <-chan struct{}, left time.Duration) {
	ping, over := time.NewTicker(pingEvery), time.NewTimer(left)
	defer ping.Stop()
	defer over.Stop()
	for {
		select {
		case <-gone:
			return
		case <-over.C:
			l.close(signedOut)
		case code := <-l.end:
			_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(writeWithin))
			return
		case what := <-l.out:
			_ = conn.SetWriteDeadline(time.Now().Add(writeWithin))
			if conn.WriteJSON(what) != nil {
				return
			}
		case <-ping.C:
			if conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeWithin)) != nil {
				return
			}
		}
	}
}
