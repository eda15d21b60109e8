package server_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
	"github.com/sallyport/sallyport/server/auth"
)

// A check that was refused for want of room guessed nothing: whoever fills the
// queue must not use up the tries of others.
func TestShedChecksGiveTheirTriesBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(generous)
	busy := s.another(func(d *server.Deps) {
		d.Argon2 = auth.Argon2{MemoryKiB: 16 << 10, Time: 2, Threads: 1}
		d.HashParallel, d.HashQueue = 1, 1
	})
	busy.post("/v1/accounts", map[string]any{"email": "ada@example.com", "username": "ada", "password": password}).want(201)
	counts := parallel(40, func(int) *answer {
		return busy.site.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": "a wrong password"})
	})
	var counted int
	if err := s.Pool.QueryRow(t.Context(), `SELECT failures FROM failure_streaks WHERE kind = 'pwd' AND subject LIKE 'name:%'`).Scan(&counted); err != nil {
		t.Fatal(err)
	}
	if counts[503] == 0 || counts[401]+counts[503] != 40 || counted != counts[401] {
		t.Errorf("answers %v, counted %d failures", counts, counted)
	}
}

// Names that don't exist have a count each; together they have their network's.
func TestSignInsAreLimitedPerNetwork(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(func(p *models.Policy) { p.Limits.Login = models.Limit{Max: 3, Window: models.Duration(time.Minute)} })
	for i := range 3 {
		s.browser().post("/v1/login", map[string]any{"identifier": fmt.Sprint("nobody", i), "password": password}).want(401)
	}
	s.browser().post("/v1/login", map[string]any{"identifier": "somebody", "password": password}).want(429, models.CodeRateLimited)
	s.Clock.Advance(20 * time.Second) // a third of the minute refills one of three
	s.browser().post("/v1/login", map[string]any{"identifier": "somebody", "password": password}).want(401)
}

func TestIssuingRecoveryCodesIsLimited(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.register("ada")
	for range 10 {
		ada.saveCodes()
	}
	ada.post("/v1/me/recovery-codes", map[string]any{}).want(429, models.CodeRateLimited)
}

// Captures are work, whatever comes of them: a good one reopens nothing.
func TestCapturesStayCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(func(p *models.Policy) {
		p.Limits.FaceCapture = models.Limit{Max: 3, Window: models.Duration(time.Hour)}
	})
	ada := s.withFace("ada", 1)
	ada.elsewhere().showFace(someone(1)).want(200)
	ada.elsewhere().showFace(someone(1)).want(200)
	ada.elsewhere().post("/v1/verify/face/challenge", map[string]any{}).want(429, models.CodeRateLimited)
}

// forgetful is a store that can't say what an account holds.
type forgetful struct {
	server.Store
	out atomic.Bool
}

func (f *forgetful) Enrolled(ctx context.Context, session models.Session) (models.Enrolled, error) {
	if f.out.Load() {
		return models.Enrolled{}, &models.Error{Code: models.CodeUnavailable, Message: "out of reach", RetryAfter: time.Second, Cause: errors.New("test")}
	}
	return f.Store.Enrolled(ctx, session)
}

// Once the session has moved its old token is dead: whatever fails then, the
// new one must reach its owner.
func TestAMovedSessionIsNeverLost(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	store := &forgetful{}
	odd := s.another(func(d *server.Deps) { store.Store = d.Store; d.Store = store })
	for _, transport := range []string{"cookie", "bearer"} {
		tab := odd.site.app()
		if transport == "cookie" {
			tab = odd.site.browser()
		}
		tab.post("/v1/login", map[string]any{"identifier": "ada", "password": password, "transport": transport}).want(200)
		s.nextStep()
		store.out.Store(true)
		tab.get("/v1/session").want(503)
		tab.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
		store.out.Store(false)
		tab.get("/v1/session").want(200).state(models.Authenticated, models.ACRAAL2)
	}
}
