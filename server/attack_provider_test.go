package server_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

func (s *site) family(secret string, p *person) (access, refresh string) {
	s.t.Helper()
	code := p.authorize(asks("chat", callback, "scope", "openid offline_access")).Get("code")
	tokens := s.redeem("chat", secret, code).want(200)
	return tokens.text("access_token"), tokens.text("refresh_token")
}

// race has 20 bring one thing at once: one gets tokens at most, and they are dead.
func (s *site) race(secret string, bring func() *answer) {
	s.t.Helper()
	answers := make(chan *answer, 20)
	counts := parallel(20, func(int) *answer {
		a := bring()
		answers <- a
		return a
	})
	close(answers)
	if counts[200] > 1 || counts[200]+counts[400] != 20 {
		s.t.Errorf("answers %v", counts)
	}
	for a := range answers {
		if a.Status == 200 {
			s.userinfo(a.text("access_token")).want(401)
			s.refresh("chat", secret, a.text("refresh_token")).want(400)
		}
	}
}

// Of 20 who bring one code at once one gets tokens at most, and those are dead afterwards.
func TestAttackCodeReplay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp()
	ada := s.withTOTP("ada")
	code := ada.authorize(asks("chat", callback, "scope", "openid offline_access")).Get("code")
	s.race(secret, func() *answer { return s.redeem("chat", secret, code) })
	if s.facts("code_reused") != 1 {
		t.Errorf("recorded %d times", s.facts("code_reused"))
	}
	late := ada.authorize(asks("chat", callback)).Get("code")
	s.Clock.Advance(61 * time.Second)
	s.redeem("chat", secret, late).want(400)
}

// A code in wrong hands opens nothing there, and nothing any more in the right ones.
func TestAttackStolenCode(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp()
	other := s.newApp(models.App{ID: "other", Name: "Other", FirstParty: true, RedirectURIs: []string{callback}})
	ada := s.withTOTP("ada")
	for what, steal := range map[string]func(code string) *answer{
		"another client": func(code string) *answer { return s.redeem("other", other, code) },
		"another verifier": func(code string) *answer {
			return s.redeem("chat", secret, code, "code_verifier", strings.Repeat("x", 43))
		},
		"no verifier":          func(code string) *answer { return s.redeem("chat", secret, code, "code_verifier", "") },
		"another redirect_uri": func(code string) *answer { return s.redeem("chat", secret, code, "redirect_uri", callback+"/") },
	} {
		code := ada.authorize(asks("chat", callback)).Get("code")
		if a := steal(code); a.Status != 400 || a.text("error") != "invalid_grant" {
			t.Errorf("%s: %d %s", what, a.Status, a.Raw)
		}
		if a := s.redeem("chat", secret, code); a.Status != 400 {
			t.Errorf("after %s the code is still good", what)
		}
	}
	code := ada.authorize(asks("chat", callback)).Get("code")
	s.redeem("chat", "wrong", code).want(401)
	s.redeem("chat", "", code).want(401)
	s.redeem("chat", secret, code).want(200) // who could not show to be the app has not used it up
}

func TestAttackPKCEDowngrade(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp()
	old := s.newApp(models.App{ID: "old", Name: "Old", FirstParty: true, PKCEOptional: true, RedirectURIs: []string{callback}})
	ada := s.withTOTP("ada")
	for _, more := range [][]string{
		{"code_challenge", "", "code_challenge_method", ""}, {"code_challenge_method", "plain"}, {"code_challenge_method", ""}, {"code_challenge", "short"},
	} {
		if got := ada.authorize(asks("chat", callback, more...)).Get("error"); got != "invalid_request" {
			t.Errorf("%v: %q", more, got)
		}
	}
	for _, more := range [][]string{{"code_challenge_method", "plain"}, {"code_challenge", ""}} {
		if got := ada.authorize(asks("old", callback, more...)).Get("error"); got != "invalid_request" {
			t.Errorf("where it is optional, %v: %q", more, got)
		}
	}
	// The challenge was taken out on the way, the app sends its verifier all the same.
	code := ada.authorize(asks("old", callback, "code_challenge", "", "code_challenge_method", "")).Get("code")
	s.redeem("old", old, code).want(400)
	code = ada.authorize(asks("old", callback, "code_challenge", "", "code_challenge_method", "")).Get("code")
	s.redeem("old", old, code, "code_verifier", "").want(200)
	_ = secret
}

// Of 20 who bring one refresh token at once one gets a new one at most, and it is dead.
func TestAttackRefreshRace(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp()
	ada := s.withTOTP("ada")
	access, refresh := s.family(secret, ada)
	s.race(secret, func() *answer { return s.refresh("chat", secret, refresh) })
	s.userinfo(access).want(401)
	if s.facts("refresh_token_reused") != 1 {
		t.Errorf("recorded %d times", s.facts("refresh_token_reused"))
	}
	ada.get("/v1/session").want(200) // the person is not signed out for it
}

func TestAttackAnOldRefreshToken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp(func(a *models.App) { a.RefreshIdle = models.Duration(15 * time.Minute) })
	other := s.newApp(models.App{ID: "other", Name: "Other", FirstParty: true, RedirectURIs: []string{callback}})
	ada := s.withTOTP("ada")
	_, first := s.family(secret, ada)
	second := s.refresh("chat", secret, first).want(200).text("refresh_token")
	s.refresh("chat", secret, first).want(400)
	s.refresh("chat", secret, second).want(400)

	_, mine := s.family(secret, ada)
	s.refresh("other", other, mine).want(400)
	s.refresh("chat", secret, mine).want(400) // it was in wrong hands

	_, idle := s.family(secret, ada)
	s.Clock.Advance(16 * time.Minute)
	s.refresh("chat", secret, idle).want(400)
}

// What a session gave ends with it, whatever ends it; and with what guards the account.
func TestAttackTokensOutliveNothing(t *testing.T) {
	t.Parallel()
	for what, end := range map[string]func(*site, *person){
		"signing out":           func(_ *site, p *person) { p.delete("/v1/session").want(204) },
		"signing out elsewhere": func(s *site, p *person) { p.goBack().delete("/v1/me/sessions").want(204) },
		"another password": func(_ *site, p *person) {
			p.prove("change_password", "")
			p.post("/v1/me/password", map[string]any{"current": password, "new": "another horse battery"}).want(204)
		},
		"the idle end": func(s *site, _ *person) { s.Clock.Advance(61 * time.Minute) },
		"a stricter policy": func(s *site, _ *person) {
			s.Clock.Advance(9 * time.Minute)
			s.force(func(p *models.Policy) { p.Timeouts.Idle = models.Duration(5 * time.Minute) })
		},
		"the end of the app":   func(s *site, _ *person) { _ = s.DeleteApp(s.t.Context(), models.Ref{}, "chat", nil) },
		"shutting the app out": func(_ *site, p *person) { p.delete("/v1/me/apps/chat").want(204) },
		"revoking the refresh": nil,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			secret := s.chatApp(func(a *models.App) { a.TokenLifetime = models.Duration(15 * time.Minute) })
			ada := s.withTOTP("ada")
			access, refresh := s.family(secret, ada)
			code := ada.authorize(asks("chat", callback)).Get("code")
			s.userinfo(access).want(200)
			if end == nil {
				s.exchange("/oauth/revoke", "chat", secret, url.Values{"token": {refresh}}).want(200)
				s.userinfo(access).want(401)
				s.refresh("chat", secret, refresh).want(400)
				return
			}
			end(s, ada)
			if a := s.userinfo(access); a.Status != 401 {
				t.Errorf("the access token lives: %d", a.Status)
			}
			if a := s.refresh("chat", secret, refresh); a.Status != 400 && a.Status != 401 {
				t.Errorf("the refresh token lives: %d", a.Status)
			}
			if a := s.redeem("chat", secret, code); a.Status != 400 && a.Status != 401 {
				t.Errorf("the code lives: %d", a.Status)
			}
		})
	}
}

// Signed tokens that were not signed here, or for something else.
func TestAttackTokenConfusion(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp(func(a *models.App) { a.TokenFormat = "jwt" })
	ada := s.withTOTP("ada")
	tokens := s.redeem("chat", secret, ada.authorize(asks("chat", callback)).Get("code")).want(200)
	access, id := tokens.text("access_token"), tokens.text("id_token")
	s.userinfo(access).want(200)
	keys := s.browser().get("/oauth/keys").want(200).Body["keys"].([]any)
	public, err := json.Marshal(keys[0])
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	parts := strings.Split(access, ".")
	head := func(change func(map[string]any)) string {
		raw, _ := base64.RawURLEncoding.DecodeString(parts[0])
		var h map[string]any
		if err := json.Unmarshal(raw, &h); err != nil {
			t.Fatal(err)
		}
		change(h)
		out, _ := json.Marshal(h)
		return b64(out)
	}
	hs := func(key []byte, change func(map[string]any)) string {
		signed := head(change) + "." + parts[1]
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(signed))
		return signed + "." + b64(mac.Sum(nil))
	}
	other := ""
	for _, k := range keys {
		if kid := k.(map[string]any)["kid"].(string); !strings.Contains(head(func(map[string]any) {}), kid) && k.(map[string]any)["alg"] != "RS256" {
			other = kid
		}
	}
	for what, token := range map[string]string{
		"none":                       head(func(h map[string]any) { h["alg"] = "none" }) + "." + parts[1] + ".",
		"none, signature kept":       head(func(h map[string]any) { h["alg"] = "none" }) + "." + parts[1] + "." + parts[2],
		"the public key as a secret": hs(public, func(h map[string]any) { h["alg"] = "HS256" }),
		"the modulus as a secret":    hs([]byte(keys[0].(map[string]any)["kid"].(string)), func(h map[string]any) { h["alg"] = "HS256" }),
		"another key's id":           head(func(h map[string]any) { h["kid"] = other }) + "." + parts[1] + "." + parts[2],
		"no key's id":                head(func(h map[string]any) { delete(h, "kid") }) + "." + parts[1] + "." + parts[2],
		"a key of its own":           head(func(h map[string]any) { h["jwk"] = keys[0]; h["kid"] = "x" }) + "." + parts[1] + "." + parts[2],
		"an address of keys":         head(func(h map[string]any) { h["jku"] = "https://evil.example/keys"; h["kid"] = "../../etc/passwd" }) + "." + parts[1] + "." + parts[2],
		"an ID token":                id,
		"somebody else's name in it": parts[0] + "." + b64([]byte(strings.Replace(string(unb64(t, parts[1])), `"sub":"`, `"sub":"x`, 1))) + "." + parts[2],
		"another payload":            parts[0] + "." + b64([]byte(`{"jti":"x"}`)) + "." + parts[2],
		"nothing":                    "..",
	} {
		if a := s.userinfo(token); a.Status != 401 {
			t.Errorf("%s: userinfo answers %d", what, a.Status)
		}
		if a := s.exchange("/oauth/introspect", "chat", secret, url.Values{"token": {token}}); a.Status != 200 || a.Body["active"] != false {
			t.Errorf("%s: introspection answers %d %s", what, a.Status, a.Raw)
		}
	}
	for what, hint := range map[string]string{"an access token": access, "none": head(func(h map[string]any) { h["alg"] = "none" }) + "." + parts[1] + "."} {
		ada.get("/oauth/end-session?" + url.Values{"id_token_hint": {hint}}.Encode()).want(400)
		if got := ada.authorize(asks("chat", callback, "id_token_hint", hint)).Get("error"); got != "invalid_request" {
			t.Errorf("%s as a hint: %q", what, got)
		}
	}
}

func unb64(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A token is for its own app; others learn nothing of it.
func TestAttackAudienceConfusion(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp()
	other := s.newApp(models.App{ID: "other", Name: "Other", FirstParty: true, RedirectURIs: []string{callback}})
	ada := s.withTOTP("ada")
	access, refresh := s.family(secret, ada)
	if told := s.exchange("/oauth/introspect", "other", other, url.Values{"token": {access}}).want(200); len(told.Body) != 1 || told.Body["active"] != false {
		t.Errorf("another app hears %v", told.Body)
	}
	s.exchange("/oauth/revoke", "other", other, url.Values{"token": {access}}).want(200)
	s.exchange("/oauth/revoke", "other", other, url.Values{"token": {refresh}}).want(200)
	s.userinfo(access).want(200)
	s.exchange("/oauth/introspect", "chat", "", url.Values{"token": {access}}).want(401)
	hint := s.redeem("chat", secret, ada.authorize(asks("chat", callback)).Get("code")).text("id_token")
	if got := ada.authorize(asks("other", callback, "id_token_hint", hint)).Get("error"); got != "invalid_request" {
		t.Errorf("another app's ID token as a hint: %q", got)
	}
}

// No app is told of a context that was not reached, whatever it asks for and however.
func TestAttackLevelDowngrade(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp()
	strict := s.newApp(models.App{ID: "strict", Name: "Strict", FirstParty: true, ACR: models.ACRAAL2, RedirectURIs: []string{callback}})
	ada := s.withTOTP("ada")
	ada.saveCodes()
	ada.enrolFace(someone(1)).want(201)
	const essential = `{"id_token":{"acr":{"essential":true,"values":["aal2"]}}}`

	half := ada.elsewhere() // the password alone
	for _, more := range [][]string{{"prompt", "none"}, {"prompt", "none", "acr_values", "one"}, {"prompt", "none", "max_age", "10000"}} {
		if got := half.authorize(asks("chat", callback, more...)).Get("error"); got != "login_required" {
			t.Errorf("at level 1, %v: %q", more, got)
		}
	}
	face := ada.elsewhere() // mfa, which is no aal2
	face.showFace(someone(1)).want(200)
	tokens := s.redeem("chat", secret, face.authorize(asks("chat", callback, "prompt", "none", "acr_values", "aal2")).Get("code")).want(200)
	if c := claimsOf(t, tokens.text("id_token")); c["acr"] != "mfa" {
		t.Errorf("a face is called %v", c["acr"])
	}
	if got := face.authorize(asks("chat", callback, "prompt", "none", "claims", essential)).Get("error"); got != "interaction_required" {
		t.Errorf("essential, silently: %q", got)
	}
	if got := face.authorize(asks("strict", callback, "prompt", "none")).Get("error"); got != "interaction_required" {
		t.Errorf("an app that wants aal2, silently: %q", got)
	}
	for _, v := range []url.Values{asks("chat", callback, "acr_values", "aal2"), asks("chat", callback, "claims", essential), asks("strict", callback)} {
		if to := face.get("/oauth/authorize?" + v.Encode()).want(303).Header.Get("Location"); !strings.HasPrefix(to, "/confirm?next=") {
			t.Errorf("%v leads to %s", v, to)
		}
	}
	if got := ada.authorize(asks("chat", callback, "claims", `{"id_token":{"acr":{"essential":true,"value":"aal3"}}}`)).Get("error"); got != "unmet_authentication_requirements" {
		t.Errorf("what nobody has: %q", got)
	}
	if ada.authorize(asks("chat", callback, "acr_values", "aal3 phr")).Get("code") == "" {
		t.Error("what is only wished for stops the sign-in")
	}
	// Raised within the session, it is told; what was given before says what it said.
	face.prove("authenticate", "")
	face.post("/v1/session/confirm", map[string]any{}).want(204)
	raised := s.redeem("strict", strict, face.authorize(asks("strict", callback)).Get("code")).want(200)
	if c := claimsOf(t, raised.text("id_token")); c["acr"] != "aal2" {
		t.Errorf("after the step-up: %v", c["acr"])
	}
	if told := s.exchange("/oauth/introspect", "chat", secret, url.Values{"token": {tokens.text("access_token")}}).want(200); told.Body["acr"] != "mfa" {
		t.Errorf("the older token now says %v", told.Body["acr"])
	}
}

// Errors go nowhere but to the app's own address.
func TestAttackRedirectTricks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.chatApp()
	ada := s.withTOTP("ada")
	for _, uri := range []string{
		"https://evil.example/callback", callback + "/", callback + "?x=1", callback + "#x", "https://chat.example.com:443/callback", "https://CHAT.example.com/callback",
		"https://chat.example.com@evil.example/callback", "https://chat.example.com/%63allback", "https://chat.example.com/x/../callback", "//chat.example.com/callback",
		callback + "%0d%0aLocation:%20https://evil.example", "javascript:alert(1)", "",
	} {
		for _, who := range []*browser{ada.browser, s.browser()} {
			for _, more := range [][]string{{}, {"response_type", "nonsense"}, {"prompt", "none"}, {"response_mode", "form_post"}} {
				if a := who.get("/oauth/authorize?" + asks("chat", uri, more...).Encode()); a.Status != 400 || a.Header.Get("Location") != "" {
					t.Errorf("%q %v: %d to %q", uri, more, a.Status, a.Header.Get("Location"))
				}
			}
		}
	}
	v := asks("chat", callback)
	twice := v.Encode() + "&redirect_uri=" + url.QueryEscape("https://evil.example/")
	if got := ada.get("/oauth/authorize?" + twice).back().Get("error"); got != "invalid_request" {
		t.Errorf("two addresses: %q", got)
	}
	if a := ada.get("/oauth/authorize?redirect_uri=" + url.QueryEscape("https://evil.example/") + "&" + v.Encode()); a.Status != 400 {
		t.Errorf("two addresses, the wrong one first: %d", a.Status)
	}
	ada.get("/oauth/authorize?" + asks("nobody", callback).Encode()).want(400)
}

// Who the provider is stands in each answer, so that a client that asks two is not mixed
// up (RFC 9207): authorize() holds every answer of these tests to it.
func TestAttackMixUp(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.chatApp()
	ada := s.withTOTP("ada")
	doc := s.browser().get("/.well-known/openid-configuration").want(200)
	if doc.Body["issuer"] != origin || doc.Body["authorization_response_iss_parameter_supported"] != true {
		t.Errorf("%v", doc.Body)
	}
	for _, more := range [][]string{{}, {"prompt", "none"}, {"response_type", "x"}, {"response_mode", "fragment"}, {"scope", "email"}} {
		ada.authorize(asks("chat", callback, more...))
	}
}

func TestAttackMachineEndpointsAreNoWayAroundTheDoor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp()
	ada := s.withTOTP("ada")
	code := ada.authorize(asks("chat", callback)).Get("code")
	v := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}, "client_id": {"chat"}, "client_secret": {secret}}
	s.exchange("/oauth/token?"+v.Encode(), "", "", url.Values{}).want(400) // secrets in an address
	for _, grant := range []string{"password", "urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_credentials", ""} {
		if a := s.exchange("/oauth/token", "chat", secret, url.Values{"grant_type": {grant}, "username": {"ada"}, "password": {password}, "assertion": {"x"}, "subject_token": {"x"}, "subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"}}); a.Status != 400 {
			t.Errorf("%q: %d %s", grant, a.Status, a.Raw)
		}
	}
	both := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}, "client_id": {"chat"}, "client_secret": {secret}}
	s.exchange("/oauth/token", "chat", secret, both).want(400) // two ways at once
	s.redeem("chat", secret, code).want(200)
}

// Anybody can begin a sign-in that is kept until somebody goes on with it, so that beginning
// them is counted.
func TestAttackRequestsThatWaitAreCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.chatApp()
	s.force(func(p *models.Policy) { p.Limits.Login = models.Limit{Max: 5, Window: models.Duration(time.Minute)} })
	to := "/oauth/authorize?" + asks("chat", callback).Encode()
	for range 5 {
		s.browser().get(to).want(303)
	}
	s.browser().get(to).want(429, models.CodeRateLimited)
	s.browser().from("192.0.2.77").get(to).want(303)
	if got := s.browser().authorize(asks("chat", callback, "prompt", "none")).Get("error"); got != "login_required" { // keeps nothing
		t.Errorf("silently: %s", got)
	}
}
