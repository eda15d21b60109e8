package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
)

// Lockout bypass by a header that names another client: neither those that other
// proxies write nor X-Forwarded-For itself count from whom nobody trusts. (Authelia
// CVE-2025-24806, better-auth GHSA-p6v2-xcpg-h6xw.)
func TestAttackLimitByHeaders(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.register("ada")
	s.force(func(p *models.Policy) { p.Limits.InARow.Free = 50 })
	open := s.another(func(d *server.Deps) { d.Proxies = nil })
	for i, header := range []string{
		"X-Forwarded-For", "X-Real-Ip", "Forwarded", "True-Client-Ip", "Cf-Connecting-Ip", "X-Client-Ip", "X-Cluster-Client-Ip",
		"Fastly-Client-Ip", "X-Originating-Ip", "X-Remote-Ip", "X-Remote-Addr", "Client-Ip", "Via", "X-Forwarded-Host", "Host",
	} {
		name, passed := fmt.Sprintf("somebody%d", i), 0
		for j := range 20 {
			b := open.clone()
			b.cookies = map[string]string{}
			b.header = map[string]string{header: fmt.Sprintf("10.9.%d.1", j)}
			if b.post("/v1/login", login(name)).Status == 401 {
				passed++
			}
		}
		if passed != 5 { // half of ten, for one network
			t.Errorf("%s: %d wrong passwords were checked, 5 may be", header, passed)
		}
	}
}

// Lockout bypass by parallel requests (Authelia: 51 wrong passwords through a limit
// of 3), and by starting the flow anew (caddy-security 271).
func TestAttackLimitInParallel(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.register("ada")
	counts := parallel(100, func(int) *answer { return s.browser().post("/v1/login", login("ada")) })
	if counts[401] > 5 || counts[401]+counts[429] != 100 {
		t.Errorf("passwords: answers %v, five may be checked", counts)
	}
	// Case and Unicode variants at once.
	variants := []string{"bea", "BEA", " bea ", "ｂea", "bEa", "b\u212aea"[:1] + "ea", "ⓑea"}
	counts = parallel(100, func(i int) *answer { return s.browser().post("/v1/login", login(variants[i%len(variants)])) })
	if counts[401] > 5 || counts[401]+counts[429] != 100 {
		t.Errorf("variants: answers %v, five may be checked", counts)
	}
}

// Foreign ids on every route that takes one, made from the route table: eve names what
// is ada's, with her own step-up where one is asked for. (FACTS: cross-user ids.)
func TestAttackForeignIDs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	ada.addPasskey(newKey(true), "").want(201)
	ada.elsewhere()
	eve := s.ready("eve")
	ada.addDevice(newDevice(t)).want(201)
	s.force(remembering)
	for _, p := range []*person{ada, eve} {
		s.nextStep()
		in := p.elsewhere()
		in.post("/v1/verify/totp", map[string]any{"code": in.code()}).want(200)
		in.remember(newDevice(t)).want(201)
	}
	owned := []string{"passkeys", "devices", "remembered-devices", "sessions"}
	_, opened := s.assisted("lost", s.admin("root"))
	s.newApp(models.App{ID: "others", Name: "Others", RedirectURIs: []string{"https://others.example/cb"}})
	s.newApp(models.App{ID: "tvset", Name: "TV", Public: true, GrantTypes: []models.GrantType{models.GrantDevice}})
	typed := ada.browser.post("/v1/device-authorizations", map[string]any{"user_code": s.deviceCode("tvset").text("user_code")}).want(201).text("id")
	waits := waitingIn(ada.get("/oauth/authorize?" + asks("others", "https://others.example/cb").Encode()))
	allow := map[string]any{"POST": map[string]any{"decision": "allow"}}
	rows := func() (text string) {
		for _, path := range []string{"/v1/me/passkeys", "/v1/me/devices", "/v1/me/remembered-devices", "/v1/me/totp", "/v1/me/face"} {
			text += string(ada.browser.get(path).want(200).Raw)
		}
		return text
	}
	hooked := string(models.NewID(s.Clock.Now()))
	if _, err := s.AddWebhook(t.Context(), models.Ref{}, models.Webhook{ID: models.ID(hooked), URL: "https://app.example.com", Types: []string{}}, nil); err != nil {
		t.Fatal(err)
	}
	bank := s.bank()
	bank.enrolled("grace")
	pending := bank.ask("grace").want(201).tab()
	thief := s.serverOf("thief", s.newApp(models.App{ID: "thief", Name: "Thief", Transactions: &models.AppFactors{ReturnTo: []string{returnTo}, Enrols: true}}))
	passed := thief.ask("eve", enrolling).want(201).opened()
	passed.setUpTOTP()
	whose := map[string]*browser{
		"": thief.browser, "/result": thief.browser, "/v1/subjects/:id": thief.browser, "/open": s.browser(), "/return": passed.browser, "/deny": passed.browser,
	}
	secretless := map[string]any{"POST": map[string]any{}}
	before, tried := rows(), 0
	for _, route := range routesOf(s) {
		method, path, _ := strings.Cut(route, " ")
		if !strings.Contains(path, ":") {
			continue
		}
		if strings.HasPrefix(path, "/v1/admin/") { // eve is no admin: even what is there is not
			there := hooked
			if strings.HasPrefix(path, "/v1/admin/recoveries/") {
				there = opened
			}
			eve.do(method, strings.ReplaceAll(path, ":id", there), nil).want(404, models.CodeNotFound)
			tried++
			continue
		}
		if strings.HasPrefix(path, "/v1/authorizations/") || strings.HasPrefix(path, "/v1/me/apps/") {
			for _, id := range []string{waits, "others"} {
				eve.do(method, strings.ReplaceAll(path, ":id", id), allow[method]).want(404, models.CodeNotFound)
			}
			tried++
			continue
		}
		if strings.HasPrefix(path, "/v1/device-authorizations/") {
			eve.prove("authorize_device", typed)
			eve.do(method, strings.ReplaceAll(path, ":id", typed), nil).want(404, models.CodeNotFound)
			tried++
			continue
		}
		if strings.HasPrefix(path, "/v1/transactions/") || strings.HasPrefix(path, "/v1/subjects/") {
			for _, name := range []string{pending.id, "grace"} { // of another app, and of another browser
				if a := whose[strings.TrimPrefix(path, "/v1/transactions/:id")].do(method, strings.ReplaceAll(path, ":id", name), secretless[method]); a.Status != 404 {
					t.Errorf("%s: %d %s", route, a.Status, a.Raw)
				}
			}
			tried++
			continue
		}
		kind := strings.Split(strings.TrimPrefix(path, "/v1/me/"), "/")[0]
		if !slices.Contains(owned, kind) || !strings.HasPrefix(path, "/v1/me/") {
			t.Fatalf("%s takes an id: say here whose it can be", route)
		}
		found := ada.browser.get("/v1/me/" + kind).want(200).Body[strings.ReplaceAll(kind, "-", "_")].([]any)
		if len(found) == 0 {
			t.Fatalf("ada has no %s", kind)
		}
		var body any
		if method != http.MethodDelete {
			body = map[string]any{"name": "eve was here"}
		}
		for _, item := range found {
			id := item.(map[string]any)["id"].(string)
			eve.do(method, strings.ReplaceAll(path, ":id", id), body).want(404, models.CodeNotFound)
			tried++
		}
		// What is no id, or nobody's, looks alike.
		for _, id := range []string{string(models.NewID(s.Clock.Now())), "1", "..", "%2e%2e", "me", strings.Repeat("a", 300)} {
			if a := eve.browser.do(method, strings.ReplaceAll(path, ":id", id), body); a.Status != 404 && a.code() != models.CodeStepUpRequired && a.Status != 405 {
				t.Errorf("%s with %.20q: got %d %s", route, id, a.Status, a.Raw)
			}
		}
	}
	if tried < 4 {
		t.Errorf("only %d ids were tried", tried)
	}
	if rows() != before {
		t.Error("ada has something else than before")
	}
	// A step-up of ada's takes no proof of eve's, and what eve asks for is hers.
	begun := ada.browser.post("/v1/step-up", map[string]any{"purpose": string(models.RemoveTOTP)}).want(201)
	for _, body := range []struct {
		path string
		body map[string]any
	}{
		{"/v1/verify/password", map[string]any{"password": password, "step_up": begun.text("id")}},
		{"/v1/verify/passkey/options", map[string]any{"step_up": begun.text("id")}},
	} {
		if a := eve.browser.post(body.path, body.body); !slices.Contains([]int{404, 409, 410}, a.Status) {
			t.Errorf("%s for ada's step-up: got %d %s", body.path, a.Status, a.Raw)
		}
	}
}
