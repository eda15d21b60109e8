package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// Session fixation: whatever the attacker planted in the victim's browser before a
// sign-in, it is no session of the victim's after it, by any way in.
func TestAttackSessionFixation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, phone := s.withTOTP("ada"), newKey(true)
	ada.addPasskey(phone, "").want(201)
	eve := s.withTOTP("eve")
	planted := map[string]func() *browser{
		"made up":                   func() *browser { b := s.browser(); b.cookies["sallyport"] = strings.Repeat("A", 43); return b },
		"the attacker's, signed in": func() *browser { return eve.clone() },
		"the attacker's, half":      func() *browser { return eve.elsewhere().browser },
		"the victim's own, half":    func() *browser { return ada.elsewhere().browser },
		"of a passkey ceremony": func() *browser {
			b := s.browser()
			b.post("/v1/login/passkey/options", map[string]any{}).want(200)
			b.cookies["sallyport"] = b.cookies["sallyport-pre"]
			return b
		},
	}
	ways := map[string]func(b *browser) *answer{
		"password": func(b *browser) *answer {
			return b.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
		},
		"passkey": func(b *browser) *answer { return b.loginPasskey(phone).want(200) },
		"password and passkey": func(b *browser) *answer {
			b.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
			return b.post("/v1/verify/passkey", phone.sign(t, b.post("/v1/verify/passkey/options", map[string]any{}).want(200))).want(200)
		},
	}
	s.force(generous)
	for fixed, plant := range planted {
		for way, signIn := range ways {
			victim := plant()
			attacker := victim.clone()
			signIn(victim)
			if victim.cookies["sallyport"] == attacker.cookies["sallyport"] {
				t.Errorf("%s, %s: the planted token is the session's", fixed, way)
			}
			a := attacker.get("/v1/session")
			if a.Status == 200 && strings.Contains(string(a.Raw), `"ada"`) || a.Status == 200 && a.Body["state"] == string(models.Authenticated) && fixed != "the attacker's, signed in" {
				t.Errorf("%s, %s: the planted token has %s", fixed, way, a.Raw)
			}
			eve = s.relogin(eve) // a sign-in ended the session that it replaced
		}
	}
	// A new account is a sign-in as well.
	victim := eve.clone()
	attacker := victim.clone()
	victim.post("/v1/accounts", map[string]any{"email": "bea@example.com", "username": "bea", "password": password}).want(201)
	attacker.get("/v1/session").want(401)
}

// relogin signs a person with an authenticator app in on a new browser.
func (s *site) relogin(p *person) *person {
	s.t.Helper()
	s.nextStep()
	again := p.elsewhere()
	again.post("/v1/verify/totp", map[string]any{"code": again.code()}).want(200).state(models.Authenticated, models.ACRAAL2)
	return again
}

// Token not rotated: after each step of sign-in, enrolment, step-up and removal the
// token before it opens nothing.
func TestAttackTokenIsRotatedAtEachStep(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(generous)
	s.force(func(p *models.Policy) { p.StepUp.MaxAge = models.Duration(time.Hour) })
	ada, phone := s.register("ada"), newKey(true)
	other := newKey(true)
	step := func(name string, do func()) {
		t.Helper()
		before := ada.clone()
		do()
		if ada.cookies["sallyport"] == before.cookies["sallyport"] {
			t.Errorf("%s: the token is the same", name)
		}
		if a := before.get("/v1/session"); a.Status != 401 {
			t.Errorf("%s: the token before it still has %s", name, a.Raw)
		}
	}
	login := func() {
		ada.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
	}
	step("first factor enrolled", func() { ada.addTOTP() })
	step("passkey enrolled", func() { ada.addPasskey(phone, "").want(201) })
	step("signed in anew", login)
	step("second factor: totp", func() { s.nextStep(); ada.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200) })
	step("stepped up: totp", func() { s.nextStep(); ada.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200) })
	step("stepped up: passkey", func() { ada.verifyPasskey(phone).want(200) })
	step("stepped up: password", func() { ada.post("/v1/verify/password", map[string]any{"password": password}).want(200) })
	step("password changed", func() {
		ada.post("/v1/me/password", map[string]any{"current": password, "new": "another horse battery"}).want(204)
	})
	step("password changed back", func() {
		ada.post("/v1/me/password", map[string]any{"current": "another horse battery", "new": password}).want(204)
	})
	step("factor removed", func() { ada.delete("/v1/me/totp").want(204) })
	step("authenticator app again", func() { ada.addTOTP() })
	ada.saveCodes()
	step("signed in anew", login)
	step("second factor: passkey", func() { ada.verifyPasskey(phone).want(200) })
	step("signed in anew", login)
	step("recovery code", func() { ada.post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200) })
	step("enrolled while recovering", func() { ada.addPasskey(other, "").want(201) })
	step("passkey alone", func() { ada.loginPasskey(other).want(200) })
	step("signed out", func() { ada.delete("/v1/session").want(204) })
}

// A cookie is for one host: the server never widens it, and takes no session from an
// address or a body, where it would lie in logs and links.
func TestAttackTokenInTheWrongPlace(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	token := ada.cookies["sallyport"]
	for _, path := range []string{"/v1/session?token=%s", "/v1/session?sallyport=%s", "/v1/session?access_token=%s", "/v1/session;sallyport=%s"} {
		if a := s.browser().get(strings.ReplaceAll(path, "%s", token)); a.Status != http.StatusUnauthorized && a.Status != http.StatusNotFound {
			t.Errorf("%s: got %d", path, a.Status)
		}
	}
	for name, value := range map[string]string{
		"X-Session-Token": token, "X-Auth-Token": token, "Remote-User": "ada", "X-Forwarded-User": "ada", "X-Remote-User": "ada",
		"Authorization": "Basic YWRhOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==", "X-Original-URL": "/v1/session", "X-Rewrite-URL": "/healthz",
	} {
		b := s.browser()
		b.header[name] = value
		b.get("/v1/session").want(401, models.CodeSessionRequired)
	}
}

// The clock steps back by an hour: nothing single-use works twice, nobody is locked
// out for longer than the step, nothing fails but by a refusal.
func TestAttackClockStepsBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(generous)
	ada, phone := s.withTOTP("ada"), newKey(true)
	ada.addPasskey(phone, "").want(201)
	ada.saveCodes()
	s.nextStep()
	spent := ada.code()
	ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": spent}).want(200)
	tab := ada.elsewhere()
	assertion := phone.sign(t, tab.post("/v1/verify/passkey/options", map[string]any{}).want(200))
	tab.clone().post("/v1/verify/passkey", assertion).want(200)
	ada.elsewhere().post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200)
	ended := ada.elsewhere()
	gone := ended.clone()
	ended.delete("/v1/session").want(204)
	for range 3 {
		s.browser().post("/v1/login", login("ada")).want(401)
	}

	s.Clock.Advance(-time.Hour)
	// Counts of the time to come refuse everything at first; without them single use
	// alone has to hold.
	if _, err := s.Pool.Exec(t.Context(), `DELETE FROM limit_buckets`); err != nil {
		t.Fatal(err)
	}

	ada.get("/v1/me").want(200)
	gone.get("/v1/session").want(401)
	// Neither codes of the time that was used up nor those of an hour ago, which the
	// clock says it is: an app shows them to whoever waits.
	for _, code := range []string{spent, ada.code(), ada.codeAt(-30 * time.Second), ada.codeAt(30 * time.Second)} {
		ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": code}).want(422, models.CodeFactorRejected)
	}
	ada.elsewhere().post("/v1/verify/passkey", assertion).want(410, models.CodeChallengeExpired)
	ada.elsewhere().post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(422, models.CodeFactorRejected)
	// The other ways in are open all the while: passkeys, and the codes that are left.
	ada.elsewhere().verifyPasskey(phone).want(200).state(models.Authenticated, models.ACRAAL2)
	ada.elsewhere().post("/v1/verify/recovery", map[string]any{"code": ada.codes[1]}).want(200)
	for _, path := range []string{"/v1/me/sessions", "/v1/me/totp", "/account/security", "/account/sessions"} {
		ada.get(path).want(200)
	}

	// Once the time has come again, so have the codes.
	s.Clock.Advance(time.Hour)
	s.nextStep()
	ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200).state(models.Authenticated, models.ACRAAL2)
}

// A limit that was reached before the clock stepped back is open again at the latest
// when the time at which it would have opened has come.
func TestAttackClockStepsBackUnderALimit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(func(p *models.Policy) { p.Limits.InARow.Free = 50 })
	s.register("ada")
	full := func() (opens time.Duration) {
		for range 30 {
			a := s.browser().post("/v1/login", login("ada"))
			if a.Status == 429 {
				wait, err := time.ParseDuration(a.Header.Get("Retry-After") + "s")
				if err != nil {
					t.Fatal(err)
				}
				return wait
			}
			a.want(401)
		}
		t.Fatal("there is no limit")
		return 0
	}
	wait := full()
	opens := s.Clock.Now().Add(wait)
	s.Clock.Advance(-time.Hour)
	s.browser().post("/v1/login", login("ada")).want(429)
	s.Clock.Advance(opens.Sub(s.Clock.Now()))
	s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
}
