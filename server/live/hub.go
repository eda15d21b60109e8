// Package live holds sockets open for sessions: each closes within a second of
// its session's end, whichever instance ended it.
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
	socketsPerSession = 20 // each open page of a browser has one
	backlog           = 64 // messages a slow client may lag behind
	writeWithin       = 5 * time.Second
)

// lookEvery is how often the sessions of open sockets are looked at. An end by
// a statement is announced at once; idle and absolute ends come by themselves,
// and so does what a stricter policy ends.
const lookEvery = 500 * time.Millisecond

// States tells where those of some sessions stand that are live.
type States func(context.Context, []models.ID) (map[models.ID]models.State, error)

// Hub knows every open socket of this instance by its session.
type Hub struct {
	states States

	mu      sync.Mutex
	sockets map[models.ID]map[*socket]struct{} // guarded by mu
	closed  bool                               // guarded by mu
}

// socket is one connection. Its own goroutine alone writes to conn.
type socket struct {
	topic   string
	session models.ID
	state   models.State // of the session when the socket was opened
	conn    *websocket.Conn
	out     chan []byte
	end     chan int // close code; at most one is ever read
}

// NewHub makes an empty hub.
func NewHub(states States) *Hub {
	return &Hub{states: states, sockets: map[models.ID]map[*socket]struct{}{}}
}

// SessionEnded closes what was opened for a session.
func (h *Hub) SessionEnded(id models.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.sockets[id] {
		s.close(closeSessionEnded)
	}
}

// Tell hands a text to every socket of a topic.
func (h *Hub) Tell(topic string, text []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, group := range h.sockets {
		for s := range group {
			if s.topic != topic {
				continue
			}
			select {
			case s.out <- text:
			default:
				// Too slow: it may come back and read the list.
				s.close(websocket.CloseTryAgainLater)
			}
		}
	}
}

// Watch closes the sockets of sessions that have run out, until ctx ends.
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
// no socket: nothing new can be said meanwhile.
func (h *Hub) look(ctx context.Context) {
	h.mu.Lock()
	ids := make([]models.ID, 0, len(h.sockets))
	for id := range h.sockets {
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
		for s := range h.sockets[id] {
			if s.over(states[id]) {
				s.close(closeSessionEnded)
			}
		}
	}
}

// Missed ends every socket, for messages may have been announced while nobody
// listened: whoever comes back reads the list.
func (h *Hub) Missed() { h.endAll(websocket.CloseTryAgainLater, false) }

// Close ends every socket and lets no new one in.
func (h *Hub) Close() { h.endAll(websocket.CloseGoingAway, true) }

func (h *Hub) endAll(code int, forGood bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = h.closed || forGood
	for _, group := range h.sockets {
		for s := range group {
			s.close(code)
		}
	}
}

func (h *Hub) add(s *socket) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.sockets[s.session]) >= socketsPerSession {
		return false
	}
	if h.sockets[s.session] == nil {
		h.sockets[s.session] = map[*socket]struct{}{}
	}
	h.sockets[s.session][s] = struct{}{}
	return true
}

func (h *Hub) remove(s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets[s.session], s)
	if len(h.sockets[s.session]) == 0 {
		delete(h.sockets, s.session)
	}
}

// over tells whether the session is gone, for which now is "", or was signed in when
// the socket was opened and is so no more.
func (s *socket) over(now models.State) bool {
	return now == "" || s.state == models.Authenticated && now != models.Authenticated
}

// close asks the socket's goroutine to end. It never blocks.
func (s *socket) close(code int) {
	select {
	case s.end <- code:
	default:
	}
}
