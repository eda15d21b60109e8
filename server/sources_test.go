package server_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

func costly(p *models.Policy) {
	p.Limits.Login = models.Limit{Max: 100, Window: models.Duration(10 * time.Hour)}
	p.Limits.Sources = models.Sources{Window: models.Duration(10 * time.Minute), Names: 5, Sprayed: 5, Cost: 20}
	p.Limits.Sprayed = models.Limit{Max: 3, Window: models.Duration(10 * time.Hour)}
}

// Many accounts from one network, each with a password of its own.
func TestCredentialStuffingSlowsItsNetworkDown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	s.force(costly)
	let := 0
	for i := range 60 {
		stuffed := map[string]any{"identifier": fmt.Sprint("nobody", i), "password": fmt.Sprint("leaked password ", i)}
		if s.browser().from("192.0.2.1").post("/v1/login", stuffed).Status == 401 {
			let++
		}
	}
	if let != 10 { // six pay one, then each pays twenty of what is left of a hundred
		t.Errorf("%d of 60 were checked", let)
	}
	s.browser().from("198.51.100.1").post("/v1/login", login("nobody")).want(401)
	ada.from("192.0.2.1").post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
}

// One person who mistypes again and again is no such source.
func TestOneNameIsNoStuffing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(costly)
	s.force(generous)
	for range 30 {
		s.browser().from("192.0.2.1").post("/v1/login", login("nobody")).want(401)
	}
}

// One password over many accounts, each try from another network.
func TestSprayingSlowsWhoeverUsesThePasswordDown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	s.force(costly)
	try := func(i int, password string) int {
		return s.browser().from(fmt.Sprintf("10.0.%d.1", i)).post("/v1/login", map[string]any{"identifier": fmt.Sprint("nobody", i), "password": password}).Status
	}
	let := 0
	for i := range 40 {
		if try(i, password) == 401 {
			let++
		}
	}
	if let != 9 { // six until it shows, then three for everybody together
		t.Errorf("%d of 40 were checked", let)
	}
	if status := try(41, "another password"); status != 401 {
		t.Errorf("another password got %d", status)
	}
	ada.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
	s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(429)
	s.Clock.Advance(10 * time.Minute) // it is forgotten
	s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
}
