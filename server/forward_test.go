package server_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
)

// shielded has rules for apps in force.
func (s *site) shielded() *site {
	s.t.Helper()
	s.force(func(p *models.Policy) {
		p.Forward.Rules = []models.ForwardRule{
			{Host: "app.localhost"},
			{Host: "app.localhost", Path: "/public", Public: true},
			{Host: "app.localhost", Path: "/strong", ACR: models.ACRAAL2},
			{Host: "app.localhost", Path: "/staff", Groups: []string{"staff", "admins"}},
			{Host: "app.localhost", Path: "/fresh", MaxAge: models.Duration(5 * time.Minute)},
			{Host: "other.localhost"},
			{Host: "localhost:8080", Public: true}, // Sallyport's own: no app's
			{Host: "*.wild.localhost"},
		}
	})
	return s
}

// at is the same person's browser on an app's host, where it has other cookies.
type at struct {
	*browser
	host string
}

func (s *site) at(host string) *at {
	b := s.browser()
	b.header = map[string]string{"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
	return &at{b, host}
}

// ask is a proxy's question about a target.
func (a *at) ask(target string) *answer {
	a.t.Helper()
	return a.with(map[string]string{"X-Forwarded-Host": a.host, "X-Forwarded-Uri": target, "X-Forwarded-Method": "GET"}).get("/authz/forward")
}

// handed is a request below /.sallyport that the proxy hands over.
func (a *at) handed(path string) *answer {
	a.t.Helper()
	return a.with(map[string]string{"X-Forwarded-Host": a.host}).get(path)
}

// with sends more headers along; cookies are kept as ever.
func (a *at) with(header map[string]string) *browser {
	b := *a.browser
	b.header = maps.Clone(a.header)
	maps.Copy(b.header, header)
	return &b
}

// location is where an answer leads, as a path where that is on the given origin.
func (a *answer) location(status int, on string) string {
	a.t.Helper()
	a.want(status)
	to, ok := strings.CutPrefix(a.Header.Get("Location"), on)
	if !ok || to == "" || to[0] != '/' {
		a.t.Fatalf("%s leads to %q, not to %s", a.what, a.Header.Get("Location"), on)
	}
	return to
}

// navigates opens a page of Sallyport as a link of another site does.
func (p *person) navigates(path string) *answer {
	p.t.Helper()
	b := *p.browser
	b.header = map[string]string{"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "cross-site"}
	return b.get(path)
}

// callback is the way of a person's browser from a page of an app to its callback.
func (a *at) callback(p *person, target string) string {
	a.t.Helper()
	start := a.ask(target).location(302, "http://"+a.host)
	next := a.handed(start).location(303, origin)
	return p.navigates(next).location(303, "http://"+a.host)
}

// enter brings a person's browser into an app.
func (a *at) enter(p *person, target string) *at {
	a.t.Helper()
	back := a.handed(a.callback(p, target)).location(303, "http://"+a.host)
	if back != target {
		a.t.Fatalf("came back to %q, not to %q", back, target)
	}
	return a
}

// identities are the headers of an answer that say who somebody is.
var identities = []string{"Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email", "Sallyport-Acr", "Sallyport-Assertion"}

func TestAPersonGetsToAnApp(t *testing.T) {
	t.Parallel()
	s := newSite(t).shielded()
	ada, app := s.withTOTP("ada"), s.at("app.localhost")
	app.enter(ada, "/notes/new?title=a%20b&x=1")
	a := app.ask("/notes/").want(200)
	if a.Header.Get("Remote-User") != "ada" || a.Header.Get("Sallyport-Acr") != "aal2" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the app is told %v", a.Header)
	}
	if got := a.Header.Get("Remote-Email"); got != "" {
		t.Errorf("an address that nobody has proven was told: %s", got)
	}
	app.ask("/strong").want(200)
	if len(app.cookies) != 2 || app.cookies["sallyport"] != "" {
		t.Errorf("the browser has %v at the app", app.cookies)
	}
	// What stands in its place on Sallyport's own host opens nothing there.
	thief := s.browser()
	thief.cookies["sallyport"] = app.cookies["sallyport-app"]
	thief.get("/v1/session").want(401)
}

func TestProxiesAreAnsweredAsTheyNeed(t *testing.T) {
	t.Parallel()
	s := newSite(t).shielded()
	ada, app := s.withTOTP("ada"), s.at("app.localhost")
	script := map[string]string{"Sec-Fetch-Mode": "cors", "Accept": "application/json"}
	ask := func(kind string, extra map[string]string) *answer {
		header := map[string]string{}
		path := "/authz/" + kind
		switch kind {
		case "nginx":
			header["X-Original-URL"], header["X-Original-Method"] = "https://app.localhost/a?b=c", "GET"
		case "forward":
			header["X-Forwarded-Host"], header["X-Forwarded-Uri"], header["X-Forwarded-Method"] = "app.localhost", "/a?b=c", "GET"
		case "envoy":
			path = "/authz/envoy/a?b=c"
			header["Host"] = "app.localhost"
		}
		maps.Copy(header, extra)
		return app.with(header).get(path)
	}
	const start = "http://app.localhost/.sallyport/start?rd=%2Fa%3Fb%3Dc"
	if got := ask("nginx", nil).want(401).Header.Get("Sallyport-Location"); got != start {
		t.Errorf("nginx is told of %q", got)
	}
	if got := ask("nginx", script).want(401, models.CodeSessionRequired).Header.Get("Sallyport-Location"); got != "" {
		t.Errorf("a script is led to %q", got)
	}
	for _, kind := range []string{"forward", "envoy"} {
		if got := ask(kind, nil).want(302).Header.Get("Location"); got != start {
			t.Errorf("%s leads to %q", kind, got)
		}
		ask(kind, script).want(401, models.CodeSessionRequired)
		ask(kind, map[string]string{"X-Requested-With": "XMLHttpRequest"}).want(401)
	}
	if got := ask("forward", map[string]string{"X-Forwarded-Method": "POST"}).want(401); got.Header.Get("Location") != "" {
		t.Error("what was posted can't be led away")
	}
	app.enter(ada, "/")
	for _, kind := range []string{"nginx", "forward", "envoy"} {
		if got := ask(kind, script).want(200).Header.Get("Remote-User"); got != "ada" {
			t.Errorf("%s: the app is told of %q", kind, got)
		}
	}
	// Envoy asks with the app's own method and body: another site's write is the app's to judge.
	b := app.with(map[string]string{"Host": "app.localhost", "Sec-Fetch-Site": "cross-site", "Content-Encoding": "gzip"})
	b.do("POST", "/authz/envoy/a", form{"text/plain", []byte("x")}).want(200)
}

func TestRulesOfApps(t *testing.T) {
	t.Parallel()
	s := newSite(t).shielded()
	ada, app := s.withTOTP("ada"), s.at("app.localhost")
	public := app.ask("/public/x").want(200)
	app.ask("/publicity").want(302)
	app.enter(ada, "/")
	if again := app.ask("/public").want(200); again.Header.Get("Remote-User") != "" {
		t.Error("a public path is told who comes")
	}
	for _, name := range identities {
		if list, ok := public.Header[name]; !ok || len(list) != 1 || list[0] != "" {
			t.Errorf("%s of nobody is %q", name, list)
		}
	}
	s.at("nowhere.localhost").ask("/").want(403)
	s.at("localhost:8080").ask("/").want(403) // Sallyport's own
	s.at("a.wild.localhost").ask("/").want(302)
	s.at("a.b.wild.localhost").ask("/").want(403)
	s.at("wild.localhost").ask("/").want(403)
	s.at("APP.localhost:443").ask("/public").want(200)

	app.ask("/staff").want(403)
	app.ask("/STAFF/x").want(403) // some apps take it for the same
	next := app.handed("/.sallyport/start?rd=/staff").location(303, origin)
	ada.navigates(next).want(403) // and goes nowhere
	if err := s.SetGroup(t.Context(), "ada", "staff", true); err != nil {
		t.Fatal(err)
	}
	if got := app.ask("/staff").want(200).Header.Get("Remote-Groups"); got != "staff" {
		t.Errorf("groups are %q", got)
	}

	s.Clock.Advance(6 * time.Minute)
	app.ask("/").want(200)
	next = app.handed(app.ask("/fresh").location(302, "http://app.localhost")).location(303, origin)
	if to := ada.navigates(next).location(303, ""); !strings.HasPrefix(to, "/confirm?max_age=300&next=%2Fforward%2Fcontinue%3Fapp%3Dapp.localhost") {
		t.Errorf("led to %q", to)
	}
	s.force(func(p *models.Policy) { p.Forward.Rules = nil })
	app.ask("/").want(403)
}

func TestALevelThatAnAppAsksFor(t *testing.T) {
	t.Parallel()
	s := newSite(t).shielded()
	s.force(remembering)
	trusted, device := s.withTOTP("ada"), newDevice(t)
	trusted.remember(device).want(201)
	ada, app := trusted.elsewhere(), s.at("app.localhost")
	next := app.handed("/.sallyport/start?rd=/").location(303, origin)
	if to := ada.navigates(next).location(303, ""); !strings.HasPrefix(to, "/verify?next=%2Fforward%2Fcontinue") {
		t.Errorf("half signed in, led to %q", to)
	}
	ada.recognise(device).want(200)
	app.enter(ada, "/")
	if got := app.ask("/").want(200).Header.Get("Sallyport-Acr"); got != "pwd+device" {
		t.Errorf("acr %q", got)
	}
	start := app.ask("/strong").location(302, "http://app.localhost")
	if to := ada.navigates(app.handed(start).location(303, origin)).location(303, ""); !strings.HasPrefix(to, "/confirm?acr=aal2&next=") {
		t.Errorf("led to %q", to)
	}
	s.nextStep()
	ada.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
	app.ask("/strong").want(200) // the app's token outlives the session's
}

// Whatever ends a session ends it at every app at once.
func TestWhatEndsASessionEndsItAtApps(t *testing.T) {
	t.Parallel()
	s := newSite(t).shielded()
	for name, end := range map[string]func(*person, *at){
		"signing out": func(p *person, _ *at) { p.delete("/v1/session").want(204) },
		"signing out there": func(_ *person, a *at) {
			a.with(map[string]string{"X-Forwarded-Host": a.host, "Sec-Fetch-Site": "same-origin"}).post("/.sallyport/signout", nil).want(303)
		},
		"from elsewhere": func(p *person, _ *at) {
			other := p.elsewhere()
			s.nextStep()
			other.post("/v1/verify/totp", map[string]any{"code": p.code()}).want(200)
			other.delete("/v1/me/sessions").want(204)
		},
		"its idle end": func(*person, *at) { s.Clock.Advance(61 * time.Minute) },
		"a shorter policy": func(*person, *at) {
			s.Clock.Advance(2 * time.Minute)
			s.force(func(p *models.Policy) { p.Timeouts.Idle = models.Duration(time.Minute) })
		},
	} {
		s.force(func(p *models.Policy) { p.Timeouts.Idle = models.Duration(time.Hour) })
		ada := s.withTOTP(strings.ReplaceAll(name, " ", "-"))
		app, other := s.at("app.localhost").enter(ada, "/"), s.at("other.localhost").enter(ada, "/")
		app.ask("/").want(200)
		end(ada, app)
		if a, b := app.ask("/").Status, other.ask("/").Status; a != 302 || b != 302 {
			t.Errorf("%s: %d and %d", name, a, b)
		}
	}
}

func TestUseOfAnAppIsUseOfTheSession(t *testing.T) {
	t.Parallel()
	s := newSite(t).shielded()
	ada, app := s.withTOTP("ada"), s.at("app.localhost")
	app.enter(ada, "/")
	for range 3 {
		s.Clock.Advance(50 * time.Minute)
		app.ask("/").want(200)
	}
	ada.get("/v1/session").want(200)
	// A page opens its socket again by itself.
	s.Clock.Advance(50 * time.Minute)
	app.with(map[string]string{"X-Forwarded-Host": app.host, "X-Forwarded-Uri": "/", "X-Forwarded-Method": "GET", "Sec-WebSocket-Key": "x"}).get("/authz/forward").want(200)
	s.Clock.Advance(11 * time.Minute)
	app.ask("/").want(302)
}

func TestALongAddressLeadsToTheFrontPage(t *testing.T) {
	t.Parallel()
	s := newSite(t).shielded()
	ada, app := s.withTOTP("ada"), s.at("app.localhost")
	start := app.ask("/find?q="+strings.Repeat("x", 4000)).location(302, "http://app.localhost")
	next := app.handed(start).location(303, origin)
	back := app.handed(ada.navigates(next).location(303, "http://app.localhost")).location(303, "http://app.localhost")
	if back != "/" {
		t.Errorf("led to %.50s", back)
	}
	if u, err := url.Parse(next); err != nil || u.Query().Get("rd") != "/" {
		t.Errorf("by %s: %v", next, err)
	}
}

// signer is one whose signatures tests can read.
type signer struct{}

func (signer) Sign(_ context.Context, claims any) (string, error) {
	text, err := json.Marshal(claims)
	return string(text), err
}

func TestWhatAnAssertionSays(t *testing.T) {
	t.Parallel()
	s := newSite(t).shielded()
	ada, app := s.withTOTP("ada"), s.at("app.localhost")
	app.enter(ada, "/")
	if _, err := s.Pool.Exec(t.Context(), `UPDATE users SET display_name = 'Ada, é%' || chr(8238), email_verified = true`); err != nil {
		t.Fatal(err)
	}
	for _, group := range []string{"staff", "admins"} {
		if err := s.SetGroup(t.Context(), "ada", group, true); err != nil {
			t.Fatal(err)
		}
	}
	signing := s.another(func(d *server.Deps) { d.Signer = signer{} })
	signing.cookies, signing.header = app.cookies, app.header
	a := (&at{signing, app.host}).ask("/").want(200)
	for name, want := range map[string]string{"Remote-Name": "Ada, %C3%A9%25%E2%80%AE", "Remote-Groups": "admins,staff", "Remote-Email": "ada@example.com"} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
	var claims map[string]any
	if err := json.Unmarshal([]byte(a.Header.Get("Sallyport-Assertion")), &claims); err != nil {
		t.Fatal(err)
	}
	now := s.Clock.Now().Unix()
	for name, want := range map[string]any{
		"iss": origin, "aud": "http://app.localhost", "acr": "aal2", "iat": float64(now), "exp": float64(now + 60), "groups": []any{"admins", "staff"}, "amr": []any{"pwd", "otp", "mfa"},
	} {
		if !reflect.DeepEqual(claims[name], want) {
			t.Errorf("%s is %v, not %v", name, claims[name], want)
		}
	}
	for _, name := range []string{"sub", "sid", "jti", "auth_time"} {
		if claims[name] == nil || claims[name] == "" {
			t.Errorf("no %s in %v", name, claims)
		}
	}
}
