package server_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// basicOP is what each case of the OpenID Foundation's basic plan for providers
// (oidcc-basic-certification-test-plan, response_type=code) asks for, by its name there.
// The suite itself is a service with a browser; here it is the same requests.
var basicOP = map[string]func(*conformance){
	"oidcc-server": func(c *conformance) { c.tokens(c.asks()) },
	"oidcc-response-type-missing": func(c *conformance) {
		c.refused(c.asks("response_type", ""), "invalid_request")
	},
	"oidcc-userinfo-get": func(c *conformance) {
		c.same(c.tokens(c.asks()), c.s.userinfo)
	},
	"oidcc-userinfo-post-header": func(c *conformance) {
		c.same(c.tokens(c.asks()), func(token string) *answer {
			b := c.s.app()
			b.header["Authorization"] = "Bearer " + token
			return b.do("POST", "/oauth/userinfo", formOf(url.Values{}))
		})
	},
	"oidcc-userinfo-post-body": func(c *conformance) {
		c.same(c.tokens(c.asks()), func(token string) *answer {
			return c.s.app().do("POST", "/oauth/userinfo", formOf(url.Values{"access_token": {token}}))
		})
	},
	"oidcc-ensure-request-without-nonce-succeeds-for-code-flow": func(c *conformance) {
		if claims := c.idToken(c.tokens(c.asks("nonce", ""))); claims["nonce"] != nil {
			c.t.Errorf("a nonce that nobody sent: %v", claims)
		}
	},
	"oidcc-idtoken-signature": func(c *conformance) {
		header := headerOf(c.t, c.tokens(c.asks()).text("id_token"))
		if header["alg"] != "RS256" || header["kid"] == "" {
			c.t.Errorf("signed as %v", header)
		}
	},
	"oidcc-idtoken-unsigned": func(c *conformance) { // "none" is for nobody: discovery doesn't offer it
		algs := c.s.browser().get("/.well-known/openid-configuration").want(200).Body["id_token_signing_alg_values_supported"].([]any)
		for _, alg := range algs {
			if alg == "none" {
				c.t.Error("unsigned ID tokens are offered")
			}
		}
	},
	"oidcc-scope-profile":                                  func(c *conformance) { c.scope("profile", "name", "preferred_username") },
	"oidcc-scope-email":                                    func(c *conformance) { c.scope("email", "email", "email_verified") },
	"oidcc-scope-address":                                  func(c *conformance) { c.scope("address") }, // nobody has one here: ignored, as section 5.4 lets us
	"oidcc-scope-phone":                                    func(c *conformance) { c.scope("phone") },
	"oidcc-scope-all":                                      func(c *conformance) { c.scope("profile email address phone", "name", "email") },
	"oidcc-ensure-other-scope-order-succeeds":              func(c *conformance) { c.tokens(c.asks("scope", "email openid")) },
	"oidcc-display-page":                                   func(c *conformance) { c.tokens(c.asks("display", "page")) },
	"oidcc-display-popup":                                  func(c *conformance) { c.tokens(c.asks("display", "popup")) },
	"oidcc-prompt-login":                                   func(c *conformance) { c.again("prompt", "login") },
	"oidcc-prompt-none-not-logged-in":                      func(c *conformance) { c.stranger(c.asks("prompt", "none"), "login_required") },
	"oidcc-prompt-none-logged-in":                          func(c *conformance) { c.unchanged("prompt", "none") },
	"oidcc-max-age-1":                                      func(c *conformance) { c.again("max_age", "1") },
	"oidcc-max-age-10000":                                  func(c *conformance) { c.unchanged("max_age", "10000") },
	"oidcc-ensure-request-with-unknown-parameter-succeeds": func(c *conformance) { c.tokens(c.asks("extra", "foobar")) },
	"oidcc-id-token-hint": func(c *conformance) {
		c.unchanged("prompt", "none", "id_token_hint", c.tokens(c.asks()).text("id_token"))
	},
	"oidcc-login-hint": func(c *conformance) {
		to := c.s.browser().get("/oauth/authorize?" + c.asks("login_hint", "ada@example.com").Encode()).want(303).Header.Get("Location")
		if !strings.HasPrefix(to, "/login?") || !strings.Contains(to, "hint=ada%40example.com") {
			c.t.Errorf("led to %s", to)
		}
	},
	"oidcc-ui-locales":     func(c *conformance) { c.tokens(c.asks("ui_locales", "se")) },
	"oidcc-claims-locales": func(c *conformance) { c.tokens(c.asks("claims_locales", "se")) },
	"oidcc-ensure-request-with-acr-values-succeeds": func(c *conformance) {
		offered := c.s.browser().get("/.well-known/openid-configuration").want(200).Body["acr_values_supported"].([]any)
		if claims := c.idToken(c.tokens(c.asks("acr_values", offered[0].(string)))); claims["acr"] != offered[0] {
			c.t.Errorf("got acr %v, want %v", claims["acr"], offered[0])
		}
	},
	"oidcc-codereuse": func(c *conformance) {
		code := c.ada.authorize(c.asks()).Get("code")
		c.s.redeem("basic", c.secret, code).want(200)
		wantError(c.t, c.s.redeem("basic", c.secret, code), 400, "invalid_grant")
	},
	"oidcc-codereuse-30seconds": func(c *conformance) {
		code := c.ada.authorize(c.asks()).Get("code")
		tokens := c.s.redeem("basic", c.secret, code).want(200)
		c.s.Clock.Advance(30 * time.Second)
		wantError(c.t, c.s.redeem("basic", c.secret, code), 400, "invalid_grant")
		if a := c.s.userinfo(tokens.text("access_token")); a.Status != 401 { // and what it gave is gone
			c.t.Errorf("got %d %s", a.Status, a.Raw)
		}
	},
	"oidcc-ensure-registered-redirect-uri": func(c *conformance) {
		if a := c.ada.get("/oauth/authorize?" + c.asks("redirect_uri", callback+"/other").Encode()); a.Status != 400 || a.Header.Get("Location") != "" {
			c.t.Errorf("got %d to %s", a.Status, a.Header.Get("Location"))
		}
	},
	"oidcc-ensure-post-request-succeeds": func(c *conformance) {
		to := c.ada.do("POST", "/oauth/authorize", formOf(c.asks())).want(303).Header.Get("Location")
		if c.ada.get(to).back().Get("code") == "" {
			c.t.Error("no code")
		}
	},
	"oidcc-server-client-secret-post": func(c *conformance) {
		c.s.app().do("POST", "/oauth/token", formOf(url.Values{
			"grant_type": {"authorization_code"}, "code": {c.ada.authorize(c.asks("client_id", "posting")).Get("code")}, "redirect_uri": {callback},
			"code_verifier": {verifier}, "client_id": {"posting"}, "client_secret": {c.posting},
		})).want(200)
	},
	"oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported": func(c *conformance) {
		c.refused(c.asks("request", unsigned(c.asks())), "request_not_supported")
	},
	"oidcc-ensure-request-object-with-redirect-uri": func(c *conformance) {
		c.refused(c.asks("request", unsigned(url.Values{"redirect_uri": {"https://evil.example/"}})), "request_not_supported")
	},
	"oidcc-claims-essential": func(c *conformance) {
		asked := c.asks("claims", `{"userinfo":{"name":{"essential":true}}}`)
		if name := c.s.userinfo(c.tokens(asked).text("access_token")).want(200).text("name"); name == "" {
			c.t.Error("userinfo has no name")
		}
	},
	"oidcc-refresh-token": func(c *conformance) {
		first := c.tokens(c.asks("scope", "openid offline_access"))
		second := c.s.refresh("basic", c.secret, first.text("refresh_token")).want(200)
		before, after := c.idToken(first), c.idToken(second)
		for _, same := range []string{"iss", "sub", "aud", "auth_time", "azp"} {
			if before[same] != after[same] {
				c.t.Errorf("%s was %v and is %v", same, before[same], after[same])
			}
		}
		if second.text("access_token") == first.text("access_token") || second.text("refresh_token") == first.text("refresh_token") {
			c.t.Error("nothing new")
		}
		wantError(c.t, c.s.refresh("posting", c.posting, second.text("refresh_token")), 400, "invalid_grant") // of another client
	},
	"oidcc-ensure-request-with-valid-pkce-succeeds": func(c *conformance) { c.tokens(c.asks()) },
}

// conformance is a case that runs: a client as the suite registers one, and somebody who
// is signed in.
type conformance struct {
	t               *testing.T
	s               *site
	ada             *person
	secret, posting string
}

func (c *conformance) asks(more ...string) url.Values {
	return asks("basic", callback, append([]string{"nonce", "n-1"}, more...)...)
}

// tokens goes all the way, and looks at what every answer must hold.
func (c *conformance) tokens(v url.Values) *answer {
	c.t.Helper()
	answered := c.ada.authorize(v)
	if answered.Get("state") != v.Get("state") {
		c.t.Errorf("state %q came back as %q", v.Get("state"), answered.Get("state"))
	}
	a := c.s.redeem("basic", c.secret, answered.Get("code")).want(200)
	if a.text("token_type") != "Bearer" || a.Header.Get("Cache-Control") != "no-store" {
		c.t.Errorf("got %s, %v", a.Raw, a.Header)
	}
	claims := c.idToken(a)
	if claims["iss"] != origin || claims["aud"] != "basic" || claims["sub"] == "" || claims["at_hash"] == nil || claims["auth_time"] == nil {
		c.t.Errorf("the ID token says %v", claims)
	}
	if want := v.Get("nonce"); want != "" && claims["nonce"] != want {
		c.t.Errorf("nonce %v", claims["nonce"])
	}
	return a
}

func (c *conformance) idToken(a *answer) map[string]any {
	c.t.Helper()
	return claimsOf(c.t, a.text("id_token"))
}

func (c *conformance) refused(v url.Values, code string) {
	c.t.Helper()
	if got := c.ada.authorize(v).Get("error"); got != code {
		c.t.Errorf("got %q, want %q", got, code)
	}
}

func (c *conformance) stranger(v url.Values, code string) {
	c.t.Helper()
	if got := c.s.browser().authorize(v).Get("error"); got != code {
		c.t.Errorf("got %q, want %q", got, code)
	}
}

// same holds userinfo to the ID token, whichever way it is asked.
func (c *conformance) same(tokens *answer, ask func(token string) *answer) {
	c.t.Helper()
	if sub := ask(tokens.text("access_token")).want(200).text("sub"); sub != c.idToken(tokens)["sub"] {
		c.t.Errorf("userinfo is of %s", sub)
	}
}

func (c *conformance) scope(scope string, claims ...string) {
	c.t.Helper()
	told := c.s.userinfo(c.tokens(c.asks("scope", "openid "+scope)).text("access_token")).want(200).Body
	for _, claim := range claims {
		if told[claim] == nil {
			c.t.Errorf("userinfo tells no %s: %v", claim, told)
		}
	}
	for _, nobodys := range []string{"address", "phone_number"} {
		if told[nobodys] != nil {
			c.t.Errorf("userinfo tells %s", nobodys)
		}
	}
}

// again holds a request to a sign-in that is newer than the one before.
func (c *conformance) again(more ...string) {
	c.t.Helper()
	before := c.idToken(c.tokens(c.asks()))["auth_time"].(float64)
	c.s.Clock.Advance(time.Minute)
	v := c.asks(more...)
	to, err := url.QueryUnescape(c.ada.get("/oauth/authorize?" + v.Encode()).want(303).Header.Get("Location"))
	if err != nil || !strings.HasPrefix(to, "/confirm?next=/authorize/") {
		c.t.Fatalf("led to %s; %v", to, err)
	}
	c.ada.prove("authenticate", "")
	c.ada.post("/v1/session/confirm", map[string]any{}).want(204)
	code := c.ada.get(strings.TrimPrefix(to, "/confirm?next=")).back().Get("code")
	after := c.idToken(c.s.redeem("basic", c.secret, code).want(200))["auth_time"].(float64)
	if after < before+60 {
		c.t.Errorf("auth_time was %v and is %v", before, after)
	}
}

// unchanged holds a request to the sign-in that there is.
func (c *conformance) unchanged(more ...string) {
	c.t.Helper()
	before := c.idToken(c.tokens(c.asks()))
	c.s.Clock.Advance(time.Minute)
	after := c.idToken(c.tokens(c.asks(more...)))
	if before["auth_time"] != after["auth_time"] || before["sub"] != after["sub"] {
		c.t.Errorf("was %v and is %v", before, after)
	}
}

func unsigned(v url.Values) string {
	claims := map[string]string{}
	for name := range v {
		claims[name] = v.Get(name)
	}
	body, _ := json.Marshal(claims)
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(body) + "."
}

func headerOf(t *testing.T, token string) (header map[string]any) {
	t.Helper()
	first, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(first)
	if err == nil {
		err = json.Unmarshal(raw, &header)
	}
	if err != nil {
		t.Fatal(err)
	}
	return header
}

func TestBasicOP(t *testing.T) {
	t.Parallel()
	for name, run := range basicOP {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			basic := models.App{
				ID: "basic", Name: "Basic", FirstParty: true, RedirectURIs: []string{callback}, Scopes: []string{"openid", "profile", "email", "phone", "offline_access"},
			}
			c := &conformance{t: t, s: s, ada: s.withTOTP("ada"), secret: s.newApp(basic)}
			basic.ID, basic.AuthMethod = "posting", models.AppAuthPost
			c.posting = s.newApp(basic)
			run(c)
		})
	}
}
