package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
	"github.com/sallyport/sallyport/server/passkey"
)

const appOrigin = "https://app.example.com"

func withApps(d *server.Deps) {
	d.Apps = passkey.Apps{
		Origins: []string{appOrigin, "http://localhost:5173"},
		Android: []passkey.AndroidApp{{Package: "com.example.notes", Fingerprint: sha256.Sum256([]byte("release"))}, {Package: "com.example.notes", Fingerprint: sha256.Sum256([]byte("debug"))}},
		Apple:   []string{"ABCDE12345.com.example.notes"},
	}
}

// at has a browser's requests come from a page of an origin, as it says where that is from here.
func (b *browser) at(origin, site string) *browser {
	b.header = map[string]string{"Origin": origin, "Sec-Fetch-Site": site}
	return b
}

// A script of a listed app signs a person in with screens of its own, by the cookie.
func TestAnAppOfTheSameSiteSignsPeopleIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	b := s.another(withApps).at(appOrigin, "same-site")
	asked := b.do("OPTIONS", "/v1/login", nil)
	for name, value := range map[string]string{
		"Access-Control-Allow-Origin": appOrigin, "Access-Control-Allow-Credentials": "true", "Access-Control-Allow-Headers": "Content-Type",
		"Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE", "Vary": "Origin",
	} {
		if asked.Status != 204 || asked.Header.Get(name) != value {
			t.Errorf("asked before: %d, %s is %q", asked.Status, name, asked.Header.Get(name))
		}
	}
	in := b.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
	if in.Header.Get("Access-Control-Allow-Origin") != appOrigin || in.Header.Get("Access-Control-Allow-Credentials") != "true" || in.Header.Get("Vary") != "Origin" {
		t.Errorf("the answer can't be read: %v", in.Header)
	}
	s.nextStep()
	b.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200).state(models.Authenticated, models.ACRAAL2)
	// Refusals can be read too, and how long to wait.
	refused := b.post("/v1/verify/totp", map[string]any{"code": "000000"}).want(422)
	if refused.Header.Get("Access-Control-Allow-Origin") != appOrigin || refused.Header.Get("Access-Control-Expose-Headers") != "Retry-After" {
		t.Errorf("the refusal can't be read: %v", refused.Header)
	}
	b.do("OPTIONS", "/v1/me/passkeys", nil).want(204)
	b.delete("/v1/session").want(204)
}

// Whoever is not in the list to the letter gets nothing: no write, no answer that could be
// read, no socket.
func TestAttackOriginsThatAreNotListed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	other := s.another(withApps)
	for _, evil := range []string{
		"null", "https://evil.example", "https://example.com", "https://evil.app.example.com", "https://app.example.com.evil.example", "https://app.example.com:8443",
		"https://app.example.com:443", "http://app.example.com", "https://App.Example.com", "HTTPS://app.example.com", "https://app.example.com/", "https://app.example.com.",
		"https://app.example.com@evil.example", "https://evilapp.example.com", "https://app.example.com https://evil.example", "http://localhost:5174", "http://localhost", "file://", "*",
		"https://app.example.com%00", "https://app.example.com\tx", "android:apk-key-hash:x",
	} {
		for _, site := range []string{"same-site", "cross-site", ""} {
			b := *other
			b.cookies = map[string]string{"sallyport": ada.cookies["sallyport"]}
			b.at(evil, site)
			if site == "" {
				delete(b.header, "Sec-Fetch-Site")
			}
			for _, write := range []*answer{b.post("/v1/step-up", map[string]any{"purpose": "export"}), b.delete("/v1/session"), b.post("/v1/login", map[string]any{})} {
				if write.Status != 403 || write.code() != models.CodeCrossSite {
					t.Fatalf("%q (%s): %s answered %d %s", evil, site, write.what, write.Status, write.Raw)
				}
			}
			asked := b.do("OPTIONS", "/v1/step-up", nil)
			for _, a := range []*answer{b.get("/v1/session").want(200), asked, b.post("/v1/step-up", map[string]any{})} {
				if asked.Status < 300 || a.Header.Get("Access-Control-Allow-Origin") != "" || a.Header.Get("Access-Control-Allow-Credentials") != "" || a.Header.Get("Vary") != "Origin" {
					t.Errorf("%q (%s): %s answered %d %v", evil, site, a.what, a.Status, a.Header)
				}
			}
			line := httptest.NewRequest(http.MethodGet, "/v1/session/events", nil)
			line.Header.Set("Accept", "text/event-stream")
			line.Header.Set("Origin", evil)
			line.Header.Set("Cookie", "sallyport="+ada.cookies["sallyport"])
			if opened, err := other.site.server.App().Test(line, 10_000); err != nil || opened.StatusCode != http.StatusForbidden {
				t.Errorf("%q (%s): a line of events: %v %v", evil, site, opened, err)
			}
		}
	}
	ada.get("/v1/session").want(200)
}

// A listed app may use the v1 surface, but for admins' addresses: not the pages, not the
// provider's forms, not what proxies ask. And listing one lets no bearer token into a browser.
func TestAttackListedAppsGoNoFurther(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	boss := s.admin("boss")
	b := s.another(withApps).at(appOrigin, "same-site")
	b.cookies = map[string]string{"sallyport": boss.cookies["sallyport"]}
	b.post("/v1/admin/webhooks", map[string]any{"url": "https://evil.example/hooks"}).want(403, models.CodeCrossSite)
	for _, path := range []string{"/v1/admin/webhooks", "/account", "/", "/openapi.json", "/v1x/session", "/oauth/userinfo"} {
		if a := b.get(path); a.Header.Get("Access-Control-Allow-Credentials") != "" || a.Header.Get("Access-Control-Allow-Origin") == appOrigin {
			t.Errorf("%s can be read: %v", path, a.Header)
		}
	}
	b.post("/v1/login", map[string]any{"identifier": "boss", "password": password, "transport": "bearer"}).want(403, models.CodeCrossSite)
	b.token = boss.cookies["sallyport"]
	b.get("/v1/session").want(403, models.CodeCrossSite)
}

// Passkeys of this host serve pages of listed origins and listed Android apps, and nobody else.
func TestPasskeysOfApps(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, phone := s.withTOTP("ada"), newKey(true)
	ada.addPasskey(phone, "").want(201)
	release := sha256.Sum256([]byte("release"))
	other := s.another(withApps)
	for from, ok := range map[string]bool{
		appOrigin: true, "http://localhost:5173": true, origin: true, "android:apk-key-hash:" + base64.RawURLEncoding.EncodeToString(release[:]): true,
		"https://example.com": false, "https://evil.example": false, "android:apk-key-hash:" + base64.RawURLEncoding.EncodeToString(make([]byte, 32)): false,
		"android:apk-key-hash:" + strings.ToLower(base64.RawURLEncoding.EncodeToString(release[:])): false, "http://localhost:5174": false,
	} {
		b := *other
		b.cookies = map[string]string{}
		options := b.post("/v1/login/passkey/options", map[string]any{}).want(200)
		parsed, err := virtualwebauthn.ParseAssertionOptions(string(options.Raw))
		if err != nil {
			t.Fatal(err)
		}
		a := b.post("/v1/login/passkey", virtualwebauthn.CreateAssertionResponse(virtualwebauthn.RelyingParty{ID: "localhost", Name: "x", Origin: from}, phone.auth, phone.cred, *parsed))
		if (a.Status == 200) != ok {
			t.Errorf("%s: got %d %s", from, a.Status, a.Raw)
		}
	}
}

// Browsers and the services of Google and Apple read which apps belong to this host.
func TestAppsAreAnnounced(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.another(withApps)
	var related struct{ Origins []string }
	var statements []struct {
		Relation []string
		Target   struct {
			Namespace    string
			Package      string   `json:"package_name"`
			Certificates []string `json:"sha256_cert_fingerprints"`
		}
	}
	var apple struct{ Webcredentials struct{ Apps []string } }
	for path, into := range map[string]any{
		"/.well-known/webauthn": &related, "/.well-known/assetlinks.json": &statements, "/.well-known/apple-app-site-association": &apple,
	} {
		s.browser().get(path).want(404, models.CodeNotFound)
		response, err := b.site.server.App().Test(httptest.NewRequest(http.MethodGet, path, nil), -1)
		if err != nil {
			t.Fatal(err)
		}
		if kind := response.Header.Get("Content-Type"); kind != "application/json" {
			t.Errorf("%s is %q", path, kind)
		}
		if err := json.NewDecoder(response.Body).Decode(into); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if strings.Join(related.Origins, " ") != appOrigin+" http://localhost:5173" {
		t.Errorf("related: %+v", related)
	}
	release := sha256.Sum256([]byte("release"))
	if len(statements) != 1 || statements[0].Target.Package != "com.example.notes" || len(statements[0].Target.Certificates) != 2 ||
		len(statements[0].Target.Certificates[0]) != 95 || !strings.EqualFold(strings.ReplaceAll(statements[0].Target.Certificates[0], ":", ""), hex.EncodeToString(release[:])) {
		t.Errorf("Android: %+v", statements)
	}
	if strings.Join(apple.Webcredentials.Apps, "") != "ABCDE12345.com.example.notes" {
		t.Errorf("Apple: %+v", apple)
	}
}

// Any page may import the module, whose parts are of one build; only the line that leads to
// them is asked about each time.
func TestTheSDKIsServed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	get := func(path string, header ...string) *http.Response {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Origin", "https://anybody.example")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		response, err := s.server.App().Test(r, -1)
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	line := get("/sdk/sallyport.js")
	text, err := io.ReadAll(line.Body)
	if err != nil {
		t.Fatal(err)
	}
	where := regexp.MustCompile(`^export \* from "(/static/[0-9a-f]{12}/sdk/sallyport\.js)";\n$`).FindSubmatch(text)
	if where == nil {
		t.Fatalf("%d %s", line.StatusCode, text)
	}
	if kept := get("/sdk/sallyport.js", "If-None-Match", line.Header.Get("ETag")); kept.StatusCode != http.StatusNotModified {
		t.Errorf("what is kept is sent again: %d", kept.StatusCode)
	}
	module := get(string(where[1]))
	for name, want := range map[string]string{"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "Content-Type": "text/javascript; charset=utf-8"} {
		if line.Header.Get(name) != want || module.Header.Get(name) != want {
			t.Errorf("%s is %q, and %q", name, line.Header.Get(name), module.Header.Get(name))
		}
	}
	if line.Header.Get("Cache-Control") != "no-cache" || !strings.Contains(module.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("kept as %q, and %q", line.Header.Get("Cache-Control"), module.Header.Get("Cache-Control"))
	}
	// The scripts of our own pages are nobody else's business.
	if own := get(strings.Replace(string(where[1]), "/sdk/sallyport.js", "/js/api.js", 1)); own.StatusCode != http.StatusOK || own.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("our own: %d %v", own.StatusCode, own.Header)
	}
}
