package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/sallyport/sallyport/models/postgres/pgtest"
	"github.com/sallyport/sallyport/server/oidc"
)

// site is the chat with an issuer whose keys are real, and whose tokens a test writes
// itself. Real sign-ins are in the browser tests.
type site struct {
	*chat
	t      *testing.T
	keys   *oidc.Keys
	server *httptest.Server
	claims map[string]any // of the ID token that the next code gives
}

func newSite(t *testing.T) *site {
	t.Helper()
	records := pgtest.New(t)
	s := &site{t: t, keys: &oidc.Keys{Store: records.Store, Now: time.Now}}
	mux := http.NewServeMux()
	issuer := httptest.NewServer(mux)
	t.Cleanup(issuer.Close)
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{
			"issuer": issuer.URL, "authorization_endpoint": issuer.URL + "/authorize", "token_endpoint": issuer.URL + "/token", "jwks_uri": issuer.URL + "/keys",
			"end_session_endpoint": issuer.URL + "/end", "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		set, err := s.keys.Public(r.Context())
		if err != nil {
			t.Error(err)
		}
		answer(w, http.StatusOK, set)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": s.sign("JWT", s.claims)})
	})
	pool, err := open(t.Context(), records.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s.server = httptest.NewUnstartedServer(nil)
	s.server.Start()
	t.Cleanup(s.server.Close)
	if s.chat, err = newChat(t.Context(), pool, s.server.URL, issuer.URL, "chat", "secret"); err != nil {
		t.Fatal(err)
	}
	s.server.Config.Handler = s.routes()
	return s
}

func (s *site) sign(typ string, claims map[string]any) string {
	s.t.Helper()
	signed, err := s.keys.Sign(s.t.Context(), "RS256", typ, claims)
	if err != nil {
		s.t.Fatal(err)
	}
	return signed
}

// with is the claims of an ID token, changed.
func (s *site) with(change ...any) map[string]any {
	now := time.Now()
	claims := map[string]any{
		"iss": s.issuer, "aud": "chat", "sub": "ada", "sid": "session-1", "name": "Ada", "acr": "aal2", "auth_time": now.Unix(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	for i := 0; i < len(change); i += 2 {
		claims[change[i].(string)] = change[i+1]
	}
	return claims
}

// browser keeps cookies and follows nothing.
type browser struct {
	*site
	cookies map[string]string
}

func (s *site) browser() *browser { return &browser{s, map[string]string{}} }

func (b *browser) do(method, path string, body string, header ...string) (*http.Response, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range a.Cookies() {
		b.cookies[c.Name] = c.Value
	}
	return a, string(text)
}

// sent begins a sign-in and gives what the issuer is asked.
func (b *browser) sent(query string) url.Values {
	b.t.Helper()
	a, text := b.do("GET", "/sign-in"+query, "")
	to, err := a.Location()
	if err != nil || a.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("%d %s; %v", a.StatusCode, text, err)
	}
	return to.Query()
}

func (b *browser) back(asked url.Values, change ...string) (*http.Response, string) {
	v := url.Values{"code": {"c"}, "state": {asked.Get("state")}, "iss": {b.issuer}}
	for i := 0; i < len(change); i += 2 {
		v.Set(change[i], change[i+1])
	}
	return b.do("GET", "/callback?"+v.Encode(), "")
}

func (b *browser) signsIn(query string, change ...any) {
	b.t.Helper()
	asked := b.sent(query)
	b.claims = b.with(append([]any{"nonce", asked.Get("nonce")}, change...)...)
	if a, text := b.back(asked); a.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("%d %s", a.StatusCode, text)
	}
}

func (b *browser) want(method, path, body string, status int, code string) string {
	b.t.Helper()
	a, text := b.do(method, path, body)
	if a.StatusCode != status || code != "" && !strings.Contains(text, `"`+code+`"`) {
		b.t.Fatalf("%s %s: got %d %s, want %d %s", method, path, a.StatusCode, text, status, code)
	}
	return text
}

func (b *browser) room() string {
	b.t.Helper()
	var made room
	if err := json.Unmarshal([]byte(b.want("POST", "/api/rooms", `{"name":"Garden"}`, http.StatusCreated, "")), &made); err != nil {
		b.t.Fatal(err)
	}
	return made.ID
}

func (b *browser) listens(room string) *websocket.Conn {
	b.t.Helper()
	header := http.Header{"Cookie": {sessionCookie + "=" + b.cookies[sessionCookie]}}
	conn, answer, err := websocket.DefaultDialer.DialContext(b.t.Context(), strings.Replace(b.server.URL, "http", "ws", 1)+"/socket/"+room, header)
	if err != nil {
		b.t.Fatal(err)
	}
	_ = answer.Body.Close()
	b.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestWhoIsNotSignedInIsLedToTheIssuer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	for _, path := range []string{"/api/me", "/api/rooms", "/socket/1", "/api/rooms/1/messages"} {
		b.want("GET", path, "", http.StatusUnauthorized, "sign_in_required")
	}
	if a, _ := b.do("GET", "/rooms/7?x=1", ""); a.Header.Get("Location") != "/sign-in?next=%2Frooms%2F7%3Fx%3D1" {
		t.Errorf("led to %s", a.Header.Get("Location"))
	}
	b.signsIn("?next=/rooms/7")
	b.want("GET", "/api/me", "", http.StatusOK, "Ada")
	b.want("GET", "/rooms", "", http.StatusOK, "")
	half := s.browser()
	half.signsIn("", "acr", "one")
	half.want("GET", "/api/me", "", http.StatusUnauthorized, "sign_in_required")
}

// Somebody else's answer, browser, nonce or audience, an answer twice, and where people
// are led afterwards.
func TestAttackAnswersOfTheIssuer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, eve := s.browser(), s.browser()
	asked := ada.sent("")
	s.claims = s.with("nonce", asked.Get("nonce"))
	for _, c := range []struct {
		what   string
		who    *browser
		change []string
	}{
		{"mixed-up issuer", ada, []string{"iss", "https://evil.example"}}, {"no issuer", ada, []string{"iss", ""}},
		{"another browser", eve, nil}, {"another state", ada, []string{"state", "x"}},
	} {
		if a, _ := c.who.back(asked, c.change...); a.StatusCode != http.StatusBadRequest || c.who.cookies[sessionCookie] != "" {
			t.Errorf("%s: got %d", c.what, a.StatusCode)
		}
	}
	if a, text := ada.back(asked); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("its own: %d %s", a.StatusCode, text)
	}
	if a, _ := ada.back(asked); a.StatusCode != http.StatusBadRequest {
		t.Errorf("twice: %d", a.StatusCode)
	}
	for what, change := range map[string][]any{
		"another nonce": {"nonce", "x"}, "another audience": {"aud", "other"}, "another issuer's": {"iss", "https://evil.example"}, "over": {"exp", time.Now().Add(-time.Minute).Unix()},
	} {
		asked := eve.sent("")
		s.claims = s.with(append([]any{"nonce", asked.Get("nonce")}, change...)...)
		if a, _ := eve.back(asked); a.StatusCode != http.StatusBadGateway || eve.cookies[sessionCookie] != "" {
			t.Errorf("a token %s: got %d", what, a.StatusCode)
		}
	}
	for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "javascript:alert(1)", "/\t/evil.example", ""} {
		if got := path(next); got != "/rooms" {
			t.Errorf("%q leads to %q", next, got)
		}
	}
}

func TestARoomIsDeletedByAFreshSignInForIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.browser()
	ada.signsIn("")
	garden, cellar := ada.room(), ada.room()
	refused := ada.want("DELETE", "/api/rooms/"+garden, "", http.StatusUnauthorized, "step_up_required")
	act := "?act=" + url.QueryEscape("delete-room "+garden)
	if !strings.Contains(refused, act) {
		t.Errorf("told to go to %s", refused)
	}
	asked := ada.sent(act)
	if asked.Get("max_age") != "0" {
		t.Errorf("asked %v", asked)
	}
	s.claims = s.with("nonce", asked.Get("nonce"), "auth_time", time.Now().Add(-time.Minute).Unix())
	if a, _ := ada.back(asked); a.StatusCode != http.StatusBadGateway { // the issuer was asked for a fresh one
		t.Errorf("an old sign-in: %d", a.StatusCode)
	}
	ada.want("DELETE", "/api/rooms/"+garden, "", http.StatusUnauthorized, "step_up_required")
	line := ada.listens(garden)
	ada.signsIn(act)
	ada.want("DELETE", "/api/rooms/"+cellar, "", http.StatusUnauthorized, "step_up_required")
	ada.want("DELETE", "/api/rooms/"+garden, "", http.StatusNoContent, "")
	var told map[string]any
	if err := line.ReadJSON(&told); err != nil || told["deleted"] != true { // its socket outlived the step-up
		t.Errorf("told %v; %v", told, err)
	}
	ada.want("DELETE", "/api/rooms/"+garden, "", http.StatusUnauthorized, "step_up_required") // once
	ada.want("GET", "/api/rooms/"+garden+"/messages", "", http.StatusNotFound, "not_found")

	eve := s.browser()
	eve.signsIn("?act="+url.QueryEscape("delete-room "+cellar), "sub", "eve", "sid", "session-2")
	eve.want("DELETE", "/api/rooms/"+cellar, "", http.StatusForbidden, "forbidden")
	mod := s.browser()
	mod.signsIn("?act="+url.QueryEscape("delete-room "+cellar), "sub", "mod", "sid", "session-3", "roles", []string{"moderator"})
	mod.want("DELETE", "/api/rooms/"+cellar, "", http.StatusNoContent, "")
	if a, _ := ada.do("POST", "/api/rooms", `{"name":"x"}`, "Sec-Fetch-Site", "cross-site"); a.StatusCode != http.StatusForbidden {
		t.Errorf("a write of another site: %d", a.StatusCode)
	}
	for _, bad := range []string{``, `{}`, `{"name":"  "}`, `{"name":"` + strings.Repeat("x", 61) + `"}`, `[]`} {
		ada.want("POST", "/api/rooms", bad, http.StatusBadRequest, "invalid_request")
	}
}

// What ends sessions is a logout token for this app, once, and nothing else that the
// issuer signs.
func TestAttackLogoutTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.browser()
	ada.signsIn("")
	room := ada.room()
	line := ada.listens(room)
	elsewhere := s.browser()
	elsewhere.signsIn("", "sid", "session-9")
	told := func(typ string, change ...any) int {
		now := time.Now()
		claims := map[string]any{
			"iss": s.issuer, "aud": "chat", "sub": "ada", "sid": "session-1", "jti": "j-1", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
			"events": map[string]any{logoutEvent: struct{}{}},
		}
		for i := 0; i < len(change); i += 2 {
			if claims[change[i].(string)] = change[i+1]; change[i+1] == nil {
				delete(claims, change[i].(string))
			}
		}
		body := url.Values{"logout_token": {s.sign(typ, claims)}}
		a, _ := s.browser().do("POST", "/logout/backchannel", body.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		return a.StatusCode
	}
	for what, got := range map[string]int{
		"an ID token": told("JWT"), "an access token": told("at+jwt"), "another app's": told("logout+jwt", "aud", "other"), "another issuer's": told("logout+jwt", "iss", "https://evil.example"),
		"no event": told("logout+jwt", "events", nil), "a nonce": told("logout+jwt", "nonce", "n"), "no jti": told("logout+jwt", "jti", nil),
		"of nobody": told("logout+jwt", "sid", nil, "sub", nil), "over": told("logout+jwt", "exp", time.Now().Add(-time.Minute).Unix()),
		"old": told("logout+jwt", "iat", time.Now().Add(-time.Hour).Unix()),
	} {
		if got != http.StatusBadRequest {
			t.Errorf("%s: got %d", what, got)
		}
	}
	a, _ := s.browser().do("POST", "/logout/backchannel", "logout_token=x", "Content-Type", "application/x-www-form-urlencoded")
	if a.StatusCode != http.StatusBadRequest {
		t.Errorf("nothing: %d", a.StatusCode)
	}
	ada.want("GET", "/api/me", "", http.StatusOK, "Ada")

	if got := told("logout+jwt"); got != http.StatusOK {
		t.Fatalf("a good one: %d", got)
	}
	if _, _, err := line.ReadMessage(); !websocket.IsCloseError(err, signedOut) {
		t.Errorf("the socket: %v", err)
	}
	ada.want("GET", "/api/me", "", http.StatusUnauthorized, "sign_in_required")
	elsewhere.want("GET", "/api/me", "", http.StatusOK, "Ada") // another session of hers
	ada.signsIn("")
	if got := told("logout+jwt"); got != http.StatusBadRequest { // it came before
		t.Errorf("twice: %d", got)
	}
	ada.want("GET", "/api/me", "", http.StatusOK, "Ada")
	if got := told("logout+jwt", "jti", "j-2", "sid", nil); got != http.StatusOK { // all of hers
		t.Errorf("by sub: %d", got)
	}
	for _, b := range []*browser{ada, elsewhere} {
		b.want("GET", "/api/me", "", http.StatusUnauthorized, "sign_in_required")
	}
}

func TestSigningOutGoesOnAtTheIssuer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.browser()
	ada.signsIn("")
	copied := &browser{s, map[string]string{sessionCookie: ada.cookies[sessionCookie]}}
	a, _ := ada.do("POST", "/sign-out", "")
	to, err := a.Location()
	if err != nil || to.Path != "/end" || to.Query().Get("id_token_hint") == "" || to.Query().Get("post_logout_redirect_uri") != s.url+"/" {
		t.Errorf("led to %v; %v", to, err)
	}
	copied.want("GET", "/api/me", "", http.StatusUnauthorized, "sign_in_required")
}

func TestATokenForAChatService(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.browser()
	ada.signsIn("")
	ada.want("POST", "/api/stream-token", "", http.StatusNotFound, "not_found")
	s.stream = streamKeys{key: "k", secret: strings.Repeat("s", 32)}
	ada.want("POST", "/api/stream-token", "", http.StatusOK, "ada") // its signature is looked at in the browser tests
	s.browser().want("POST", "/api/stream-token", "", http.StatusUnauthorized, "sign_in_required")
}
