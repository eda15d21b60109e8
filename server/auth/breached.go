package auth

import (
	"context"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

// Breaches knows passwords from leaks, by the UTF-8 bytes that their owners
// typed. Its errors say nothing of the password.
type Breaches interface {
	Known(ctx context.Context, password string) (bool, error)
}

const (
	breachWithin   = 1500 * time.Millisecond // that a lookup may take
	breachLogEvery = time.Minute             // that a failure is logged at most
)

// checkBreached refuses a new password that is known from a leak, in the form it
// was typed in or in the one that is hashed. Where nobody can tell, it is
// accepted (NIST SP 800-63B-4 asks for a blocklist, and there is another), and
// unchecked says that this has to be recorded.
func (h *Handlers) checkBreached(c *fiber.Ctx, field, typed string) (unchecked bool, err error) {
	if h.Breaches == nil {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), breachWithin)
	defer cancel()
	for _, form := range forms(typed) {
		known, err := h.Breaches.Known(ctx, form)
		if err != nil {
			h.unasked.log(h.Now(), func(since int) {
				h.Log.Warn("passwords are accepted without being looked up among leaked ones", "error", err, "since_last_told", since)
			})
			unchecked = true
		}
		if known {
			return false, models.Invalid(field, "breached", "this password is in a list of leaked passwords: choose another, and change it wherever else you use it")
		}
	}
	return unchecked, nil
}

// noting records beside what a decision records that the password was accepted
// unchecked, in the same transaction.
func noting(unchecked bool, decide models.Decide) models.Decide {
	if !unchecked {
		return decide
	}
	return func(a models.Attempt) (models.Attempt, []models.Effect, error) {
		after, effects, err := decide(a)
		return after, append(effects, models.Effect{Kind: models.EffectRecord, Factor: models.Password, Fact: "breach_check_failed"}), err
	}
}

// seldom keeps what happens at every request from filling the log.
type seldom struct {
	mu    sync.Mutex
	next  time.Time // guarded by mu
	since int       // guarded by mu
}

// log calls tell at most once in breachLogEvery, with how often it was asked to
// since the last time.
func (s *seldom) log(now time.Time, tell func(since int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since++
	if now.Before(s.next) {
		return
	}
	tell(s.since)
	s.next, s.since = now.Add(breachLogEvery), 0
}
