package server_test

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/sallyport/sallyport/models"
)

var relyingParty = virtualwebauthn.RelyingParty{ID: "localhost", Name: "Sallyport", Origin: origin}

// key is an authenticator with one credential.
type key struct {
	auth virtualwebauthn.Authenticator
	cred virtualwebauthn.Credential
}

func newKey(verifies bool) *key {
	k := &key{auth: virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserNotVerified: !verifies})}
	for {
		k.cred = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		// virtualwebauthn writes coordinates without their leading zeros, which
		// no relying party takes: one key in 128 has such a one.
		private, err := x509.ParsePKCS8PrivateKey(k.cred.Key.Data)
		if err != nil {
			panic(err)
		}
		public, err := private.(*ecdsa.PrivateKey).PublicKey.Bytes()
		if err != nil {
			panic(err)
		}
		if public[1] != 0 && public[33] != 0 {
			return k
		}
	}
}

// create answers registration options.
func (k *key) create(t testing.TB, options *answer) json.RawMessage {
	t.Helper()
	parsed, err := virtualwebauthn.ParseAttestationOptions(string(options.Raw))
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		PublicKey struct {
			User struct{ ID string }
		}
	}
	if err := json.Unmarshal(options.Raw, &body); err != nil {
		t.Fatal(err)
	}
	handle, err := base64.RawURLEncoding.DecodeString(body.PublicKey.User.ID)
	if err != nil || len(handle) != 64 {
		t.Fatalf("user handle %q", body.PublicKey.User.ID)
	}
	k.auth.Options.UserHandle = handle
	return json.RawMessage(virtualwebauthn.CreateAttestationResponse(relyingParty, k.auth, k.cred, *parsed))
}

// sign answers assertion options.
func (k *key) sign(t testing.TB, options *answer) string {
	t.Helper()
	parsed, err := virtualwebauthn.ParseAssertionOptions(string(options.Raw))
	if err != nil {
		t.Fatal(err)
	}
	return virtualwebauthn.CreateAssertionResponse(relyingParty, k.auth, k.cred, *parsed)
}

func (p *person) addPasskey(k *key, name string) *answer {
	p.t.Helper()
	options := p.post("/v1/me/passkeys/options", map[string]any{}).want(200)
	a := p.browser.post("/v1/me/passkeys", map[string]any{"name": name, "credential": k.create(p.t, options)})
	if a.Status == 201 {
		p.key = k
	}
	return a
}

func (p *person) verifyPasskey(k *key) *answer {
	p.t.Helper()
	return p.post("/v1/verify/passkey", k.sign(p.t, p.post("/v1/verify/passkey/options", map[string]any{}).want(200)))
}

func (b *browser) loginPasskey(k *key) *answer {
	b.t.Helper()
	return b.post("/v1/login/passkey", k.sign(b.t, b.post("/v1/login/passkey/options", map[string]any{}).want(200)))
}

func TestPasskeyFirstThenSecondFactor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, phone := s.register("ada"), newKey(true)
	added := ada.addPasskey(phone, "Phone").want(201)
	if session := added.Body["session"].(map[string]any); session["state"] != "authenticated" || session["acr"] != "aal2" {
		t.Fatalf("a proven first passkey ends in %v", session)
	}
	ada.elsewhere().verifyPasskey(phone).want(200).state(models.Authenticated, models.ACRAAL2)
	s.browser().loginPasskey(phone).want(200).state(models.Authenticated, models.ACRAAL2)
}

func TestPasskeyWithoutUserVerification(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, stick := s.register("ada"), newKey(false)
	ada.addPasskey(stick, "").want(201)
	ada.elsewhere().verifyPasskey(stick).want(200).state(models.Authenticated, models.ACRAAL2)
	s.browser().loginPasskey(stick).want(401, models.CodeInvalidCredentials)

	// What the stored credential remembers of an earlier assertion must not
	// count for this one.
	phone := newKey(true)
	ada.addPasskey(phone, "").want(201)
	s.browser().loginPasskey(phone).want(200)
	phone.auth.Options.UserNotVerified = true
	s.browser().loginPasskey(phone).want(401, models.CodeInvalidCredentials)
}

// A session that stands on a verified passkey alone must not live on one that
// only says that the device was there.
func TestAStepUpWithoutUserVerificationProvesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	phone := newKey(true)
	ada := s.register("ada")
	ada.addPasskey(phone, "").want(201)
	ada.browser = s.browser()
	ada.loginPasskey(phone).want(200).state(models.Authenticated, models.ACRAAL2)
	s.Clock.Advance(6 * time.Minute)

	phone.auth.Options.UserNotVerified = true
	ada.verifyPasskey(phone).want(422, models.CodeFactorRejected)
	ada.get("/v1/session").want(200).state(models.Authenticated, models.ACRAAL2)
	ada.browser.post("/v1/me/recovery-codes", map[string]any{}).want(403, models.CodeStepUpRequired)
	// With the password it is a second factor, then and at the next step-up.
	tab := ada.elsewhere()
	for range 2 {
		tab.verifyPasskey(phone).want(200).state(models.Authenticated, models.ACRAAL2)
	}

	phone.auth.Options.UserNotVerified = false
	ada.verifyPasskey(phone).want(200).state(models.Authenticated, models.ACRAAL2)
	ada.saveCodes()
}

func TestPasskeySignInsAreLimitedPerNetwork(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(func(p *models.Policy) { p.Limits.PasskeyLogin.Max = 2 })
	for range 2 {
		s.browser().post("/v1/login/passkey/options", map[string]any{}).want(200)
	}
	s.browser().post("/v1/login/passkey/options", map[string]any{}).want(429, models.CodeRateLimited)
}

func TestOneAssertionOf100InParallel(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(generous)
	ada, phone := s.register("ada"), newKey(true)
	ada.addPasskey(phone, "").want(201)
	tab := ada.elsewhere()
	assertion := phone.sign(t, tab.post("/v1/verify/passkey/options", map[string]any{}).want(200))
	counts := parallel(100, func(int) *answer { return tab.clone().post("/v1/verify/passkey", assertion) })
	if counts[200] != 1 || counts[200]+counts[410]+counts[401] != 100 {
		t.Fatalf("answers %v: exactly one may win", counts)
	}

	door := s.browser()
	assertion = phone.sign(t, door.post("/v1/login/passkey/options", map[string]any{}).want(200))
	counts = parallel(100, func(int) *answer { return door.clone().post("/v1/login/passkey", assertion) })
	if counts[200] != 1 || counts[200]+counts[410] != 100 {
		t.Fatalf("passwordless: answers %v: exactly one may win", counts)
	}
}

func TestAssertionIsBoundToSessionAndPurpose(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, phone := s.register("ada"), newKey(true)
	ada.addPasskey(phone, "").want(201)
	eve, other := s.register("eve"), newKey(true)
	eve.addPasskey(other, "").want(201)

	victim, attacker := ada.elsewhere(), eve.elsewhere()
	options := victim.post("/v1/verify/passkey/options", map[string]any{}).want(200)
	attacker.post("/v1/verify/passkey/options", map[string]any{}).want(200)
	attacker.post("/v1/verify/passkey", phone.sign(t, options)).want(422, models.CodeFactorRejected)
	// Eve's own key doesn't open Ada's session.
	victim.post("/v1/verify/passkey", other.sign(t, options)).want(422, models.CodeFactorRejected)
	// The challenge is gone with the try.
	victim.post("/v1/verify/passkey", phone.sign(t, options)).want(410, models.CodeChallengeExpired)
	// A sign-in without password begins in this browser or not at all.
	door := s.browser().post("/v1/login/passkey/options", map[string]any{}).want(200)
	s.browser().post("/v1/login/passkey", phone.sign(t, door)).want(410, models.CodeChallengeExpired)
	// A registration challenge doesn't serve an assertion.
	begun := ada.post("/v1/me/passkeys/options", map[string]any{}).want(200)
	ada.post("/v1/verify/passkey", phone.sign(t, begun)).want(410, models.CodeChallengeExpired)
}

func TestChallengeExpires(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, phone := s.register("ada"), newKey(true)
	ada.addPasskey(phone, "").want(201)
	tab := ada.elsewhere()
	options := tab.post("/v1/verify/passkey/options", map[string]any{}).want(200)
	s.Clock.Advance(5 * time.Minute)
	tab.post("/v1/verify/passkey", phone.sign(t, options)).want(410, models.CodeChallengeExpired)
}

func TestCounterRegressionIsRefusedAndRecorded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, phone := s.register("ada"), newKey(true)
	phone.cred.Counter = 7
	ada.addPasskey(phone, "").want(201)
	phone.cred.Counter = 8
	ada.elsewhere().verifyPasskey(phone).want(200)
	for _, counter := range []uint32{8, 3, 0} {
		phone.cred.Counter = counter
		ada.elsewhere().verifyPasskey(phone).want(422, models.CodeFactorRejected)
	}
	s.browser().loginPasskey(phone).want(401, models.CodeInvalidCredentials)
	var recorded int
	var warned bool
	err := s.Pool.QueryRow(t.Context(), `
		SELECT (SELECT count(*) FROM events WHERE fact = 'passkey_counter_regressed'), clone_warning FROM passkeys`).Scan(&recorded, &warned)
	if err != nil || recorded != 4 || !warned {
		t.Fatalf("%d recorded, warned %v, %v", recorded, warned, err)
	}
	// The owner's own authenticator goes on to count up, and still serves.
	phone.cred.Counter = 9
	ada.elsewhere().verifyPasskey(phone).want(200)
}

func TestSeveralPasskeysNamedAndManaged(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, phone, laptop := s.register("ada"), newKey(true), newKey(true)
	ada.addPasskey(phone, "Phone").want(201)
	s.Clock.Advance(time.Second)
	ada.addPasskey(laptop, "").want(201)
	// The same credential again is refused, whoever brings it.
	ada.addPasskey(phone, "").want(409, models.CodeConflict)
	eve := s.withTOTP("eve")
	eve.addPasskey(phone, "").want(409, models.CodeConflict)

	list := ada.get("/v1/me/passkeys").want(200).Body["passkeys"].([]any)
	first := list[0].(map[string]any)
	if len(list) != 2 || first["name"] != "Phone" || list[1].(map[string]any)["name"] != "Passkey 2" {
		t.Fatalf("got %v", list)
	}
	path := "/v1/me/passkeys/" + first["id"].(string)
	ada.do("PATCH", path, map[string]any{"name": "Old phone"}).want(200)
	for _, foreign := range []string{path, "/v1/me/passkeys/" + string(models.NewID(s.Clock.Now())), "/v1/me/passkeys/x"} {
		eve.do("PATCH", foreign, map[string]any{"name": "mine"}).want(404, models.CodeNotFound)
		eve.delete(foreign).want(404, models.CodeNotFound)
	}
	ada.delete(path).want(204)
	ada.elsewhere().verifyPasskey(phone).want(422, models.CodeFactorRejected)
	ada.elsewhere().verifyPasskey(laptop).want(200)
}

func TestBrokenPasskeyAnswers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, phone := s.register("ada"), newKey(true)
	ada.addPasskey(phone, "").want(201)
	for _, body := range []string{`{}`, `{"id":1}`, `[]`, `"x"`, `{"id":"AA","rawId":"BB","type":"public-key","response":{}}`} {
		tab := ada.elsewhere()
		tab.post("/v1/verify/passkey/options", map[string]any{}).want(200)
		if a := tab.post("/v1/verify/passkey", body); a.Status != 400 && a.Status != 422 {
			t.Errorf("%s: got %d %s", body, a.Status, a.Raw)
		}
		door := s.browser()
		door.post("/v1/login/passkey/options", map[string]any{}).want(200)
		if a := door.post("/v1/login/passkey", body); a.Status != 400 && a.Status != 401 {
			t.Errorf("sign-in with %s: got %d %s", body, a.Status, a.Raw)
		}
	}
	if a := ada.post("/v1/verify/passkey", "{"); a.Status != 400 {
		t.Errorf("got %d", a.Status)
	}
}
