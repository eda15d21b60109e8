package server_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// tv is an app on devices without a browser.
func (s *site) tv(change ...func(*models.App)) {
	a := models.App{
		ID: "tvset", Name: "Example TV", Public: true, GrantTypes: []models.GrantType{models.GrantDevice, models.GrantRefresh},
		Scopes: []string{"openid", "profile", "offline_access"},
	}
	for _, c := range change {
		c(&a)
	}
	s.newApp(a)
}

// deviceCode is what a device gets that would like to sign in.
func (s *site) deviceCode(client string) *answer {
	s.t.Helper()
	return s.exchange("/oauth/device", client, "", url.Values{"scope": {"openid offline_access"}}).want(200)
}

// poll asks whether its person has agreed.
func (s *site) poll(client string, device *answer) *answer {
	s.t.Helper()
	return s.exchange("/oauth/token", client, "", url.Values{"grant_type": {deviceGrant}, "device_code": {device.text("device_code")}})
}

// types a device's code and gives the id of what waits there.
func (p *person) types(device *answer) string {
	p.t.Helper()
	return p.browser.post("/v1/device-authorizations", map[string]any{"user_code": device.text("user_code")}).want(201).text("id")
}

func wantError(t *testing.T, a *answer, status int, code string) {
	t.Helper()
	if a.Status != status || a.text("error") != code {
		t.Errorf("%s: got %d %s, want %d %s", a.what, a.Status, a.Raw, status, code)
	}
}

func TestADeviceSignsInByItsCode(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.tv()
	ada := s.withTOTP("ada")
	device := s.deviceCode("tvset")
	if device.text("verification_uri") != origin+"/device" || device.Body["interval"] != 5.0 || device.Body["expires_in"] != 600.0 {
		t.Errorf("got %s", device.Raw)
	}
	wantError(t, s.poll("tvset", device), 400, "authorization_pending")
	ada.get("/device?user_code=" + device.text("user_code")).want(200).shows(device.text("user_code"))
	id := ada.types(device)
	ada.get("/device/" + id).want(200).shows("Sign in to Example TV")
	refused := ada.browser.post("/v1/device-authorizations/"+id, map[string]any{}).want(403, models.CodeStepUpRequired)
	if refused.text("purpose") != "authorize_device" || refused.Body["password"] != true {
		t.Errorf("got %s", refused.Raw)
	}
	ada.post("/v1/device-authorizations/"+id, map[string]any{}).want(204)
	s.Clock.Advance(6 * time.Second)
	tokens := s.poll("tvset", device).want(200)
	wantError(t, s.poll("tvset", device), 400, "invalid_grant") // once
	claims := claimsOf(t, tokens.text("id_token"))
	if claims["acr"] != "aal2" || claims["aud"] != "tvset" || claims["nonce"] != nil {
		t.Errorf("got %v", claims)
	}
	s.userinfo(tokens.text("access_token")).want(200)
	// It is a session of its own, which its person sees and ends.
	var own string
	for _, item := range ada.get("/v1/me/sessions").want(200).Body["sessions"].([]any) {
		if row := item.(map[string]any); row["browser"] == "Example TV" {
			own = row["id"].(string)
		}
	}
	if own == "" || own != claims["sid"] {
		t.Fatalf("the session is %q, and is listed as %q", claims["sid"], own)
	}
	// Its use keeps it alive, whatever the browser does that allowed it.
	ada.clone().delete("/v1/session").want(204)
	for range 3 {
		s.Clock.Advance(50 * time.Minute)
		tokens = s.refresh("tvset", "", tokens.text("refresh_token")).want(200)
	}
	ada = ada.elsewhere()
	s.nextStep()
	ada.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
	ada.delete("/v1/me/sessions/" + own).want(204)
	wantError(t, s.refresh("tvset", "", tokens.text("refresh_token")), 400, "invalid_grant")
	if a := s.userinfo(tokens.text("access_token")); a.Status != 401 {
		t.Errorf("got %d %s", a.Status, a.Raw)
	}
}

// What ends the other sessions ends a device's, and what it was given.
func TestAttackADeviceOutlivesNothing(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(p *person){
		"another password": func(p *person) {
			p.post("/v1/me/password", map[string]any{"current": password, "new": "a brand new password"}).want(204)
		},
		"a factor that goes":     func(p *person) { p.delete("/v1/me/totp").want(204) },
		"signing out elsewhere":  func(p *person) { p.delete("/v1/me/sessions").want(204) },
		"the account's deletion": func(p *person) { p.delete("/v1/me").want(200) },
		"the app's":              func(p *person) { _ = p.site.DeleteApp(p.t.Context(), models.Ref{}, "tvset", nil) },
		"the app being shut out": func(p *person) { p.delete("/v1/me/apps/tvset") },
		"an idle hour":           func(p *person) { p.site.Clock.Advance(61 * time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.tv()
			ada := s.ready("ada")
			device := s.deviceCode("tvset")
			ada.post("/v1/device-authorizations/"+ada.types(device), map[string]any{}).want(204)
			tokens := s.poll("tvset", device).want(200)
			end(ada)
			if a := s.refresh("tvset", "", tokens.text("refresh_token")); a.Status == 200 {
				t.Errorf("it is refreshed: %s", a.Raw)
			}
			if a := s.userinfo(tokens.text("access_token")); a.Status != 401 {
				t.Errorf("its token lives: %d %s", a.Status, a.Raw)
			}
		})
	}
}

// What gives a device tokens and what ends its session don't wait for each other.
func TestADeviceIsUsedWhileItIsSignedOut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(generous)
	s.tv()
	ada := s.ready("ada")
	for range 5 {
		polled, refreshed := s.deviceCode("tvset"), s.deviceCode("tvset")
		for _, device := range []*answer{polled, refreshed} {
			ada.post("/v1/device-authorizations/"+ada.types(device), map[string]any{}).want(204)
		}
		token := s.poll("tvset", refreshed).want(200).text("refresh_token")
		counts := parallel(12, func(i int) *answer {
			switch i % 3 {
			case 0:
				return ada.clone().delete("/v1/me/sessions")
			case 1:
				return s.poll("tvset", polled)
			default:
				return s.refresh("tvset", "", token)
			}
		})
		if counts[204] != 4 || counts[200]+counts[400] != 8 {
			t.Errorf("answers %v", counts)
		}
		s.Clock.Advance(16 * time.Minute) // typing is counted
		ada.get("/v1/session").want(200)
	}
}

func TestADeviceIsDenied(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.tv()
	ada := s.withTOTP("ada")
	device := s.deviceCode("tvset")
	id := ada.types(device)
	ada.delete("/v1/device-authorizations/" + id).want(204)
	wantError(t, s.poll("tvset", device), 400, "access_denied")
	ada.get("/device/" + id).want(404)
	ada.browser.post("/v1/device-authorizations", map[string]any{"user_code": device.text("user_code")}).want(400, models.CodeInvalidRequest)
}

func TestADeviceIsToldToSlowDownAndThatItIsOver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.tv()
	device := s.deviceCode("tvset")
	wantError(t, s.poll("tvset", device), 400, "authorization_pending")
	wantError(t, s.poll("tvset", device), 400, "slow_down")
	s.Clock.Advance(6 * time.Second)
	wantError(t, s.poll("tvset", device), 400, "slow_down") // it is ten seconds by now, and fifteen from here on
	s.Clock.Advance(16 * time.Second)
	wantError(t, s.poll("tvset", device), 400, "authorization_pending")
	s.Clock.Advance(10 * time.Minute)
	wantError(t, s.poll("tvset", device), 400, "expired_token")
}

func TestWhoMayNotSignADeviceIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.chatApp()
	wantError(t, s.exchange("/oauth/device", "chat", "", url.Values{"scope": {"openid"}}), 401, "invalid_client") // it keeps a secret
	s.newApp(models.App{ID: "page", Name: "Page", Public: true, RedirectURIs: []string{callback}})
	wantError(t, s.exchange("/oauth/device", "page", "", url.Values{"scope": {"openid"}}), 400, "unauthorized_client")
	s.tv(func(a *models.App) { a.Groups = []string{"staff"} })
	wantError(t, s.exchange("/oauth/device", "tvset", "", url.Values{"scope": {"profile"}}), 400, "invalid_scope")
	ada := s.withTOTP("ada")
	id := ada.types(s.deviceCode("tvset"))
	if a := ada.post("/v1/device-authorizations/"+id, map[string]any{}).want(409, models.CodeConflict); a.text("reason") != "group" {
		t.Errorf("got %s", a.Raw)
	}
	s.newApp(models.App{ID: "strict", Name: "Strict", Public: true, GrantTypes: []models.GrantType{models.GrantDevice}, ACR: models.ACRAAL2})
	eve := s.register("eve")
	eve.saveCodes()
	eve.enrolFace(someone(1)).want(201)
	id = eve.types(s.deviceCode("strict"))
	eve.proveByFace("authorize_device", id, someone(1))
	if a := eve.post("/v1/device-authorizations/"+id, map[string]any{}).want(409, models.CodeConflict); a.text("reason") != "level" {
		t.Errorf("got %s", a.Raw)
	}
}

// The code belongs to whoever typed it first, the device code to its app, and both serve
// once, whatever comes at the same time.
func TestAttackDeviceCodes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.tv()
	s.newApp(models.App{ID: "other", Name: "Other", Public: true, GrantTypes: []models.GrantType{models.GrantDevice}})
	ada, eve := s.withTOTP("ada"), s.withTOTP("eve")
	device := s.deviceCode("tvset")
	id := ada.types(device)
	eve.browser.post("/v1/device-authorizations", map[string]any{"user_code": device.text("user_code")}).want(400, models.CodeInvalidRequest)
	eve.get("/device/" + id).want(404)
	eve.delete("/v1/device-authorizations/" + id).want(404)
	eve.post("/v1/device-authorizations/"+id, map[string]any{}).want(404)
	wantError(t, s.poll("other", device), 400, "invalid_grant")

	ada.prove("authorize_device", id)
	counts := parallel(20, func(int) *answer { return ada.clone().post("/v1/device-authorizations/"+id, map[string]any{}) })
	if counts[204] != 1 {
		t.Errorf("allowed: %v", counts)
	}
	wantError(t, s.poll("other", device), 400, "invalid_grant") // and uses nothing up
	counts = parallel(20, func(int) *answer { return s.poll("tvset", device) })
	if counts[200] != 1 || counts[400] != 19 {
		t.Errorf("polled: %v", counts)
	}

	// A step-up for one device allows no other, and an expired code none.
	first, second := ada.types(s.deviceCode("tvset")), ada.types(s.deviceCode("tvset"))
	ada.prove("authorize_device", first)
	ada.browser.post("/v1/device-authorizations/"+second, map[string]any{}).want(403, models.CodeStepUpRequired)
	late := s.deviceCode("tvset")
	id = ada.types(late)
	s.Clock.Advance(9*time.Minute + 59*time.Second)
	ada.prove("authorize_device", id)
	s.Clock.Advance(2 * time.Second)
	ada.browser.post("/v1/device-authorizations/"+id, map[string]any{}).want(404)
	wantError(t, s.poll("tvset", late), 400, "expired_token")
}

// Codes are short enough to type, so that guessing them is counted.
func TestAttackGuessedDeviceCodes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	guessed := 0
	for ada.browser.post("/v1/device-authorizations", map[string]any{"user_code": models.UserCode()}).Status == 400 {
		if guessed++; guessed > 20 {
			t.Fatal("twenty guesses, and nobody minds")
		}
	}
	ada.browser.post("/v1/device-authorizations", map[string]any{"user_code": models.UserCode()}).want(429, models.CodeRateLimited)
}
