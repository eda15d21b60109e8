package server_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
)

// flood sends n wrong passwords for a name, each from another network, spread
// evenly over a time of the clock, and counts the answers.
func (s *site) flood(name string, n int, over time.Duration) map[int]int {
	counts := map[int]int{}
	const slices = 10
	for i := range slices {
		for status, some := range parallel(n/slices, func(j int) *answer {
			return s.browser().from(fmt.Sprintf("10.%d.%d.1", i, j)).post("/v1/login", login(name))
		}) {
			counts[status] += some
		}
		s.Clock.Advance(over / slices)
	}
	return counts
}

// TestAFloodDoesNotLockTheOwnerOut: 5,000 wrong passwords in a minute, and
// whoever has signed in on a browser before does so again and again meanwhile.
func TestAFloodDoesNotLockTheOwnerOut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, phone := s.withTOTP("ada"), newKey(true)
	ada.addPasskey(phone, "").want(201)
	ada.delete("/v1/session").want(204)
	counts := map[int]int{}
	for range 4 {
		for status, some := range s.flood("ada", 1250, 15*time.Second) {
			counts[status] += some
		}
		ada.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
		ada.verifyPasskey(phone).want(200).state(models.Authenticated, models.ACRAAL2)
		ada.delete("/v1/session").want(204)
	}
	// With the right password, but from nowhere known: wait like everybody.
	wait := s.browser().from("192.0.2.1").post("/v1/login", map[string]any{"identifier": "ada", "password": password})
	if wait.want(429, models.CodeRateLimited).Header.Get("Retry-After") == "" {
		t.Error("nobody says how long")
	}
	if counts[401] > 6 || counts[401]+counts[429] != 5000 {
		t.Errorf("answers %v: strangers' passwords were checked", counts)
	}
}

// Full counts are the strangers'.
func TestAKnownDeviceIsNotCountedWithItsNetwork(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	s.force(func(p *models.Policy) {
		p.Limits.Login = models.Limit{Max: 1, Window: models.Duration(time.Hour)}
		p.Limits.Global = models.Limit{Max: 1, Window: models.Duration(time.Hour)}
	})
	s.browser().post("/v1/login", login("nobody")).want(401)
	s.browser().post("/v1/login", login("somebody")).want(429)
	s.browser().from("192.0.2.1").post("/v1/login", login("somebody")).want(429) // from everywhere
	ada.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
}

// A marker is of one account, and nothing that is made up is one.
func TestAMarkerServesItsAccountAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, eve := s.withTOTP("ada"), s.withTOTP("eve")
	s.flood("ada", 100, time.Minute)
	for name, marker := range map[string]string{
		"another account's": eve.cookies["sallyport-device"],
		"made up":           strings.Repeat("A", 43),
		"garbage":           "....\x7f.%00",
		"many":              strings.Repeat("x.", 500),
	} {
		b := s.browser().from("192.0.2.1")
		b.cookies["sallyport-device"] = marker
		if a := b.post("/v1/login", map[string]any{"identifier": "ada", "password": password}); a.Status != 429 {
			t.Errorf("%s: got %d", name, a.Status)
		}
	}
	b := s.browser().from("192.0.2.1")
	b.cookies["sallyport-device"] = "AAAA." + ada.cookies["sallyport-device"]
	b.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
	// A browser doesn't get its lane by a header that a page could set.
	b = s.browser().from("192.0.2.1")
	b.header["Sallyport-Device"] = ada.cookies["sallyport-device"]
	b.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(429)
}

// Its own lane holds a stolen marker to the same numbers.
func TestAKnownDeviceIsLimitedToo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	tabs := make([]*browser, 100)
	for i := range tabs {
		tabs[i] = s.browser().from(fmt.Sprintf("10.0.%d.1", i))
		tabs[i].cookies["sallyport-device"] = ada.cookies["sallyport-device"]
	}
	if counts := parallel(100, func(i int) *answer { return tabs[i].post("/v1/login", login("ada")) }); counts[401] != 5 || counts[429] != 95 {
		t.Errorf("answers %v", counts)
	}
	// Strangers are another lane.
	s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
}

func TestPasswordsAreLimitedBeforeTheyAreHashed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.register("ada")
	answers := map[string][]string{}
	for _, identifier := range []string{"ada", "nobody", "nobody@example.com"} {
		for range 7 {
			a := s.browser().post("/v1/login", login(identifier))
			answers[identifier] = append(answers[identifier], fmt.Sprint(a.Status, a.Header.Get("Retry-After"), string(a.Raw)))
		}
		s.crowded().post("/v1/login", login(identifier)).want(429, models.CodeRateLimited)
		for i, a := range answers[identifier] {
			if a != answers["ada"][i] {
				t.Errorf("try %d tells whether %s exists:\n%s\n%s", i, identifier, a, answers["ada"][i])
			}
		}
	}
	// Two names of one account are counted apart: neither tells of the other.
	s.browser().post("/v1/login", map[string]any{"identifier": "ada@example.com", "password": password}).want(200)
}

// However a name is written, it is one name.
func TestVariantsOfANameShareOneCount(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.register("ada")
	for _, names := range [][]string{
		{"ada", "ADA", " Ada ", "ａda", "aDa"},
		{"ada@example.com", "ADA@EXAMPLE.COM", " Ada@Example.Com", "ａda@example.com", "ada@ｅxample.com"},
	} {
		for _, name := range names {
			s.browser().post("/v1/login", login(name)).want(401)
		}
		for _, name := range names {
			s.browser().from("192.0.2.1").post("/v1/login", login(name)).want(429)
		}
	}
}

// A client names whatever it likes in a header; only what the proxy adds counts.
func TestSpoofedHeadersDoNotMakeNetworks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(func(p *models.Policy) { p.Limits.Login = models.Limit{Max: 3, Window: models.Duration(time.Hour)} })
	open := s.another(func(d *server.Deps) { d.Proxies = nil })
	for name, try := range map[string]func(i int) *browser{
		"before the proxy's own": func(i int) *browser { return s.browser().from(fmt.Sprintf("10.1.%d.1, 192.0.2.1", i)) },
		"without a proxy":        func(i int) *browser { return open.clone().from(fmt.Sprintf("10.2.%d.1", i)) },
		"within a /24":           func(i int) *browser { return s.browser().from(fmt.Sprintf("198.51.100.%d", i)) },
		"within a /56":           func(i int) *browser { return s.browser().from(fmt.Sprintf("2001:db8:1:2%02x:%x::1", i, i)) },
		"as mapped IPv6":         func(i int) *browser { return s.browser().from(fmt.Sprintf("::ffff:203.0.113.%d", i)) },
	} {
		let := 0
		for i := range 10 {
			if try(i).post("/v1/login", login(fmt.Sprintf("nobody%d", i))).Status == 401 {
				let++
			}
		}
		if let != 3 {
			t.Errorf("%s: %d came through a limit of 3", name, let)
		}
	}
}

// One network can use up half of what strangers have, not all of it.
func TestOneNetworkDoesNotUseUpAllOfAName(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.register("ada")
	s.force(func(p *models.Policy) { p.Limits.InARow.Free = 20 })
	for range 5 {
		s.browser().from("192.0.2.1").post("/v1/login", login("ada")).want(401)
	}
	a := s.browser().from("192.0.2.1").post("/v1/login", login("ada")).want(429)
	if a.Header.Get("Retry-After") != "180" {
		t.Errorf("Retry-After is %q", a.Header.Get("Retry-After"))
	}
	s.browser().from("198.51.100.1").post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
}

// After so many failures in a row strangers' passwords are not checked any more,
// not even right ones, until the owner has signed in on a known device.
func TestStrangersAreClosedOutUntilTheOwnerComes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	s.force(func(p *models.Policy) { p.Limits.InARow.DisableAfter = 20 })
	stranger := func() *answer {
		return s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": password})
	}
	let := 0
	for range 15 {
		if s.browser().post("/v1/login", login("ada")).Status == 401 {
			let++
		}
		s.Clock.Advance(time.Hour)
	}
	if let != 9 { // half of twenty is the name's, and the one that closes it is not checked
		t.Errorf("%d passwords were checked", let)
	}
	stranger().want(429)
	s.Clock.Advance(40 * 24 * time.Hour)
	if err := s.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	stranger().want(429)
	if s.facts("factor_disabled") != 1 {
		t.Errorf("recorded %d times", s.facts("factor_disabled"))
	}
	ada.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
	stranger().want(200)
}

// facts counts the audit rows of a fact.
func (s *site) facts(fact string) (n int) {
	s.t.Helper()
	if err := s.Pool.QueryRow(s.t.Context(), `SELECT count(*) FROM events WHERE fact = $1`, fact).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// Somebody with the password who keeps guessing codes ends in the app being off:
// the account has its other ways, and the app is set up anew.
func TestAFactorThatFailsTooOftenIsDisabledAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, phone := s.withTOTP("ada"), newKey(true)
	ada.addPasskey(phone, "").want(201)
	s.force(func(p *models.Policy) { p.Limits.InARow.DisableAfter = 10 })
	for range 12 {
		thief := ada.elsewhere()
		thief.post("/v1/verify/totp", map[string]any{"code": "000000"})
		s.Clock.Advance(time.Hour)
	}
	back := ada.elsewhere()
	off := back.post("/v1/verify/totp", map[string]any{"code": back.code()}).want(409, models.CodeConflict)
	if off.Body["reason"] != "factor_disabled" || s.facts("factor_disabled") != 1 {
		t.Errorf("got %s, recorded %d times", off.Raw, s.facts("factor_disabled"))
	}
	if factors := back.get("/v1/session").want(200).Body["factors"].([]any); len(factors) != 1 || factors[0] != "passkey" {
		t.Errorf("the session offers %v", factors)
	}
	back.verifyPasskey(phone).want(200)
	if state := back.get("/v1/me/totp").want(200).Body; state["enabled"] != false || state["disabled"] != true {
		t.Errorf("the app is %v", state)
	}
	back.addTOTP()
	s.nextStep()
	again := back.elsewhere()
	again.secret = back.secret
	again.post("/v1/verify/totp", map[string]any{"code": again.code()}).want(200)
}

// A code that is right ends the failures before it.
func TestASuccessEndsItsOwnFailures(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	for range 4 {
		for range 4 {
			ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": "000000"}).want(422)
		}
		s.nextStep()
		ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
		s.Clock.Advance(15 * time.Minute) // the buckets; the failures in a row stay
	}
}

func TestRetryAfterIsExact(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.register("ada")
	s.force(func(p *models.Policy) {
		p.Limits.Password = models.Limit{Max: 100, Window: models.Duration(time.Minute)}
	})
	try := func() *answer { return s.browser().post("/v1/login", login("ada")) }
	for range 5 {
		try().want(401)
	}
	for _, want := range []int{30, 60, 120} {
		a := try().want(429)
		if got := a.Header.Get("Retry-After"); got != strconv.Itoa(want) || a.Body["retry_after"] != float64(want) {
			t.Fatalf("told to wait %s s, want %d: %s", got, want, a.Raw)
		}
		s.Clock.Advance(time.Duration(want)*time.Second - time.Microsecond)
		try().want(429)
		s.Clock.Advance(time.Microsecond)
		try().want(401)
	}
}
