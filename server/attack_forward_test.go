package server_test

import (
	"bytes"
	"encoding/base64"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
)

// One code, a hundred browsers at once that all have the cookie: one gets in.
func TestAttackOneHostCodeOf100(t *testing.T) {
	t.Parallel()
	s := newSite(t).shielded()
	ada, app := s.withTOTP("ada"), s.at("app.localhost")
	back := app.callback(ada, "/")
	counts := parallel(100, func(int) *answer {
		return (&at{app.clone(), app.host}).handed(back)
	})
	if counts[303] != 1 || counts[410] != 99 {
		t.Errorf("answers %v", counts)
	}
}

// A code in a log, a referrer or a history is worth nothing to whoever finds it.
func TestAttackAHostCodeElsewhere(t *testing.T) {
	t.Parallel()
	s := newSite(t).shielded()
	ada, app := s.withTOTP("ada"), s.at("app.localhost")
	back := app.callback(ada, "/")

	s.at("app.localhost").handed(back).want(410) // no cookie
	thief := s.at("app.localhost")
	thief.handed("/.sallyport/start").want(303)
	thief.handed(back).want(410) // his own
	other := &at{app.clone(), "other.localhost"}
	other.handed(back).want(410) // the right cookie at another host, which could be in league
	s.Clock.Advance(models.HostCodeWithin)
	app.handed(back).want(410)
	for _, left := range []*at{thief, other, app} {
		left.ask("/").want(302)
	}

	back = app.callback(ada, "/")
	ada.delete("/v1/session").want(204)
	app.handed(back).want(410) // its session is over

	bea := s.withTOTP("bea")
	back = app.callback(bea, "/")
	app.handed(back).want(303)
	app.handed(back).want(410)
	// The token of one app is nothing at another, whatever host is told.
	other = &at{app.clone(), "other.localhost"}
	app.ask("/").want(200)
	other.ask("/").want(302)
}

// An attacker begins in his browser and has a victim go on, and the other way round.
func TestAttackAStrangersWayIntoAnApp(t *testing.T) {
	t.Parallel()
	s := newSite(t).shielded()
	victim, attacker := s.withTOTP("victim"), s.withTOTP("attacker")
	theirs, his := s.at("app.localhost"), s.at("app.localhost")

	// The victim's browser opens his continue URL: the code is for his browser, and only the victim's sees it.
	next := his.handed("/.sallyport/start?rd=/").location(303, origin)
	back := victim.navigates(next).location(303, "http://app.localhost")
	theirs.handed(back).want(410)
	theirs.ask("/").want(302)

	// The victim's browser opens his callback URL: nobody works in his account without knowing.
	back = his.callback(attacker, "/")
	theirs.handed(back).want(410)
	theirs.handed("/.sallyport/start").want(303)
	theirs.handed(back).want(410)
	theirs.ask("/").want(302)
	his.handed(back).want(303)

	// Another site's page has no codes made by the victim's session.
	for _, mode := range []string{"no-cors", "cors", "websocket"} {
		b := victim.clone()
		b.header = map[string]string{"Sec-Fetch-Mode": mode, "Sec-Fetch-Site": "cross-site"}
		b.get(next).want(403, models.CodeCrossSite)
	}
	// Nor does it sign anybody out.
	theirs.enter(victim, "/")
	for _, header := range []map[string]string{
		{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "", "Origin": "https://evil.example"},
	} {
		header["X-Forwarded-Host"] = "app.localhost"
		theirs.with(header).post("/.sallyport/signout", nil).want(403)
	}
	theirs.ask("/").want(200)
}

// tricks are return addresses that a careless reader takes for the app's own.
var tricks = []string{
	"https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/%2f/evil.example", "/%5cevil.example",
	"https://app.localhost@evil.example/", "http://app.localhost/", "app.localhost/", "evil.example", "", "javascript:alert(1)", "@evil.example", ":80/",
	"/a/../..//evil.example", "/./", "/a#b", "/\r\nLocation: https://evil.example", "/%0d%0aSet-Cookie:a=b", "/\x00", "/a b", "/é", "/.sallyport/signout",
	"/.SALLYPORT/start", "/.sallyport", "/a;x", "/%2e%2e/b", "/%252e", "/a/.", "/%c0%ae", "/%", "/%zz", "/..",
}

func TestAttackReturnAddresses(t *testing.T) {
	t.Parallel()
	s := newSite(t).shielded()
	ada, app := s.withTOTP("ada"), s.at("app.localhost")
	state, err := url.Parse(app.handed("/.sallyport/start").location(303, origin))
	if err != nil {
		t.Fatal(err)
	}
	q := state.Query()
	for _, rd := range tricks {
		if rd != "" { // without one the front page is meant
			if a := app.handed("/.sallyport/start?rd=" + url.QueryEscape(rd)); a.Status != 403 {
				t.Errorf("start took %q: %d to %s", rd, a.Status, a.Header.Get("Location"))
			}
		}
		q.Set("rd", rd)
		if a := ada.navigates("/forward/continue?" + q.Encode()); a.Status != 403 {
			t.Errorf("continue took %q: %d to %s", rd, a.Status, a.Header.Get("Location"))
		}
	}
	q.Set("rd", "/")
	for _, host := range append([]string{"evil.example", "app.localhost:8081", "app.localhost.", "app.localhost.evil.example", "app.localhost@evil.example",
		"evil.example/app.localhost", "localhost:8080", "LOCALHOST:8080", "http://app.localhost", "app.localhost\r\n", "app.localhost,evil.example", "app.localhost:0443", "app.localhost:", "*.wild.localhost", "-.wild.localhost"}, tricks...) {
		q.Set("app", host)
		if a := ada.navigates("/forward/continue?" + q.Encode()); a.Status != 403 {
			t.Errorf("continue took the host %q: %d to %s", host, a.Status, a.Header.Get("Location"))
		}
		if strings.ContainsAny(host, "\r\n\x00") {
			continue // no header
		}
		if a := (&at{app.browser, host}).handed("/.sallyport/start"); a.Status != 403 {
			t.Errorf("start took the host %q: %d to %s", host, a.Status, a.Header.Get("Location"))
		}
		if a := (&at{app.browser, host}).ask("/"); a.Status != 403 {
			t.Errorf("a rule was found for the host %q: %d", host, a.Status)
		}
	}
	q.Set("app", "app.localhost")
	for _, bad := range []string{"", "x", strings.Repeat("A", 42), strings.Repeat("A", 44), base64.RawURLEncoding.EncodeToString(make([]byte, 31))} {
		q.Set("state", bad)
		ada.navigates("/forward/continue?" + q.Encode()).want(400)
	}
}

// A path that a proxy or an app could take for another than we do is nobody's.
func TestAttackAmbiguousPaths(t *testing.T) {
	t.Parallel()
	s := newSite(t).shielded()
	app := s.at("app.localhost")
	for _, target := range []string{
		"/public/../strong", "/public/%2e%2e/strong", "/public/.%2E/strong", "/public/..%2fstrong", "/public/..;/strong", "/public/..%3b/strong", "/public//strong",
		"//public", "/public\\..\\strong", "/public/%5c..", "/public/%252e%252e/strong", "/public/%00", "/public/%0a", "/public/%7f", "/public/%c2%85", "/public/%", "/public/%4",
		"/public/%zz", "/public/.", "/public/..", "/public/./x", "/public;x=1", "/public%3bx", "/public%2fx", "/public/%c0%ae", "/public/\xff", "/public/é", "public", "", "?x",
		"http://app.localhost/public", "/public#x", "/public x", "/public?a#b", "*",
	} {
		a := app.ask(target)
		if a.Status != 403 {
			t.Errorf("%q: %d", target, a.Status)
		}
		// The same by Envoy, whose request is a path of ours, as a network would bring it.
		if strings.HasPrefix(target, "/") && !strings.ContainsAny(target, " #") && utf8.ValidString(target) {
			request := httptest.NewRequest(http.MethodGet, "/", nil)
			request.RequestURI, request.Host = "/authz/envoy"+target, "app.localhost"
			response, err := s.server.App().Test(request, -1)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != http.StatusForbidden {
				t.Errorf("%q by Envoy: %d", target, response.StatusCode)
			}
		}
	}
	for _, target := range []string{"/public", "/public/", "/public/a%20b.txt", "/public/.well-known/x", "/public/caf%C3%A9?a=//b/../c%2f", "/public/a..b", "/public/...", "/%70ublic/x"} {
		app.ask(target).want(200)
	}
}

// What a client says of itself, or of the host it asks for, is worth nothing.
func TestAttackSpoofedHeaders(t *testing.T) {
	t.Parallel()
	s := newSite(t).shielded()
	ada, app := s.withTOTP("ada"), s.at("app.localhost")
	app.enter(ada, "/")
	spoofed := map[string]string{"X-Forwarded-Host": "app.localhost", "X-Forwarded-Uri": "/", "X-Forwarded-Method": "GET"}
	for _, name := range identities {
		spoofed[name] = "admin"
	}
	spoofed["Authorization"] = "Bearer x" // the app's own business
	for _, kind := range []string{"/", "/public"} {
		spoofed["X-Forwarded-Uri"] = kind
		a := app.with(spoofed).get("/authz/forward").want(200)
		for _, name := range identities {
			if strings.Contains(a.Header.Get(name), "admin") {
				t.Errorf("%s is %q", name, a.Header.Get(name))
			}
		}
	}
	s.at("app.localhost").with(spoofed).get("/authz/nginx").want(403) // without its own headers
	spoofed["X-Forwarded-Uri"] = "/"
	if a := s.at("app.localhost").with(spoofed).get("/authz/forward").want(302); a.Header.Get("Remote-User") != "" {
		t.Errorf("told of %q", a.Header.Get("Remote-User"))
	}

	// Two of a header: the proxy may have meant the other.
	for path, header := range map[string]http.Header{
		"/authz/forward": {"X-Forwarded-Host": {"app.localhost"}, "X-Forwarded-Uri": {"/public"}, "X-Forwarded-Method": {"GET"}},
		"/authz/nginx":   {"X-Original-Url": {"https://app.localhost/public"}, "X-Original-Method": {"GET"}},
	} {
		raw := func(header http.Header) int {
			request := httptest.NewRequest(http.MethodGet, path, nil)
			request.Header = header
			response, err := s.server.App().Test(request, -1)
			if err != nil {
				t.Fatal(err)
			}
			return response.StatusCode
		}
		if status := raw(header); status != 200 {
			t.Fatalf("%s: %d", path, status)
		}
		for name := range header {
			twice, none := maps.Clone(header), maps.Clone(header)
			twice[name] = append(twice[name], header[name][0])
			delete(none, name)
			if a, b := raw(twice), raw(none); a != 403 || b != 403 {
				t.Errorf("%s: %s twice: %d, not at all: %d", path, name, a, b)
			}
		}
	}
	for _, address := range []string{"app.localhost/public", "/public", "ftp://app.localhost/public", "https://app.localhost", "https://evil@app.localhost/public", "https://app.localhost\\public", "https://APP.localhost:81/public"} {
		app.with(map[string]string{"X-Original-URL": address, "X-Original-Method": "GET"}).get("/authz/nginx").want(403)
	}
}

// What no trusted proxy sent is refused, and the log says which key decides that.
func TestAttackAnUntrustedProxy(t *testing.T) {
	t.Parallel()
	s := newSite(t).shielded()
	ada, app := s.withTOTP("ada"), s.at("app.localhost")
	back := app.callback(ada, "/")
	var log bytes.Buffer
	bare := *s
	bare.listens = &listener{}
	bare.server = s.newServer(slog.New(slog.NewTextHandler(&log, nil)), func(d *server.Deps) { d.Proxies = nil })
	stranger := app.clone()
	stranger.site = &bare
	direct := &at{stranger, app.host}
	direct.ask("/public").want(403)
	direct.with(map[string]string{"X-Original-URL": "https://app.localhost/public", "X-Original-Method": "GET"}).get("/authz/nginx").want(403)
	direct.with(map[string]string{"Host": "app.localhost"}).get("/authz/envoy/public").want(403)
	direct.handed("/.sallyport/start").want(403)
	direct.handed(back).want(403)
	direct.with(map[string]string{"X-Forwarded-Host": app.host, "Sec-Fetch-Site": "same-origin"}).post("/.sallyport/signout", nil).want(403)
	if n := strings.Count(log.String(), "proxies.trusted"); n != 1 {
		t.Errorf("logged %d times: %s", n, log.String())
	}
	app.handed(back).want(303) // it was not spent
}

// Records out of reach are never taken for "signed out": nobody is led away.
func TestAppsWaitForTheRecords(t *testing.T) {
	t.Parallel()
	s := newSite(t).shielded()
	ada, app := s.withTOTP("ada"), s.at("app.localhost")
	app.enter(ada, "/")
	s.Pool.Close()
	app.ask("/").want(503)
	app.ask("/public").want(200)
}

// In production the cookies are of the host alone, and go over https alone.
func TestCookiesOfApps(t *testing.T) {
	t.Parallel()
	s := newSite(t).shielded()
	secure := s.https()
	secure.header = map[string]string{"X-Forwarded-Host": "app.localhost"}
	a := secure.get("/.sallyport/start?rd=/x").want(303)
	cookie := (&http.Response{Header: a.Header}).Cookies()[0]
	if cookie.Name != "__Host-sallyport-app-pre" || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" || cookie.Domain != "" || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("got %v", cookie)
	}
	if until := time.Until(cookie.Expires); until > time.Hour+time.Minute {
		t.Errorf("kept for %s", until)
	}
	// Tabs that set out at once share it.
	again := secure.get("/.sallyport/start?rd=/y").want(303)
	if kept := (&http.Response{Header: again.Header}).Cookies()[0]; kept.Value != cookie.Value {
		t.Error("a second tab took the first one's note away")
	}
}
