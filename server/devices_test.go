package server_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

func deviceCookie(a *answer) *http.Cookie {
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if c.Name == "sallyport-device" {
			return c
		}
	}
	return nil
}

// A marker comes with level 2, and with nothing less.
func TestADeviceIsKnownFromLevel2On(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	registered := s.browser().post("/v1/accounts", map[string]any{"email": "bea@example.com", "username": "bea", "password": password}).want(201)
	if deviceCookie(registered) != nil {
		t.Error("registering made a known device")
	}
	ada := s.register("ada")
	ada.saveCodes()
	cookie := deviceCookie(ada.addTOTP())
	if cookie == nil || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || time.Until(cookie.Expires) < 300*24*time.Hour {
		t.Fatalf("got %v", cookie)
	}
	if s.facts("first_device") != 1 || s.facts("new_device") != 0 {
		t.Errorf("%d first devices, %d new ones", s.facts("first_device"), s.facts("new_device"))
	}
	back := s.browser()
	opened := back.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
	recovered := back.post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200)
	if deviceCookie(opened) != nil || deviceCookie(recovered) != nil {
		t.Error("a password or a recovery code made a known device")
	}
	// The same browser again is nothing new; another one is.
	s.nextStep()
	ada.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
	again := deviceCookie(ada.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200))
	if again == nil || again.Value != cookie.Value || s.facts("new_device") != 0 {
		t.Errorf("the same browser got %v, %d new devices", again, s.facts("new_device"))
	}
	s.nextStep()
	other := deviceCookie(ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200))
	if other == nil || other.Value == cookie.Value || s.facts("new_device") != 1 {
		t.Errorf("another browser got %v, %d new devices", other, s.facts("new_device"))
	}
	var stored int
	if err := s.Pool.QueryRow(t.Context(), `SELECT count(*) FROM known_devices WHERE token_hash = sha256(convert_to($1, 'UTF8'))`, cookie.Value).Scan(&stored); err != nil || stored != 1 {
		t.Errorf("%d hashes of the marker: %v", stored, err)
	}
}

// People who share a browser each have a lane there.
func TestABrowserIsKnownToSeveralAccounts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	bea := &person{browser: ada.browser, name: "bea"}
	bea.post("/v1/accounts", map[string]any{"email": "bea@example.com", "username": "bea", "password": password}).want(201)
	bea.addTOTP()
	for _, name := range []string{"ada", "bea"} {
		s.flood(name, 100, time.Minute)
		ada.post("/v1/login", map[string]any{"identifier": name, "password": password}).want(200)
	}
	if s.facts("first_device") != 2 {
		t.Errorf("%d first devices", s.facts("first_device"))
	}
}

// An app keeps its marker by a header.
func TestAnAppIsAKnownDevice(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	s.nextStep()
	app := &person{browser: s.app(), name: "ada", secret: ada.secret}
	login := map[string]any{"identifier": "ada", "password": password, "transport": "bearer"}
	if app.post("/v1/login", login).want(200).Header.Get("Sallyport-Device") != "" {
		t.Error("a password made a known device")
	}
	marker := app.post("/v1/verify/totp", map[string]any{"code": app.code()}).want(200).Header.Get("Sallyport-Device")
	s.flood("ada", 100, time.Minute)
	s.app().from("192.0.2.1").post("/v1/login", login).want(429)
	again := s.app().from("192.0.2.1")
	again.header["Sallyport-Device"] = marker
	again.post("/v1/login", login).want(200)
}

// Whoever ends the other sessions means the browsers that had them too.
func TestOtherDevicesAreForgotten(t *testing.T) {
	t.Parallel()
	for name, forget := range map[string]func(p *person){
		"sign out everywhere": func(p *person) { p.delete("/v1/me/sessions").want(204) },
		"another password": func(p *person) {
			p.post("/v1/me/password", map[string]any{"current": password, "new": "a brand new password"}).want(204)
			p.post("/v1/me/password", map[string]any{"current": "a brand new password", "new": password}).want(204)
		},
		"one session ended": func(p *person) {
			for _, entry := range p.get("/v1/me/sessions").want(200).Body["sessions"].([]any) {
				if row := entry.(map[string]any); row["current"] == false {
					p.delete("/v1/me/sessions/" + row["id"].(string)).want(204)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			ada := s.withTOTP("ada")
			s.nextStep()
			other := ada.elsewhere()
			other.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
			forget(ada)
			s.flood("ada", 100, time.Minute)
			other.from("192.0.2.1").post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(429)
			ada.from("192.0.2.1").post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
		})
	}
}

// Signing out keeps the lane: that is what it is for.
func TestDevicesAreKeptWithinBounds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(generous)
	ada := s.withTOTP("ada")
	for range 22 {
		s.nextStep()
		ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
	}
	count := func() (n int) {
		if err := s.Pool.QueryRow(t.Context(), `SELECT count(*) FROM known_devices`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(); n != 20 {
		t.Errorf("%d devices", n)
	}
	s.Clock.Advance(models.KnownDeviceWithin)
	if err := s.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 0 {
		t.Errorf("%d devices after a year", n)
	}
}

// A flood against a factor behind the password leaves the owner's lane open too.
func TestAFloodOfCodesLeavesAKnownDeviceOpen(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	for i := range 10 {
		thief := &person{browser: s.browser().from(fmt.Sprintf("10.0.%d.1", i))}
		thief.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
		thief.post("/v1/verify/totp", map[string]any{"code": "000000"})
	}
	code := ada.codeAt(30 * time.Second) // within the skew, for the present one set the app up
	ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": code}).want(429)
	ada.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
	ada.post("/v1/verify/totp", map[string]any{"code": code}).want(200)
}
