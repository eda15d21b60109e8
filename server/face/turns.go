package face

import (
	"sync"
	"time"

	"github.com/sallyport/sallyport/models"
)

// turnsPerAccount is how many captures of one account are read and looked at at
// once. Pictures take memory from their first byte on: nobody fills it alone.
const turnsPerAccount = 2

// turns counts the captures that are under way. Its zero value is ready, and it
// is safe for concurrent use.
type turns struct {
	mu    sync.Mutex
	taken map[models.ID]int // guarded by mu
}

// take gives a turn, which its owner must give back; face_unavailable when the
// account has all of its turns.
func (t *turns) take(account models.ID) (giveBack func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken[account] == turnsPerAccount {
		return nil, &models.Error{
			Code: models.CodeFaceUnavailable, Reason: "busy", RetryAfter: time.Second,
			Message: "we are still looking at pictures of yours: try again in a moment",
		}
	}
	if t.taken == nil {
		t.taken = map[models.ID]int{}
	}
	t.taken[account]++
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.taken[account]--; t.taken[account] == 0 {
			delete(t.taken, account)
		}
	}, nil
}
