package server_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/models"
)

// bodied are the routes that read a body, as the route table has them.
func bodied(s *site) []string {
	return slices.DeleteFunc(routesOf(s), func(route string) bool {
		return !strings.HasPrefix(route, "POST ") && !strings.HasPrefix(route, "PATCH ")
	})
}

// assertions are the routes whose body the WebAuthn parser reads, after their
// challenge was found. It leaves out what it doesn't know.
var assertions = []string{"POST /v1/login/passkey", "POST /v1/verify/passkey"}

// ready is a person who can do everything: step up, remove, enrol.
func (s *site) ready(name string) *person {
	s.t.Helper()
	p := s.withTOTP(name)
	p.addPasskey(newKey(true), "").want(201)
	return p
}

// cast are people in the states that routes are for.
type cast struct{ signedIn, resetting, half, admin, app, confirming, passed *person }

func (s *site) cast() cast {
	s.t.Helper()
	ada := s.ready("ada")
	s.nextStep()
	root := s.admin("root")
	root.key = newKey(true) // for many step-ups, without the time that codes take
	root.addPasskey(root.key, "").want(201)
	bank := s.bank()
	bank.enrolled("grace")
	passed := bank.ask("new", enrolling).want(201).opened()
	passed.setUpTOTP()
	return cast{
		ada, s.resetting("zoe"), ada.elsewhere(), root,
		&person{browser: bank.browser}, &person{browser: bank.ask("grace").want(201).opened().browser}, &person{browser: passed.browser},
	}
}

// whose request a route takes.
func (c cast) whose(route string) *person {
	switch _, path, _ := strings.Cut(route, " "); {
	case path == "/v1/password/reset" || route == "POST /v1/recovery":
		return c.resetting
	case strings.HasPrefix(path, "/v1/recovery/"), strings.HasPrefix(path, "/v1/verify/device"):
		return c.half
	case path == "/v1/transactions" || strings.HasSuffix(path, "/result"):
		return c.app
	case strings.HasSuffix(path, "/open"):
		return &person{browser: c.app.site.browser()}
	case strings.HasSuffix(path, "/deny"):
		return c.confirming
	case strings.HasSuffix(path, "/return"):
		return c.passed
	case strings.HasPrefix(path, "/v1/admin/"):
		return c.admin
	default:
		return c.signedIn
	}
}

// Mass assignment: what the server keeps of a person is nobody's to send. (Zitadel
// CVE-2026-27946: an address marked verified by its owner.) Each route that reads a
// body refuses each such field, whatever is added to the table later.
func TestAttackMassAssignment(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	people := s.cast()
	ada := people.signedIn
	for _, route := range bodied(s) {
		method, path, _ := strings.Cut(route, " ")
		path = strings.ReplaceAll(path, ":id", string(models.NewID(s.Clock.Now())))
		for _, field := range []string{"level", "roles", "acr", "state", "methods", "user_id", "email_verified", "mfa_established_at", "is_admin", "Level"} {
			if route == "POST /v1/transactions" && (field == "acr" || field == "state") {
				continue // what an app asks for, and its own
			}
			a := people.whose(route).do(method, path, map[string]any{field: 2})
			if slices.Contains(assertions, route) {
				a.want(410, models.CodeChallengeExpired)
				continue
			}
			if a.Status != 400 || a.Body["reason"] != "unknown_field" || a.Body["field"] != field {
				t.Errorf("%s with %s: got %d %s", route, field, a.Status, a.Raw)
			}
		}
	}
	ada.get("/v1/session").want(200).state(models.Authenticated, models.ACRAAL2)

	// An assertion that says its own level is worth what it is worth.
	phone := newKey(false) // no UV: one factor
	bea := s.register("bea")
	bea.addTOTP()
	bea.addPasskey(phone, "").want(201)
	half := bea.elsewhere()
	signed := phone.sign(t, half.post("/v1/verify/passkey/options", map[string]any{}).want(200))
	var doc map[string]any
	if err := json.Unmarshal([]byte(signed), &doc); err != nil {
		t.Fatal(err)
	}
	doc["level"], doc["acr"], doc["roles"], doc["user_id"] = 3, "aal3", []string{"admin"}, ada.name
	half.post("/v1/verify/passkey", doc).want(200).state(models.Authenticated, models.ACRAAL2)
	if me := half.get("/v1/me").want(200); !strings.Contains(string(me.Raw), `"bea"`) {
		t.Errorf("the assertion chose an account: %s", me.Raw)
	}
}

// Oversized, deeply nested and duplicate-key JSON on every route that reads a body.
func TestAttackJSON(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	people := s.cast()
	ada := people.signedIn
	nested := func(open, end string) string {
		return `{"x":` + strings.Repeat(open, 4000) + strings.Repeat(end, 4000) + `}`
	}
	for _, attack := range []struct {
		name, body string
		status     int
		reason     string
	}{
		{"a key twice", `{"code":"1","code":"2"}`, 400, "duplicate"},
		{"a key twice, in another case", `{"code":"1","CODE":"2"}`, 400, "duplicate"},
		{"a key twice, escaped", `{"code":"1","\u0063ode":"2"}`, 400, "duplicate"},
		{"a key twice, folded", `{"key":"1","ke\u212ay":"1","\u212aey":"2"}`, 400, "duplicate"},
		{"a key twice, within", `{"response":{"id":"1","id":"2"}}`, 400, "duplicate"},
		{"deep arrays", nested("[", "]"), 400, "nesting"},
		{"deep objects", `{"x":` + strings.Repeat(`{"x":`, 2000) + "1" + strings.Repeat("}", 2000) + "}", 400, "nesting"},
		{"half of it", nested("[", ""), 400, ""},
		{"a huge number", `{"code":1` + strings.Repeat("0", 400) + `}`, 400, ""},
		{"lone surrogate", `{"\ud800":1}`, 400, ""},
		{"byte order mark", "\xef\xbb\xbf{}", 400, "syntax"},
		{"oversized", `{"x":"` + strings.Repeat("x", 70<<10) + `"}`, 413, ""},
	} {
		for _, route := range bodied(s) {
			method, path, _ := strings.Cut(route, " ")
			a := people.whose(route).do(method, strings.ReplaceAll(path, ":id", string(models.NewID(s.Clock.Now()))), attack.body)
			if attack.reason == "" && slices.Contains(assertions, route) && a.Status == 410 {
				continue
			}
			if a.Status != attack.status || attack.reason != "" && a.Body["reason"] != attack.reason {
				t.Errorf("%s: %s: got %d %.200s", attack.name, route, a.Status, a.Raw)
			}
		}
	}
	ada.get("/v1/session").want(200).state(models.Authenticated, models.ACRAAL2)
}

// Cross-site request forgery on every route that writes, with every content type
// that a form or a script without preflight can send, and those that need one.
func TestAttackCSRF(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	people := s.cast()
	ada := people.signedIn
	sites := map[string]map[string]string{
		"cross-site":          {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
		"a sibling's page":    {"Sec-Fetch-Site": "same-site", "Origin": "http://sibling.localhost:8080"},
		"an older browser":    {"Origin": "https://evil.example"},
		"a sandboxed frame":   {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
		"its origin left out": {"Sec-Fetch-Site": "cross-site"},
	}
	kinds := []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", "application/json; charset=utf-8", "application/csp-report", "text/plain; application/json"}
	for _, route := range routesOf(s) {
		method, path, _ := strings.Cut(route, " ")
		if method == http.MethodGet || method == http.MethodHead {
			continue
		}
		path = strings.ReplaceAll(path, ":id", string(models.NewID(s.Clock.Now())))
		for where, header := range sites {
			evil := ada.clone()
			evil.header = header
			for _, kind := range kinds {
				if a := evil.do(method, path, form{kind, []byte(`{}`)}); a.Status != 403 || a.code() != models.CodeCrossSite || len(a.Header.Values("Set-Cookie")) > 0 {
					t.Errorf("%s from %s as %q: got %d %s", route, where, kind, a.Status, a.Raw)
				}
			}
		}
		// From our own pages, or from no browser, a form's content type is no JSON.
		if slices.Contains(bodied(s), route) {
			for _, kind := range kinds[:4] {
				if a := people.whose(route).do(method, path, form{kind, []byte(`{}`)}); a.Status != 400 || a.Body["reason"] != "content_type" {
					t.Errorf("%s as %q: got %d %s", route, kind, a.Status, a.Raw)
				}
			}
		}
	}
	// Nothing that only reads changes anything: the session and factors are as before.
	ada.get("/v1/session").want(200).state(models.Authenticated, models.ACRAAL2)

	// A method override, as some frameworks take it, makes no write of a read.
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		evil := ada.clone()
		evil.header = map[string]string{"Sec-Fetch-Site": "cross-site", name: "DELETE"}
		evil.get("/v1/session?_method=DELETE").want(200)
	}
	ada.get("/v1/session").want(200)
}

// Cookies that a sibling domain can set: another name than __Host-sallyport, or one
// that a careless parser takes for it. None signs anybody in, or hides the real one.
func TestAttackCookieTossing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.https()
	b.post("/v1/accounts", map[string]any{"email": "eve@example.com", "username": "eve", "password": password}).want(201)
	token := b.cookies["__Host-sallyport"]
	if token == "" {
		t.Fatal("no cookie to toss")
	}
	get := func(cookie string) int {
		request := httptest.NewRequest(http.MethodGet, "/v1/session", nil)
		request.Header.Set("Cookie", cookie)
		response, err := b.site.server.App().Test(request, -1)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	if status := get("__Host-sallyport=" + token); status != 200 {
		t.Fatalf("the real cookie: %d", status)
	}
	for _, tossed := range []string{
		"sallyport=%s", "__Secure-sallyport=%s", "__host-sallyport=%s", "__HOST-sallyport=%s", "__Host-Sallyport=%s",
		"=__Host-sallyport=%s", "\u2000__Host-sallyport=%s", "\u00a0__Host-sallyport=%s", "__Host-sallyport%%00=%s", "%%5f_Host-sallyport=%s",
		`x="; __Host-sallyport=%s"`, "__Host-sallyport-pre=%s", "sallyport-pre=%s", "$Version=1; sallyport=%s",
	} {
		cookie := fmt.Sprintf(tossed, token)
		if tossed == `x="; __Host-sallyport=%s"` {
			cookie = `x="; __Host-sallyport=` + token + `"`
		}
		if status := get(cookie); status != 401 {
			t.Errorf("%q signed somebody in: %d", tossed, status)
		}
		// Neither does it take the place of the victim's own.
		if status := get("__Host-sallyport=" + token + "; " + strings.ReplaceAll(cookie, token, "tossed")); status != 200 {
			t.Errorf("%q hid the real cookie: %d", tossed, status)
		}
	}
}

// Open redirect by every return parameter of every page, in every state of a session.
func TestAttackOpenRedirect(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	ada.saveCodes()
	back := ada.elsewhere()
	back.post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200)
	visitors := map[string]*browser{
		"anonymous": s.browser(), "half": ada.elsewhere().browser, "enrolling": s.register("eve").browser,
		"recovering": back.browser, "signed in": ada.browser,
	}
	var pages []string
	for _, r := range s.server.App().GetRoutes(true) {
		if r.Method == http.MethodGet && !strings.HasPrefix(r.Path, "/v1/") && !strings.ContainsAny(r.Path, ":*") {
			pages = append(pages, r.Path)
		}
	}
	if len(pages) < 8 {
		t.Fatalf("only %d pages", len(pages))
	}
	payloads := []string{
		"https://evil.example", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, "/%09/evil.example", "/%0a/evil.example",
		"/.//evil.example", "/x/..//evil.example", "https:evil.example", "javascript:alert(1)", "data:text/html,x", "/%5cevil.example", "http://localhost:8080@evil.example/",
		"%2f%2fevil.example", "/%2f%2fevil.example", "//evil.example%23@localhost:8080", "\u3000//evil.example", "/\u2028/evil.example",
	}
	for who, b := range visitors {
		for _, page := range pages {
			for _, payload := range payloads {
				checkStaysHere(t, who, b, page+"?next="+escapeOnce(payload))
			}
			// None of these is one of ours, and none works by chance.
			for _, parameter := range []string{"return_to", "redirect", "redirect_uri", "url", "continue"} {
				checkStaysHere(t, who, b, page+"?"+parameter+"=//evil.example")
			}
			checkStaysHere(t, who, b, "//evil.example"+page)
		}
	}
}

// escapeOnce leaves what is escaped already as it is: that is the attack.
func escapeOnce(s string) string {
	return strings.NewReplacer(" ", "%20", "\u3000", "%e3%80%80", "\u2028", "%e2%80%a8", "#", "%23", "&", "%26", `\`, "%5c").Replace(s)
}

var dataNext = regexp.MustCompile(`data-next="([^"]*)"`)

// checkStaysHere follows where a browser would be sent, at once or after signing in.
func checkStaysHere(t *testing.T, who string, b *browser, path string) {
	t.Helper()
	a := b.get(path)
	here, err := url.Parse(origin)
	if err != nil {
		t.Fatal(err)
	}
	places := []string{a.Header.Get("Location")}
	if to, err := here.Parse(places[0]); err == nil {
		places = append(places, to.Query().Get("next"))
	}
	if found := dataNext.FindSubmatch(a.Raw); found != nil {
		places = append(places, html.UnescapeString(string(found[1])))
	}
	for _, place := range places {
		if place == "" {
			continue
		}
		// A browser drops tabs and line breaks and reads \ as /.
		seen := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(place)
		to, err := here.Parse(seen)
		if err != nil || to.Host != here.Host || to.Scheme != here.Scheme || !strings.HasPrefix(seen, "/") {
			t.Errorf("%s at %s is sent to %q", who, path, place)
		}
	}
	if strings.Contains(string(a.Raw), `href="//evil`) || strings.Contains(string(a.Raw), `href="https://evil`) {
		t.Errorf("%s at %s: a link leads away", who, path)
	}
}
