// Package chat is the demo: one room that only a level-2 session can open or
// post to. It shows apps how a socket follows the session it was opened for.
package chat

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/sallyport/sallyport/models"
)

// closeSessionEnded tells a page that its session is over (the private range
// of RFC 6455 section 7.4.2).
const closeSessionEnded = 4401

const (
	socketsPerSession = 5
	backlog           = 64 // messages a slow client may lag behind
	writeWithin       = 5 * time.Second
)

// Hub knows every open socket of this instance by its session.
type Hub struct {
	store Store
	log   *slog.Logger

	mu      sync.Mutex
	sockets map[models.ID]map[*socket]struct{} // guarded by mu
	closed  bool                               // guarded by mu
}

// socket is one connection. Its own goroutine alone writes to conn.
type socket struct {
	session models.ID
	conn    *websocket.Conn
	out     chan []byte
	end     chan int // close code; at most one is ever read
}

// NewHub makes an empty hub.
func NewHub(store Store, log *slog.Logger) *Hub {
	return &Hub{store: store, log: log, sockets: map[models.ID]map[*socket]struct{}{}}
}

// SessionEnded closes what was opened for a session.
func (h *Hub) SessionEnded(id models.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.sockets[id] {
		s.close(closeSessionEnded)
	}
}

// Posted hands a new message to every socket.
func (h *Hub) Posted(id models.ID) {
	ctx, cancel := context.WithTimeout(context.Background(), writeWithin)
	defer cancel()
	message, err := h.store.ChatMessage(ctx, id)
	if err != nil {
		if models.CodeOf(err) != models.CodeNotFound {
			h.log.Warn("a posted message was not handed on", "error", err)
		}
		return
	}
	text, err := json.Marshal(describe(message))
	if err != nil {
		h.log.Error("a posted message was not handed on", "error", err)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, group := range h.sockets {
		for s := range group {
			select {
			case s.out <- text:
			default:
				// Too slow: it may come back and read the list.
				s.close(websocket.CloseTryAgainLater)
			}
		}
	}
}

// Missed looks after every session again: ends may have been announced while
// nobody listened.
func (h *Hub) Missed() {
	h.mu.Lock()
	ids := make([]models.ID, 0, len(h.sockets))
	for id := range h.sockets {
		ids = append(ids, id)
	}
	h.mu.Unlock()
	for _, id := range ids {
		if !h.alive(id) {
			h.SessionEnded(id)
		}
	}
}

// Close ends every socket and lets no new one in.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, group := range h.sockets {
		for s := range group {
			s.close(websocket.CloseGoingAway)
		}
	}
}

// alive asks the records whether a session may still listen. Records that
// can't be reached don't end a socket: nothing new can be said meanwhile.
func (h *Hub) alive(id models.ID) bool {
	ctx, cancel := context.WithTimeout(context.Background(), writeWithin)
	defer cancel()
	session, err := h.store.SessionByID(ctx, id)
	if models.CodeOf(err) == models.CodeUnavailable {
		return true
	}
	return err == nil && session.State == models.Authenticated
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

// close asks the socket's goroutine to end. It never blocks.
func (s *socket) close(code int) {
	select {
	case s.end <- code:
	default:
	}
}
