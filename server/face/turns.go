package face

import (
	"sync"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
)

// Captures take memory from their first byte on, so those that are under way
// are bounded: for each session, that nobody holds all of them, and in all. The
// line at the image gate is as long, so that it turns away none of these.
const (
	turnsPerSession = 2
	turnsInAll      = 32
	// roundWithin is how long all captures under way may take for a frame each: a
	// person follows no prompt that comes seconds late.
	roundWithin = 500 * time.Millisecond
)

// turns counts the captures that are under way. Its zero value is ready, and it
// is safe for concurrent use.
type turns struct {
	mu   sync.Mutex
	last int
	open map[int]turn // guarded by mu
}

// turn is one capture under way. It ends by itself: the framework may drop a
// connection between its upgrade and the handler that would give the turn back.
type turn struct {
	session models.ID
	ends    time.Time
}

// take gives a turn, which its owner gives back; face_unavailable when there is
// none, or when one more would make every frame wait too long.
func (t *turns) take(now time.Time, session models.ID, load biometrics.Load) (giveBack func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := 0
	for id, open := range t.open {
		switch {
		case !now.Before(open.ends):
			delete(t.open, id)
		case open.session == session:
			own++
		}
	}
	if own == turnsPerSession || len(t.open) == turnsInAll || load.Round(len(t.open)+1) > roundWithin {
		return nil, &models.Error{
			Code: models.CodeFaceUnavailable, Reason: "busy", RetryAfter: time.Second,
			Message: "many pictures are being looked at right now: try again in a moment, or use another way",
		}
	}
	if t.open == nil {
		t.open = map[int]turn{}
	}
	t.last++
	id := t.last
	t.open[id] = turn{session, now.Add(challengeWithin)}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.open, id)
	}, nil
}
