// Package live holds sockets and streams open for sessions: each closes within a second
// of its session's end, whichever instance ended it.
package live

import (
	"context"
	"sync"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/sallyport/sallyport/models"
)

// closeSessionEnded tells a page that its session is over, or signed in no more (the
// private range of RFC 6455 section 7.4.2).
const closeSessionEnded = 4401

const (
	linesPerSession = 20 // each open page of a browser has one
	backlog         = 64 // messages a slow client may lag behind
	writeWithin     = 5 * time.Second
)

// lookEvery is how often the sessions of open lines are looked at. An end by
// a statement is announced at once; idle and absolute ends come by themselves,
// and so does what a stricter policy ends.
const lookEvery = 500 * time.Millisecond

// States tells where those of some sessions stand that are live.
type States func(context.Context, []models.ID) (map[models.ID]models.State, error)

// Hub knows every open line of this instance by its session.
type Hub struct {
	states States

	mu     sync.Mutex
	lines  map[models.ID]map[*line]struct{} // guarded by mu
	closed bool                             // guarded by mu
}

// line is one connection that is held open, a socket or a stream. Its own goroutine alone
// writes to it.
type line struct {
	topic   string
	session models.ID
	state   models.State // of the session when the line was opened
	out     chan []byte
	end     chan int // close code; at most one is ever read
}

// newLine makes a line of a topic, or of none with "".
func newLine(topic string, session models.Session) *line {
	return &line{topic: topic, session: session.ID, state: session.State, out: make(chan []byte, backlog), end: make(chan int, 1)}
}

// NewHub makes an empty hub.
func NewHub(states States) *Hub {
	return &Hub{states: states, lines: map[models.ID]map[*line]struct{}{}}
}

// SessionEnded closes what was opened for a session.
func (h *Hub) SessionEnded(id models.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.lines[id] {
		l.close(closeSessionEnded)
	}
}

// Tell hands a text to every line of a topic.
func (h *Hub) Tell(topic string, text []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, group := range h.lines {
		for l := range group {
			if l.topic != topic {
				continue
			}
			select {
			case l.out <- text:
			default:
				// Too slow: it may come back and read the list.
				l.close(websocket.CloseTryAgainLater)
			}
		}
	}
}

// Watch closes the lines of sessions that have run out, until ctx ends.
func (h *Hub) Watch(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			h.look(ctx)
		}
	}
}

// look asks for all sessions in one query. Records that can't be reached end
// no line: nothing new can be said meanwhile.
func (h *Hub) look(ctx context.Context) {
	h.mu.Lock()
	ids := make([]models.ID, 0, len(h.lines))
	for id := range h.lines {
		ids = append(ids, id)
	}
	h.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	states, err := h.states(ctx, ids)
	if err != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range ids {
		for l := range h.lines[id] {
			if l.over(states[id]) {
				l.close(closeSessionEnded)
			}
		}
	}
}

// Missed ends every line, for messages may have been announced while nobody
// listened: whoever comes back reads the list.
func (h *Hub) Missed() { h.endAll(websocket.CloseTryAgainLater, false) }

// Close ends every line and lets no new one in.
func (h *Hub) Close() { h.endAll(websocket.CloseGoingAway, true) }

func (h *Hub) endAll(code int, forGood bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = h.closed || forGood
	for _, group := range h.lines {
		for l := range group {
			l.close(code)
		}
	}
}

func (h *Hub) add(l *line) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.lines[l.session]) >= linesPerSession {
		return false
	}
	if h.lines[l.session] == nil {
		h.lines[l.session] = map[*line]struct{}{}
	}
	h.lines[l.session][l] = struct{}{}
	return true
}

func (h *Hub) remove(l *line) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.lines[l.session], l)
	if len(h.lines[l.session]) == 0 {
		delete(h.lines, l.session)
	}
}

// over tells whether the session is gone, for which now is "", or was signed in when
// the line was opened and is so no more.
func (l *line) over(now models.State) bool {
	return now == "" || l.state == models.Authenticated && now != models.Authenticated
}

// close asks the line's goroutine to end. It never blocks.
func (l *line) close(code int) {
	select {
	case l.end <- code:
	default:
	}
}
