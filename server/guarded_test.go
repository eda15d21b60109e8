package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/guard"
	"github.com/sallyport/sallyport/server/guard/fiberguard"
)

// guarded is a program of somebody else's that lets Sallyport say who its users are.
type guarded struct {
	t     testing.TB
	guard *guard.Guard
}

func (s *site) guarded(o guard.Options) *guarded {
	s.t.Helper()
	o.Issuer, o.HTTPClient, o.Now = origin, &http.Client{Transport: s}, s.Clock.Now
	g, err := guard.New(o)
	if err != nil {
		s.t.Fatal(err)
	}
	return &guarded{s.t, g}
}

// ask sends a request to a route that needs something, and gives what comes back: who it
// was, or why not.
func (g *guarded) ask(need guard.Need, header ...string) *answer {
	g.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://localhost:9000/notes", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return g.send(need, r)
}

func (g *guarded) send(need guard.Need, r *http.Request) *answer {
	g.t.Helper()
	w := httptest.NewRecorder()
	g.guard.Require(need)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, ok := guard.From(r.Context())
		if !ok {
			g.t.Error("let through without a name")
		}
		_ = json.NewEncoder(w).Encode(who)
	})).ServeHTTP(w, r)
	a := &answer{t: g.t, what: r.Method + " " + r.URL.Path, Status: w.Code, Header: w.Header(), Raw: w.Body.Bytes()}
	if strings.HasPrefix(w.Body.String(), "{") {
		if err := json.Unmarshal(a.Raw, &a.Body); err != nil {
			g.t.Fatal(err)
		}
	}
	return a
}

// tokens signs somebody in to the chat app.
func (p *person) tokens(secret string, more ...string) *answer {
	p.t.Helper()
	code := p.authorize(asks("chat", callback, append([]string{"scope", "openid groups offline_access"}, more...)...)).Get("code")
	return p.site.redeem("chat", secret, code).want(200)
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

func cookieOf(b *browser) []string { return []string{"Cookie", "sallyport=" + b.cookies["sallyport"]} }

// Each way to say who somebody is gives the same person, and how they signed in.
func TestAGuardKnowsWhoAsks(t *testing.T) {
	t.Parallel()
	for _, kind := range []struct{ alg, format string }{{"RS256", "jwt"}, {"ES256", "jwt"}, {"ES256", "opaque"}} {
		s := newSite(t)
		secret := s.chatApp(func(a *models.App) { a.IDTokenAlg, a.TokenFormat = kind.alg, kind.format })
		ada := s.withTOTP("ada")
		if err := s.SetGroup(t.Context(), "ada", "staff", true); err != nil {
			t.Fatal(err)
		}
		session := ada.get("/v1/session").want(200)
		token := ada.tokens(secret).text("access_token")
		s.nextStep()
		app := &person{browser: s.app(), name: "ada", secret: ada.secret}
		app.post("/v1/login", map[string]any{"identifier": "ada", "password": password, "transport": "bearer"}).want(200)
		app.post("/v1/verify/totp", map[string]any{"code": app.code()}).want(200)
		g := s.guarded(guard.Options{Audience: "chat", ClientID: "chat", ClientSecret: secret, Sessions: true})
		need := guard.Need{ACR: "aal2", MaxAge: time.Hour, Groups: []string{"crew", "staff"}}
		for name, header := range map[string][]string{"token": bearer(token), "cookie": cookieOf(ada.browser), "session token": bearer(app.token)} {
			who := g.ask(need, header...).want(200)
			if who.Body["Subject"] != session.Body["user"].(map[string]any)["id"] || who.Body["ACR"] != "aal2" {
				t.Errorf("%s of %v: %s", name, kind, who.Raw)
			}
			own := name != "session token"
			if (who.Body["SessionID"] == session.Body["id"]) != own {
				t.Errorf("%s of %v: session %v, it is %v", name, kind, who.Body["SessionID"], session.Body["id"])
			}
			if at, _ := time.Parse(time.RFC3339, who.text("AuthTime")); own && !at.Equal(timeOf(t, session, "auth_time")) {
				t.Errorf("%s of %v: signed in at %s, it was at %v", name, kind, at, session.Body["auth_time"])
			}
		}
		scopes := g.ask(guard.Need{Scopes: []string{"openid", "groups"}}, bearer(token)...).want(200).Body["Scopes"]
		if !slices.Contains(scopes.([]any), any("offline_access")) {
			t.Errorf("scopes %v", scopes)
		}
	}
}

func timeOf(t testing.TB, a *answer, key string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, a.text(key))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// Whoever lacks something is told what, in words that clients act on.
func TestAGuardSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp(func(a *models.App) { a.TokenFormat = "jwt" })
	ada := s.withTOTP("ada")
	token := ada.tokens(secret).text("access_token")
	half, fresh := ada.elsewhere(), s.register("bob")
	g := s.guarded(guard.Options{Audience: "chat", Sessions: true})
	s.Clock.Advance(4 * time.Minute)
	for _, c := range []struct {
		name      string
		need      guard.Need
		header    []string
		status    int
		code      models.Code
		challenge string
	}{
		{"nobody", guard.Need{}, nil, 401, "session_required", `Bearer realm="http://localhost:8080"`},
		{"a session before the second factor", guard.Need{}, cookieOf(half.browser), 401, "session_required", `Bearer realm`},
		{"a session before the first factor", guard.Need{}, cookieOf(fresh.browser), 401, "session_required", `Bearer realm`},
		{"a token of nobody", guard.Need{}, bearer("x.y.z"), 401, "session_required", `error="invalid_token"`},
		{"too old", guard.Need{ACR: "mfa", MaxAge: time.Minute}, bearer(token), 401, "insufficient_user_authentication", `acr_values="mfa", max_age="60"`},
		{"too old a session", guard.Need{MaxAge: time.Minute}, cookieOf(ada.browser), 401, "insufficient_user_authentication", `error="insufficient_user_authentication"`},
		{"no such scope", guard.Need{Scopes: []string{"openid", "notes:write"}}, bearer(token), 403, "insufficient_scope", `scope="openid notes:write"`},
		{"a session has no scopes", guard.Need{Scopes: []string{"openid"}}, cookieOf(ada.browser), 403, "insufficient_scope", `scope="openid"`},
		{"no such group", guard.Need{Groups: []string{"crew"}}, bearer(token), 403, "group_required", ""},
	} {
		a := g.ask(c.need, c.header...)
		if a.Status != c.status || a.code() != c.code || !strings.Contains(a.Header.Get("WWW-Authenticate"), c.challenge) ||
			a.Header.Get("Content-Type") != "application/problem+json" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: got %d %v %s", c.name, a.Status, a.Header, a.Raw)
		}
		if c.challenge == "" && a.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: signing in doesn't mend that: %v", c.name, a.Header)
		}
	}
	for url, header := range map[string][]string{"/oauth/authorize": bearer(token), "/confirm": cookieOf(ada.browser)} {
		a := g.ask(guard.Need{ACR: "aal2", MaxAge: time.Minute}, header...).want(401)
		step, _ := a.Body["step_up"].(map[string]any)
		if step["url"] != origin+url || step["acr"] != "aal2" || step["max_age"] != float64(60) {
			t.Errorf("got %s", a.Raw)
		}
	}
	// What it names helps: a fresh sign-in within the session.
	s.nextStep()
	ada.prove("authenticate", "")
	ada.browser.post("/v1/session/confirm", map[string]any{}).want(204)
	g.ask(guard.Need{ACR: "aal2", MaxAge: time.Minute}, cookieOf(ada.browser)...).want(200)
}

// A browser that goes to a page is led on; a script gets its answer.
func TestAGuardLeadsPagesOn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g := s.guarded(guard.Options{Sessions: true, StepUp: func(w http.ResponseWriter, r *http.Request, need guard.Need) {
		http.Redirect(w, r, "/sign-in?acr="+need.ACR, http.StatusSeeOther)
	}})
	a := g.ask(guard.Need{ACR: "mfa"}, "Sec-Fetch-Mode", "navigate")
	if a.Status != 303 || a.Header.Get("Location") != "/sign-in?acr=mfa" {
		t.Errorf("got %d %v", a.Status, a.Header)
	}
	g.ask(guard.Need{ACR: "mfa"}, "Sec-Fetch-Mode", "cors").want(401, models.CodeSessionRequired)
}

func TestAGuardOfFiber(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	g := s.guarded(guard.Options{Sessions: true})
	app := fiber.New()
	app.Get("/notes", fiberguard.Require(g.guard, guard.Need{ACR: "aal2"}), func(c *fiber.Ctx) error {
		who, _ := guard.From(c.UserContext())
		return c.SendString(who.Subject)
	})
	ask := func(header ...string) *http.Response {
		r := httptest.NewRequest(http.MethodGet, "/notes", nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Add(header[i], header[i+1])
		}
		response, err := app.Test(r, -1)
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	if in := ask(cookieOf(ada.browser)...); in.StatusCode != http.StatusOK || in.ContentLength != 36 || in.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("signed in: %d %v", in.StatusCode, in.Header)
	}
	if out := ask(); out.StatusCode != http.StatusUnauthorized || out.Header.Get("WWW-Authenticate") == "" || out.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("nobody: %d %v", out.StatusCode, out.Header)
	}
}
