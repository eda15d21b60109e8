package face

import (
	"sync"
	"time"

	"github.com/sallyport/sallyport/models"
)

// Captures take memory from their first byte on, so those that are under way
// are bounded: for each session, that nobody holds all of them, and in all. The
// line at the image gate is as long, so that it turns away none of these.
const (
	turnsPerSession = 2
	turnsInAll      = 32
)

// turns counts the captures that are under way. Its zero value is ready, and it
// is safe for concurrent use.
type turns struct {
	mu    sync.Mutex
	taken map[models.ID]int // by session; guarded by mu
	all   int               // guarded by mu
}

// take gives a turn, which its owner must give back; face_unavailable when there
// is none.
func (t *turns) take(session models.ID) (giveBack func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken[session] == turnsPerSession || t.all == turnsInAll {
		return nil, &models.Error{
			Code: models.CodeFaceUnavailable, Reason: "busy", RetryAfter: time.Second,
			Message: "many pictures are being looked at right now: try again in a moment, or use another way",
		}
	}
	if t.taken == nil {
		t.taken = map[models.ID]int{}
	}
	t.taken[session]++
	t.all++
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.all--
		if t.taken[session]--; t.taken[session] == 0 {
			delete(t.taken, session)
		}
	}, nil
}
