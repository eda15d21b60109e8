package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/guard"
	"github.com/sallyport/sallyport/server/oidc"
)

// forge signs claims as somebody who isn't Sallyport would.
func forge(t testing.TB, alg jose.SignatureAlgorithm, key any, header map[jose.HeaderKey]any, claims map[string]any) string {
	t.Helper()
	options := &jose.SignerOptions{ExtraHeaders: header}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Whatever is no access token of Sallyport's for this very program gets nobody in: forged,
// confused, of another kind, for another app, of another time.
func TestAttackTokensAtAGuard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp(func(a *models.App) { a.TokenFormat, a.IDTokenAlg = "jwt", "RS256" })
	s.newApp(models.App{ID: "mail", Name: "Mail", FirstParty: true, RedirectURIs: []string{callback}, TokenFormat: "jwt", Public: true})
	ada := s.withTOTP("ada")
	tokens := ada.tokens(secret)
	good := tokens.text("access_token")
	mail := s.redeem("mail", "", ada.authorize(asks("mail", callback)).Get("code")).want(200).text("access_token")
	g := s.guarded(guard.Options{Audience: "chat"})
	g.ask(guard.Need{}, bearer(good)...).want(200)

	said := claimsOf(t, good)
	altered := func(change ...any) map[string]any {
		c := maps.Clone(said)
		for i := 0; i < len(change); i += 2 {
			if c[change[i].(string)] = change[i+1]; change[i+1] == nil {
				delete(c, change[i].(string))
			}
		}
		return c
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(s.browser().get("/oauth/keys").want(200).Raw, &set); err != nil {
		t.Fatal(err)
	}
	var public *rsa.PublicKey
	var kid, otherKid string
	for _, key := range set.Keys {
		if rsaKey, ok := key.Key.(*rsa.PublicKey); ok {
			public, kid = rsaKey, key.KeyID
		} else {
			otherKid = key.KeyID
		}
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	asJWK, err := json.Marshal(jose.JSONWebKey{Key: public, KeyID: kid})
	if err != nil {
		t.Fatal(err)
	}
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	typ := func(more ...any) map[jose.HeaderKey]any {
		h := map[jose.HeaderKey]any{"typ": "at+jwt", "kid": kid}
		for i := 0; i < len(more); i += 2 {
			h[jose.HeaderKey(more[i].(string))] = more[i+1]
		}
		return h
	}
	parts := strings.Split(good, ".")
	encode := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	// signed is what Sallyport itself would say, if it said that.
	keys := &oidc.Keys{Store: s.Store, Now: s.Clock.Now}
	signed := func(typ string, claims map[string]any) string {
		token, err := keys.Sign(t.Context(), "RS256", typ, claims)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	g.ask(guard.Need{}, bearer(signed("at+jwt", said))...).want(200) // so each refusal below is for what was changed
	g.ask(guard.Need{}, bearer(signed("application/AT+JWT", said))...).want(200)
	now := s.Clock.Now().Unix()
	for name, token := range map[string]string{
		"alg none":                         encode(map[string]any{"alg": "none", "typ": "at+jwt", "kid": kid}) + "." + parts[1] + ".",
		"alg None, with the signature":     encode(map[string]any{"alg": "None", "typ": "at+jwt", "kid": kid}) + "." + parts[1] + "." + parts[2],
		"HS256 with the public key's DER":  forge(t, jose.HS256, der, typ(), said),
		"HS256 with the public key's PEM":  forge(t, jose.HS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), typ(), said),
		"HS256 with the published JWK":     forge(t, jose.HS256, asJWK, typ(), said),
		"another key by our key's id":      forge(t, jose.RS256, own, typ(), said),
		"another algorithm by our key":     forge(t, jose.PS256, own, typ(), said),
		"our key of the other algorithm":   forge(t, jose.RS256, own, typ("kid", otherKid), said),
		"the other algorithm by our id":    forge(t, jose.ES256, curve, typ(), said),
		"an unknown key":                   forge(t, jose.RS256, own, typ("kid", "mine"), said),
		"no key id":                        forge(t, jose.RS256, own, map[jose.HeaderKey]any{"typ": "at+jwt"}, said),
		"a key that it brings along":       forge(t, jose.RS256, own, typ("jwk", jose.JSONWebKey{Key: own.Public(), KeyID: kid}), said),
		"an address of keys":               forge(t, jose.RS256, own, typ("jku", "https://evil.example/keys"), said),
		"a certificate":                    forge(t, jose.RS256, own, typ("x5u", "https://evil.example/cert", "x5c", []string{base64.StdEncoding.EncodeToString(der)}), said),
		"an extension nobody understands":  forge(t, jose.RS256, own, typ("crit", []string{"exp"}), said),
		"another payload":                  parts[0] + "." + encode(altered("sub", "00000000-0000-7000-8000-000000000000")) + "." + parts[2],
		"no signature":                     parts[0] + "." + parts[1] + ".",
		"a part more":                      good + "." + parts[2],
		"JSON instead of dots":             `{"payload":"` + parts[1] + `","signatures":[]}`,
		"far too long":                     good + strings.Repeat("A", 10_000),
		"an ID token":                      tokens.text("id_token"),
		"an assertion for proxies":         signed("assertion+jwt", said),
		"a logout token":                   signed("logout+jwt", said),
		"no type":                          signed("", said),
		"for another app":                  mail,
		"for another app, by ours":         signed("at+jwt", altered("aud", []string{"mail"})),
		"for an app of a similar name":     signed("at+jwt", altered("aud", []string{"Chat", "chat ", "chat/x"})),
		"for nobody":                       signed("at+jwt", altered("aud", nil)),
		"of another issuer":                signed("at+jwt", altered("iss", "https://evil.example")),
		"of the issuer with a slash":       signed("at+jwt", altered("iss", origin+"/")),
		"of no issuer":                     signed("at+jwt", altered("iss", nil)),
		"expired beyond the leeway":        signed("at+jwt", altered("exp", now-31)),
		"without an end":                   signed("at+jwt", altered("exp", nil)),
		"not before later":                 signed("at+jwt", altered("nbf", now+40)),
		"issued later":                     signed("at+jwt", altered("iat", now+40)),
		"issued never":                     signed("at+jwt", altered("iat", nil)),
		"of nobody":                        signed("at+jwt", altered("sub", nil)),
		"a refresh token":                  tokens.text("refresh_token"),
		"a session's token, not asked for": ada.cookies["sallyport"],
	} {
		a := g.ask(guard.Need{}, bearer(token)...)
		if a.Status != 401 || a.code() != models.CodeSessionRequired || !strings.Contains(a.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%s: got %d %s", name, a.Status, a.Raw)
		}
	}
	g.ask(guard.Need{}, bearer(signed("at+jwt", altered("exp", now-29)))...).want(200) // within the leeway

	// Two credentials, and a cookie where none is taken.
	g.ask(guard.Need{}, "Authorization", "Bearer "+good, "Authorization", "Bearer "+good).want(401)
	g.ask(guard.Need{}, cookieOf(ada.browser)...).want(401)
	// Only ES256 is pinned: what is signed well by RS256 is refused.
	s.guarded(guard.Options{Audience: "chat", Algorithms: []string{"ES256"}}).ask(guard.Need{}, bearer(good)...).want(401)
}

// Opaque tokens of other apps, and what is no access token, are nobody's.
func TestAttackOpaqueTokensAtAGuard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp()
	s.newApp(models.App{ID: "mail", Name: "Mail", FirstParty: true, RedirectURIs: []string{callback}, Public: true})
	api := s.newApp(models.App{ID: "api", Name: "API", RedirectURIs: []string{callback}})
	ada := s.withTOTP("ada")
	tokens := ada.tokens(secret)
	mail := s.redeem("mail", "", ada.authorize(asks("mail", callback)).Get("code")).want(200).text("access_token")
	g := s.guarded(guard.Options{Audience: "chat", ClientID: "chat", ClientSecret: secret})
	g.ask(guard.Need{}, bearer(tokens.text("access_token"))...).want(200)
	for name, token := range map[string]string{
		"another app's": mail, "a refresh token": tokens.text("refresh_token"), "a session's": ada.cookies["sallyport"], "made up": strings.Repeat("A", 43),
	} {
		if a := g.ask(guard.Need{}, bearer(token)...); a.Status != 401 {
			t.Errorf("%s: got %d %s", name, a.Status, a.Raw)
		}
	}
	// A program that may ask, but that the token is not for.
	s.guarded(guard.Options{Audience: "api", ClientID: "api", ClientSecret: api}).ask(guard.Need{}, bearer(tokens.text("access_token"))...).want(401)
	// One that may not ask can't tell who comes: it lets nobody in, and sends nobody to sign in.
	s.guarded(guard.Options{Audience: "chat", ClientID: "chat", ClientSecret: "wrong"}).
		ask(guard.Need{}, bearer(tokens.text("access_token"))...).want(503, models.CodeUnavailable)
}

// What is over is believed for a second where it is asked about. A signed token that is
// verified by itself holds until it ends, whatever happens meanwhile: that is what makes
// it short.
func TestAttackEndedSessionAtAGuard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.chatApp(func(a *models.App) { a.TokenFormat = "opaque" })
	signing := s.newApp(models.App{ID: "notes", Name: "Notes", FirstParty: true, RedirectURIs: []string{callback}, TokenFormat: "jwt", TokenLifetime: models.Duration(5 * time.Minute)})
	ada, eve := s.withTOTP("ada"), s.withTOTP("eve")
	opaque := ada.tokens(secret).text("access_token")
	others := eve.tokens(secret).text("access_token")
	signed := s.redeem("notes", signing, ada.authorize(asks("notes", callback)).Get("code")).want(200).text("access_token")
	g := s.guarded(guard.Options{Audience: "chat", ClientID: "chat", ClientSecret: secret, Sessions: true})
	notes := s.guarded(guard.Options{Audience: "notes"})
	cookie := cookieOf(ada.browser)
	adasOwn := g.ask(guard.Need{}, bearer(opaque)...).want(200).text("Subject")
	// The answer about one token serves no other, nor the same text in another place.
	if g.ask(guard.Need{}, bearer(others)...).want(200).text("Subject") == adasOwn {
		t.Error("one answer for two tokens")
	}
	g.ask(guard.Need{}, "Cookie", "sallyport="+opaque).want(401)
	g.ask(guard.Need{}, bearer(ada.cookies["sallyport"])...).want(401)
	g.ask(guard.Need{}, cookie...).want(200)
	ada.delete("/v1/session").want(204)
	for _, header := range [][]string{bearer(opaque), cookie} {
		g.ask(guard.Need{}, header...).want(200) // asked a moment ago
	}
	s.Clock.Advance(time.Second)
	for _, header := range [][]string{bearer(opaque), cookie} {
		g.ask(guard.Need{}, header...).want(401, models.CodeSessionRequired)
	}
	notes.ask(guard.Need{}, bearer(signed)...).want(200)
	s.Clock.Advance(5*time.Minute + 30*time.Second)
	notes.ask(guard.Need{}, bearer(signed)...).want(401)
}

// The cookie travels by itself, so a write that another site made the browser send is
// refused; a sibling of the same site is another site here.
func TestAttackCrossSiteAtAGuard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	g := s.guarded(guard.Options{Sessions: true})
	for i, c := range []struct {
		header []string
		status int
	}{
		{nil, 200}, {[]string{"Sec-Fetch-Site", "same-origin"}, 200}, {[]string{"Origin", "http://localhost:9000"}, 200},
		{[]string{"Sec-Fetch-Site", "cross-site"}, 403}, {[]string{"Sec-Fetch-Site", "same-site"}, 403},
		{[]string{"Origin", "http://evil.example"}, 403}, {[]string{"Origin", "http://localhost:9001"}, 403}, {[]string{"Origin", "null"}, 403},
	} {
		r := httptest.NewRequest(http.MethodPost, "http://localhost:9000/notes", nil)
		for _, header := range append([][]string{cookieOf(ada.browser)}, c.header) {
			if len(header) == 2 {
				r.Header.Set(header[0], header[1])
			}
		}
		if a := g.send(guard.Need{}, r); a.Status != c.status || c.status == 403 && a.code() != models.CodeCrossSite {
			t.Errorf("%d %v: got %d %s", i, c.header, a.Status, a.Raw)
		}
	}
	two := fmt.Sprintf("sallyport=%s; sallyport=%s", ada.cookies["sallyport"], strings.Repeat("A", 43))
	g.ask(guard.Need{}, "Cookie", two).want(401) // which of them is whose?
}
