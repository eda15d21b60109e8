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

// lookEvery is how often the sessions of open sockets are looked at. An end by
// a statement is announced at once; idle and absolute ends come by themselves,
// and so does what a stricter policy ends.
const lookEvery = 500 * time.Millisecond

// Live tells which of some sessions are signed in still.
type Live func(context.Context, []models.ID) (map[models.ID]bool, error)

// Hub knows every open socket of this instance by its session.
type Hub struct {
	store Store
	live  Live
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
func NewHub(store Store, live Live, log *slog.Logger) *Hub {
	return &Hub{store: store, live: live, log: log, sockets: map[models.ID]map[*socket]struct{}{}}
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
	live, err := h.live(ctx, ids)
	if err != nil {
		return
	}
	for _, id := range ids {
		if !live[id] {
			h.SessionEnded(id)
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

// close asks the socket's goroutine to end. It never blocks.
func (s *socket) close(code int) {
	select {
	case s.end <- code:
	default:
	}
}
