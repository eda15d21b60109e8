package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/sallyport/sallyport/models"
	"golang.org/x/oauth2"
)

const verifier = "a-verifier-that-is-long-enough-for-rfc-7636-to-take-it"

const callback = "https://chat.example.com/callback"

// newApp registers an app and gives its secret.
func (s *site) newApp(a models.App) string {
	s.t.Helper()
	a = a.WithDefaults()
	if problems := a.Check(); len(problems) > 0 {
		s.t.Fatal(problems)
	}
	secret, err := s.CreateApp(context.Background(), models.Ref{}, a, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return secret
}

// chatApp is the site's own app, which may do everything.
func (s *site) chatApp(change ...func(*models.App)) string {
	a := models.App{
		ID: "chat", Name: "Chat", FirstParty: true, RedirectURIs: []string{callback}, PostLogoutRedirectURIs: []string{"https://chat.example.com/"},
		Scopes: []string{"openid", "profile", "email", "groups", "offline_access"}, ResponseTypes: []string{"code", "id_token"},
	}
	for _, c := range change {
		c(&a)
	}
	return s.newApp(a)
}

// asks is an authorization request with PKCE.
func asks(client, redirect string, more ...string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	v := url.Values{
		"client_id": {client}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s-1"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		if v.Set(more[i], more[i+1]); more[i+1] == "" {
			v.Del(more[i])
		}
	}
	return v
}

var waitingID = regexp.MustCompile(`/authorize/([0-9a-f-]{36})|data-authorize="([0-9a-f-]{36})"`)

// waitingIn finds the request that waits in a page or a redirect.
func waitingIn(a *answer) string {
	a.t.Helper()
	text, _ := url.QueryUnescape(a.Header.Get("Location"))
	m := waitingID.FindStringSubmatch(text + string(a.Raw))
	if m == nil {
		a.t.Fatalf("%s: nothing waits: %d %s %s", a.what, a.Status, a.Header.Get("Location"), a.Raw)
	}
	return m[1] + m[2]
}

// authorize sends a browser with a request, and reads what it would bring back to the app.
func (b *browser) authorize(v url.Values) url.Values {
	b.t.Helper()
	return b.get("/oauth/authorize?" + v.Encode()).back()
}

// back reads a redirect to the app.
func (a *answer) back() url.Values {
	a.t.Helper()
	to, err := url.Parse(a.Header.Get("Location"))
	if a.Status != 303 || err != nil || to.Host == "" {
		a.t.Fatalf("%s: got %d to %q, want an answer for the app\n%.300s", a.what, a.Status, a.Header.Get("Location"), a.Raw)
	}
	params := to.Query()
	if to.Fragment != "" {
		params, _ = url.ParseQuery(to.Fragment)
	}
	if params.Get("iss") != origin {
		a.t.Errorf("%s: an answer that doesn't say whose it is: %s", a.what, to)
	}
	return params
}

// shows tells whether a page says something.
func (a *answer) shows(words string) *answer {
	a.t.Helper()
	if !strings.Contains(string(a.Raw), words) {
		a.t.Errorf("%s: it doesn't say %q\n%.2000s", a.what, words, a.Raw)
	}
	return a
}

// exchange posts a form as an app.
func (s *site) exchange(path, client, secret string, form url.Values) *answer {
	s.t.Helper()
	b := &browser{site: s, t: s.t, header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}
	if secret != "" {
		b.header["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(client)+":"+url.QueryEscape(secret)))
	} else if client != "" {
		form.Set("client_id", client)
	}
	return b.do("POST", path, formOf(form))
}

func formOf(v url.Values) form { return form{"application/x-www-form-urlencoded", []byte(v.Encode())} }

// redeem takes a code for tokens.
func (s *site) redeem(client, secret, code string, more ...string) *answer {
	s.t.Helper()
	v := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return s.exchange("/oauth/token", client, secret, v)
}

func (s *site) refresh(client, secret, token string) *answer {
	s.t.Helper()
	return s.exchange("/oauth/token", client, secret, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// userinfo asks who a token is of.
func (s *site) userinfo(token string) *answer {
	s.t.Helper()
	b := &browser{site: s, t: s.t, header: map[string]string{"Authorization": "Bearer " + token}}
	return b.get("/oauth/userinfo")
}

// claimsOf reads a JWT without a look at its signature.
func claimsOf(t testing.TB, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// RoundTrip lets clients that we didn't write talk to the site.
func (s *site) RoundTrip(r *http.Request) (*http.Response, error) {
	return s.server.App().Test(r, -1)
}

// The client is coreos/go-oidc with golang.org/x/oauth2, as Go programs use them.
func TestAnAppOfGoSignsPeopleIn(t *testing.T) {
	t.Parallel()
	for _, kind := range []struct{ alg, format string }{{"RS256", "opaque"}, {"ES256", "jwt"}} {
		s := newSite(t)
		secret := s.chatApp(func(a *models.App) { a.IDTokenAlg, a.TokenFormat = kind.alg, kind.format })
		ada := s.withTOTP("ada")
		if err := s.SetGroup(t.Context(), "ada", "staff", true); err != nil {
			t.Fatal(err)
		}
		ctx := oidc.ClientContext(t.Context(), &http.Client{Transport: s})
		provider, err := oidc.NewProvider(ctx, origin)
		if err != nil {
			t.Fatal(err)
		}
		config := oauth2.Config{ClientID: "chat", ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: callback, Scopes: []string{"openid", "profile", "email", "groups", "offline_access"}}
		v := oauth2.GenerateVerifier()
		to, err := url.Parse(config.AuthCodeURL("the-state", oauth2.S256ChallengeOption(v), oidc.Nonce("the-nonce")))
		if err != nil {
			t.Fatal(err)
		}
		back := ada.authorize(to.Query())
		if back.Get("state") != "the-state" {
			t.Fatalf("%s: back with %v", kind.alg, back)
		}
		tokens, err := config.Exchange(ctx, back.Get("code"), oauth2.VerifierOption(v))
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := tokens.Extra("id_token").(string)
		id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: "chat", Now: s.Clock.Now, SupportedSigningAlgs: []string{kind.alg}}).Verify(ctx, raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := id.VerifyAccessToken(tokens.AccessToken); err != nil {
			t.Error(err)
		}
		var claims struct {
			ACR    string   `json:"acr"`
			AMR    []string `json:"amr"`
			SID    string   `json:"sid"`
			Name   string   `json:"preferred_username"`
			Email  string   `json:"email"`
			Groups []string `json:"groups"`
			Auth   int64    `json:"auth_time"`
		}
		if err := id.Claims(&claims); err != nil {
			t.Fatal(err)
		}
		if id.Nonce != "the-nonce" || claims.ACR != "aal2" || claims.SID == "" || claims.Name != "ada" || claims.Email != "ada@example.com" ||
			len(claims.Groups) != 1 || claims.Groups[0] != "staff" || claims.Auth == 0 || strings.Join(claims.AMR, " ") != "pwd otp mfa" {
			t.Errorf("%s: %+v", kind.alg, claims)
		}
		user, err := provider.UserInfo(ctx, config.TokenSource(ctx, tokens))
		if err != nil || user.Subject != id.Subject || user.Email != "ada@example.com" {
			t.Errorf("%s: userinfo %+v, %v", kind.alg, user, err)
		}
		s.Clock.Advance(20 * time.Minute) // the access token is over
		s.userinfo(tokens.AccessToken).want(401)
		fresh := s.refresh("chat", secret, tokens.RefreshToken).want(200)
		again := claimsOf(t, fresh.text("id_token"))
		if again["acr"] != "aal2" || again["sid"] != claims.SID || int64(again["auth_time"].(float64)) != claims.Auth {
			t.Errorf("%s: a refresh says %v", kind.alg, again)
		}
		access := fresh.text("access_token")
		if kind.format == "jwt" {
			if c := claimsOf(t, access); c["aud"].([]any)[0] != "chat" || c["jti"] == "" || c["exp"].(float64)-c["iat"].(float64) != 600 {
				t.Errorf("access token %v", c)
			}
		}
		told := s.exchange("/oauth/introspect", "chat", secret, url.Values{"token": {access}}).want(200)
		if told.Body["active"] != true || told.Body["sub"] != id.Subject || told.Body["acr"] != "aal2" {
			t.Errorf("%s: introspection %v", kind.alg, told.Body)
		}
		s.exchange("/oauth/revoke", "chat", secret, url.Values{"token": {access}}).want(200)
		s.userinfo(access).want(401)
		if told := s.exchange("/oauth/introspect", "chat", secret, url.Values{"token": {access}}).want(200); told.Body["active"] != false {
			t.Errorf("%s: a revoked token is %v", kind.alg, told.Body)
		}
	}
}

func TestAPersonSignsInOnTheWayToAnApp(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.chatApp()
	ada := s.withTOTP("ada")
	visitor := s.browser()
	first := visitor.get("/oauth/authorize?" + asks("chat", callback, "login_hint", "ada").Encode()).want(303)
	here := "/authorize/" + waitingIn(first)
	if to := first.Header.Get("Location"); !strings.HasPrefix(to, "/login?next=") || !strings.Contains(to, "hint=ada") {
		t.Errorf("sent to %s", to)
	}
	if page := visitor.get(first.Header.Get("Location")).want(200); !strings.Contains(string(page.Raw), `value="ada"`) {
		t.Error("the hint is not in the field")
	}
	// Whoever is handed the address has another browser.
	ada.get(here).want(404)
	visitor.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
	if to := visitor.get(here).want(303).Header.Get("Location"); !strings.HasPrefix(to, "/verify?next=") {
		t.Errorf("at level 1 sent to %s", to)
	}
	s.nextStep()
	visitor.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
	if visitor.get(here).back().Get("code") == "" {
		t.Error("no code after signing in")
	}
	visitor.get(here).want(404) // it was used
}

func TestAnAppOfOthersAsksFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp(func(a *models.App) { a.FirstParty = false })
	ada := s.withTOTP("ada")
	v := asks("chat", callback, "scope", "openid email")
	if got := ada.authorize(asks("chat", callback, "prompt", "none")).Get("error"); got != "consent_required" {
		t.Errorf("silently: %s", got)
	}
	page := ada.get("/oauth/authorize?" + v.Encode()).want(200)
	if !strings.Contains(string(page.Raw), "Your email address") || strings.Contains(string(page.Raw), "groups you") {
		t.Error("the page doesn't say what the app would know")
	}
	id := waitingIn(page)
	eve := s.withTOTP("eve")
	eve.post("/v1/authorizations/"+id, map[string]any{"decision": "allow"}).want(404)
	ada.post("/v1/authorizations/"+id, map[string]any{"decision": "deny"}).want(204)
	if got := ada.get("/authorize/" + id).back().Get("error"); got != "access_denied" {
		t.Errorf("denied: %s", got)
	}
	id = waitingIn(ada.get("/oauth/authorize?" + v.Encode()))
	ada.post("/v1/authorizations/"+id, map[string]any{"decision": "allow"}).want(204)
	s.redeem("chat", secret, ada.get("/authorize/"+id).back().Get("code")).want(200)
	if ada.authorize(v).Get("code") == "" || ada.authorize(asks("chat", callback, "prompt", "none")).Get("code") == "" {
		t.Error("asked again for less than was allowed")
	}
	waitingIn(ada.get("/oauth/authorize?" + asks("chat", callback, "scope", "openid email groups").Encode()).want(200))
	ada.delete("/v1/me/apps/chat").want(204)
	waitingIn(ada.get("/oauth/authorize?" + v.Encode()).want(200))
}

func TestAFreshSignInIsAskedForAndGiven(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp()
	ada := s.withTOTP("ada")
	s.Clock.Advance(10 * time.Minute)
	for _, more := range [][]string{{"prompt", "login"}, {"max_age", "60"}, {"max_age", "0"}} {
		asked := s.Clock.Now()
		first := ada.get("/oauth/authorize?" + asks("chat", callback, more...).Encode()).want(303)
		here := "/authorize/" + waitingIn(first)
		if to := first.Header.Get("Location"); !strings.HasPrefix(to, "/confirm?next=") {
			t.Fatalf("%v: sent to %s", more, to)
		}
		ada.get(here).want(303)
		// One factor alone makes no sign-in of two young.
		s.nextStep()
		ada.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
		if to := ada.get(here).want(303).Header.Get("Location"); !strings.HasPrefix(to, "/confirm") {
			t.Fatalf("%v: a code alone leads to %s", more, to)
		}
		ada.prove("authenticate", "")
		ada.post("/v1/session/confirm", map[string]any{}).want(204)
		tokens := s.redeem("chat", secret, ada.get(here).back().Get("code")).want(200)
		if at := int64(claimsOf(t, tokens.text("id_token"))["auth_time"].(float64)); at < asked.Unix() {
			t.Errorf("%v: authenticated %d, asked %d", more, at, asked.Unix())
		}
		s.Clock.Advance(10 * time.Minute)
	}
	if got := ada.authorize(asks("chat", callback, "max_age", "60", "prompt", "none")).Get("error"); got != "login_required" {
		t.Errorf("silently: %s", got)
	}
	if ada.authorize(asks("chat", callback, "max_age", "10000", "prompt", "none")).Get("code") == "" {
		t.Error("a young sign-in is not young enough")
	}
}

func TestAnIDTokenComesByForm(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.chatApp()
	ada := s.withTOTP("ada")
	v := asks("chat", callback, "response_type", "id_token", "response_mode", "form_post", "nonce", "n-1", "code_challenge", "", "code_challenge_method", "")
	page := ada.get("/oauth/authorize?" + v.Encode()).want(200)
	token := regexp.MustCompile(`name="id_token" value="([^"]+)"`).FindSubmatch(page.Raw)
	if token == nil || !strings.Contains(string(page.Raw), `action="`+callback+`"`) || !strings.Contains(page.Header.Get("Content-Security-Policy"), "form-action *") {
		t.Fatalf("%s", page.Raw)
	}
	if c := claimsOf(t, string(token[1])); c["nonce"] != "n-1" || c["aud"] != "chat" {
		t.Errorf("claims %v", c)
	}
	v.Del("nonce")
	if page := ada.get("/oauth/authorize?" + v.Encode()).want(200); !strings.Contains(string(page.Raw), `value="invalid_request"`) {
		t.Error("an ID token without a nonce, or an error that comes another way")
	}
	v.Set("nonce", "n")
	v.Set("response_mode", "query")
	if to := ada.get("/oauth/authorize?" + v.Encode()).want(303).Header.Get("Location"); !strings.Contains(to, "#") || strings.Contains(to, "id_token=") {
		t.Errorf("a token in a query: %s", to)
	}
}

func TestAPushedRequestIsUsedOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp()
	s.newApp(models.App{ID: "other", Name: "Other", FirstParty: true, RedirectURIs: []string{callback}})
	ada := s.withTOTP("ada")
	s.exchange("/oauth/par", "chat", "wrong", asks("chat", callback)).want(401)
	s.exchange("/oauth/par", "chat", secret, asks("chat", "https://evil.example/cb")).want(400)
	push := func() string {
		return s.exchange("/oauth/par", "chat", secret, asks("chat", callback)).want(201).text("request_uri")
	}
	at := func(client, uri string) *answer {
		return ada.get("/oauth/authorize?" + url.Values{"client_id": {client}, "request_uri": {uri}}.Encode())
	}
	uri := push()
	at("other", uri).want(400)
	if at("chat", uri).back().Get("code") == "" {
		t.Error("no code")
	}
	at("chat", uri).want(400)
	uri = push()
	visitor := url.Values{"client_id": {"chat"}, "request_uri": {uri}}.Encode()
	s.browser().get("/oauth/authorize?" + visitor).want(303) // signs in first
	at("chat", uri).want(400)                                // another browser
	uri = push()
	s.Clock.Advance(2 * time.Minute)
	at("chat", uri).want(400)
}

func TestSigningOutAtAnApp(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp(func(a *models.App) { a.FrontchannelLogoutURI = "https://chat.example.com/out" })
	ada := s.withTOTP("ada")
	tokens := s.redeem("chat", secret, ada.authorize(asks("chat", callback)).Get("code")).want(200)
	hint := tokens.text("id_token")
	for _, uri := range []string{"https://evil.example/", "https://chat.example.com", "https://chat.example.com/?x", "https://chat.example.com/#x", "//chat.example.com/", "https://chat.example.com@evil.example/"} {
		ada.get("/oauth/end-session?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {uri}}.Encode()).want(400)
	}
	// Without its token, or with another session's, the person is asked.
	for _, v := range []url.Values{{}, {"client_id": {"chat"}, "post_logout_redirect_uri": {"https://chat.example.com/"}}} {
		if page := ada.get("/oauth/end-session?" + v.Encode()).want(200); !strings.Contains(string(page.Raw), "Sign out?") {
			t.Error("nobody is asked")
		}
	}
	ada.get("/v1/session").want(200)
	page := ada.get("/oauth/end-session?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://chat.example.com/"}, "state": {"x"}}.Encode()).want(200)
	if !strings.Contains(string(page.Raw), "https://chat.example.com/out?iss=") || !strings.Contains(page.Header.Get("Content-Security-Policy"), "frame-src https://chat.example.com") ||
		!strings.Contains(string(page.Raw), `href="https://chat.example.com/?state=x"`) {
		t.Errorf("%s", page.Raw)
	}
	ada.get("/v1/session").want(401)
	s.userinfo(tokens.text("access_token")).want(401)
	var told int
	if err := s.Pool.QueryRow(t.Context(), `SELECT count(*) FROM grants`).Scan(&told); err != nil || told != 0 {
		t.Errorf("%d grants live on; %v", told, err)
	}
}

func TestAnAppByItself(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.newApp(models.App{ID: "robot", Name: "Robot", GrantTypes: []models.GrantType{models.GrantClientCredentials}, Scopes: []string{"metrics"}})
	tokens := s.exchange("/oauth/token", "robot", secret, url.Values{"grant_type": {"client_credentials"}, "scope": {"metrics"}}).want(200)
	s.userinfo(tokens.text("access_token")).want(401)
	if told := s.exchange("/oauth/introspect", "robot", secret, url.Values{"token": {tokens.text("access_token")}}).want(200); told.Body["active"] != true || told.Body["sub"] != "robot" {
		t.Errorf("%v", told.Body)
	}
	for _, scope := range []string{"openid", "other"} {
		s.exchange("/oauth/token", "robot", secret, url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}).want(400)
	}
}

func TestScriptsOfOtherOriginsMayTalkToTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := &browser{site: s, t: t, header: map[string]string{"Origin": "https://spa.example.com", "Sec-Fetch-Site": "cross-site", "Access-Control-Request-Method": "POST"}}
	if got := b.do("OPTIONS", "/oauth/token", nil).Header.Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("allowed: %q", got)
	}
	for _, path := range []string{"/.well-known/openid-configuration", "/oauth/keys"} {
		if a := b.get(path).want(200); a.Header.Get("Access-Control-Allow-Origin") != "*" || a.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", path, a.Header)
		}
	}
}

// What an app may have is looked at whenever it asks, not when it was given.
func TestWhoMayNoLongerSignInIsNotToldOf(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp(func(a *models.App) { a.Groups = []string{"staff"} })
	ada := s.withTOTP("ada")
	if got := ada.authorize(asks("chat", callback)).Get("error"); got != "access_denied" {
		t.Errorf("before: %q", got)
	}
	if err := s.SetGroup(t.Context(), "ada", "staff", true); err != nil {
		t.Fatal(err)
	}
	access, refresh := s.family(secret, ada)
	code := ada.authorize(asks("chat", callback)).Get("code")
	s.userinfo(access).want(200)
	if err := s.SetGroup(t.Context(), "ada", "staff", false); err != nil {
		t.Fatal(err)
	}
	s.userinfo(access).want(401)
	if told := s.exchange("/oauth/introspect", "chat", secret, url.Values{"token": {access}}).want(200); told.Body["active"] != false {
		t.Errorf("introspection: %v", told.Body)
	}
	s.redeem("chat", secret, code).want(400)
	s.refresh("chat", secret, refresh).want(400)
}

// Records out of reach are 503, never a reason for an app to sign somebody out.
func TestAppsOfTheProviderWaitForTheRecords(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp()
	ada := s.withTOTP("ada")
	access, refresh := s.family(secret, ada)
	code := ada.authorize(asks("chat", callback)).Get("code")
	s.Pool.Close()
	for _, a := range []*answer{
		s.userinfo(access), s.redeem("chat", secret, code), s.refresh("chat", secret, refresh),
		s.exchange("/oauth/introspect", "chat", secret, url.Values{"token": {access}}), s.exchange("/oauth/par", "chat", secret, asks("chat", callback)),
		ada.get("/oauth/authorize?" + asks("chat", callback, "prompt", "none").Encode()), ada.get("/oauth/end-session"),
	} {
		if a.Status != http.StatusServiceUnavailable || len(a.Header.Values("Set-Cookie")) > 0 {
			t.Errorf("%s: got %d %s", a.what, a.Status, a.Raw)
		}
	}
}
