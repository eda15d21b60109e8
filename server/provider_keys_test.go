package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/oidc"
)

// assertion is what the app "bank" shows who it is by.
func (s *site) assertion(by *ecdsa.PrivateKey, change func(*jwt.Claims)) string {
	s.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: by}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	now := s.Clock.Now()
	claims := jwt.Claims{
		Issuer: "bank", Subject: "bank", Audience: jwt.Audience{origin}, ID: string(models.NewID(now)),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute)),
	}
	change(&claims)
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

// ownKey is an app's key, and what it registers of it.
func (s *site) ownKey() (*ecdsa.PrivateKey, models.AppKeys) {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	public, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1"}}})
	if err != nil {
		s.t.Fatal(err)
	}
	return key, public
}

// An app that shows who it is by a key of its own does so once with each assertion.
func TestAttackAnAssertionOfAnAppIsReplayed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	key, public := s.ownKey()
	s.newApp(models.App{
		ID: "bank", Name: "Bank", AuthMethod: models.AppAuthPrivateKey, Keys: public, Scopes: []string{"metrics"},
		GrantTypes: []models.GrantType{models.GrantClientCredentials},
	})
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := s.Clock.Now()
	assert := func(by *ecdsa.PrivateKey, change func(*jwt.Claims)) url.Values {
		t.Helper()
		return url.Values{
			"grant_type": {"client_credentials"}, "client_assertion": {s.assertion(by, change)},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		}
	}
	good := assert(key, func(*jwt.Claims) {})
	counts := parallel(20, func(int) *answer { return s.exchange("/oauth/token", "", "", good) })
	if counts[200] != 1 || counts[401] != 19 {
		t.Errorf("of 20 at once: %v", counts)
	}
	for what, bad := range map[string]url.Values{
		"another key":      assert(other, func(*jwt.Claims) {}),
		"another audience": assert(key, func(c *jwt.Claims) { c.Audience = jwt.Audience{"https://evil.example"} }),
		"another subject":  assert(key, func(c *jwt.Claims) { c.Subject = "chat" }),
		"over":             assert(key, func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(now.Add(-time.Minute)) }),
		"without an end":   assert(key, func(c *jwt.Claims) { c.Expiry = nil }),
		"for a day":        assert(key, func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(now.Add(24 * time.Hour)) }),
		"without an id":    assert(key, func(c *jwt.Claims) { c.ID = "" }),
	} {
		if a := s.exchange("/oauth/token", "", "", bad); a.Status != 401 {
			t.Errorf("%s: %d %s", what, a.Status, a.Raw)
		}
	}
}

// An app hears of the end of a session, by a token that only says that; and keys rotate
// without anybody noticing.
func TestAnAppHearsThatASessionIsOver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	heard := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard <- r.FormValue("logout_token") }))
	defer receiver.Close()
	secret := s.chatApp(func(a *models.App) { a.BackchannelLogoutURI = receiver.URL + "/out" })
	ada := s.withTOTP("ada")
	tokens := s.redeem("chat", secret, ada.authorize(asks("chat", callback)).Get("code")).want(200)
	sid := claimsOf(t, tokens.text("id_token"))["sid"]
	if _, err := oidc.Rotate(t.Context(), s.Store, s.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(20 * time.Minute) // the new keys sign
	fresh := s.redeem("chat", secret, ada.authorize(asks("chat", callback)).Get("code")).want(200)
	if n := len(s.browser().get("/oauth/keys").want(200).Body["keys"].([]any)); n != 4 {
		t.Errorf("%d keys are published, want the old and the new ones", n)
	}
	for _, hint := range []string{tokens.text("id_token"), fresh.text("id_token")} {
		if got := ada.authorize(asks("chat", callback, "id_token_hint", hint)); got.Get("code") == "" {
			t.Errorf("a token that an older key signed: %v", got)
		}
	}
	ada.delete("/v1/session").want(204)
	var id models.ID
	if err := s.Pool.QueryRow(t.Context(), `SELECT id FROM logouts`).Scan(&id); err != nil {
		t.Fatal(err) // one, however many grants there were
	}
	keys := &oidc.Keys{Store: s.Store, Now: s.Clock.Now}
	logouts := &oidc.Logouts{Store: s.Store, Keys: keys, Issuer: origin, Client: http.DefaultClient, Now: s.Clock.Now}
	if err := logouts.Send(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	token := <-heard
	var claims struct {
		SID    string         `json:"sid"`
		Nonce  *string        `json:"nonce"`
		Events map[string]any `json:"events"`
	}
	if err := keys.Verify(t.Context(), token, "logout+jwt", &claims); err != nil {
		t.Fatal(err)
	}
	if claims.SID != sid || claims.Nonce != nil || claims.Events["http://schemas.openid.net/event/backchannel-logout"] == nil {
		t.Errorf("told %+v", claims)
	}
	if err := logouts.Send(t.Context(), id); err != nil || len(heard) != 0 {
		t.Errorf("told twice: %d, %v", len(heard), err)
	}
}
