package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/server"
)

// https is a browser at a server of the site as it runs in production.
func (s *site) https() *browser {
	const public = "https://login.example.com"
	b := s.another(func(d *server.Deps) { d.PublicURL = &url.URL{Scheme: "https", Host: "login.example.com"} })
	b.header["Origin"] = public
	return b
}

// Browsers take a __Host- cookie only as it is here (RFC 6265bis section
// 4.1.3.2), and take it away only by one with the same attributes.
func TestCookiesInProduction(t *testing.T) {
	t.Parallel()
	b := newSite(t).https()
	for _, c := range []struct {
		answer *answer
		name   string
		set    bool
	}{
		{b.post("/v1/login/passkey/options", map[string]any{}).want(200), "__Host-sallyport-pre", true},
		{b.post("/v1/login/passkey", `{}`).want(400), "__Host-sallyport-pre", false},
		{b.post("/v1/accounts", map[string]any{"email": "ada@example.com", "username": "ada", "password": password}).want(201), "__Host-sallyport", true},
		{b.delete("/v1/session").want(204), "__Host-sallyport", false},
	} {
		cookies := (&http.Response{Header: c.answer.Header}).Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%s: %d cookies: %v", c.answer.what, len(cookies), cookies)
		}
		got := cookies[0]
		if got.Name != c.name || (got.Value != "") != c.set {
			t.Errorf("%s: got %v, want %s", c.answer.what, got, c.name)
		}
		if !got.Secure || !got.HttpOnly || got.SameSite != http.SameSiteLaxMode || got.Path != "/" || got.Domain != "" {
			t.Errorf("%s: got %v", c.answer.what, got)
		}
	}
}

// Only where the site is https: on http://localhost the header would lock
// developers out of everything else that they serve there.
func TestHSTSInProduction(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, path := range []string{"/login", "/v1/session", "/v1/nothing", "/healthz"} {
		if got := s.https().get(path).Header.Get("Strict-Transport-Security"); !strings.HasPrefix(got, "max-age=31536000") {
			t.Errorf("%s: got %q", path, got)
		}
		if got := s.browser().get(path).Header.Get("Strict-Transport-Security"); got != "" {
			t.Errorf("%s on http: got %q", path, got)
		}
	}
}
