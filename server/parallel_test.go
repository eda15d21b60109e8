package server_test

import (
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// parallel runs f n times at once and counts the answers by status.
func parallel(n int, f func(i int) *answer) map[int]int {
	var mu sync.Mutex
	var wg sync.WaitGroup
	counts := map[int]int{}
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			a := f(i)
			mu.Lock()
			defer mu.Unlock()
			counts[a.Status]++
		})
	}
	close(start)
	wg.Wait()
	return counts
}

// generous lifts the limits so that single use alone decides a race.
func generous(p *models.Policy) {
	wide := models.Limit{Max: 100, Window: models.Duration(time.Minute)}
	p.Limits.TOTP, p.Limits.Recovery, p.Limits.Passkey = wide, wide, wide
	p.Limits.Password = models.Limit{Max: 1000, Window: models.Duration(time.Minute)}
	p.Limits.InARow.Free, p.Limits.InARow.DisableAfter = 1000, 1000
}

func TestOneTOTPCodeOf100InParallel(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(generous)
	ada := s.withTOTP("ada")
	s.nextStep()
	tabs := make([]*person, 100)
	for i := range tabs {
		tabs[i] = ada.elsewhere()
	}
	code := ada.code()
	counts := parallel(100, func(i int) *answer { return tabs[i].post("/v1/verify/totp", map[string]any{"code": code}) })
	if counts[200] != 1 || counts[200]+counts[422]+counts[429] != 100 {
		t.Fatalf("answers %v: exactly one may win", counts)
	}
}

func TestOneRecoveryCodeOf100InParallel(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(generous)
	ada := s.withTOTP("ada")
	ada.saveCodes()
	tabs := make([]*person, 100)
	for i := range tabs {
		tabs[i] = ada.elsewhere()
	}
	counts := parallel(100, func(i int) *answer {
		return tabs[i].post("/v1/verify/recovery", map[string]any{"code": ada.codes[3]})
	})
	if counts[200] != 1 || counts[200]+counts[422]+counts[429] != 100 {
		t.Fatalf("answers %v: exactly one may win", counts)
	}
}

func TestWrongCodesAreLimitedInParallelAndPerFactor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	ada.saveCodes()
	s.nextStep()
	tabs := make([]*person, 30)
	s.force(func(p *models.Policy) { p.Limits.Password.Max = 100 })
	for i := range tabs {
		tabs[i] = ada.elsewhere()
	}
	counts := parallel(30, func(i int) *answer { return tabs[i].post("/v1/verify/totp", map[string]any{"code": "000000"}) })
	if counts[422] != 5 || counts[429] != 25 {
		t.Fatalf("answers %v: five failures must let five through", counts)
	}
	limited := ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(429, models.CodeRateLimited)
	if limited.Header.Get("Retry-After") != "180" { // one network may use five of ten
		t.Errorf("Retry-After is %q", limited.Header.Get("Retry-After"))
	}
	// Signing in anew doesn't reset it, and another factor stays open.
	ada.elsewhere().post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200)
	s.Clock.Advance(3 * time.Minute)
	ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
}
