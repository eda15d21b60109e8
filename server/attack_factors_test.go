package server_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"
	"github.com/sallyport/sallyport/models"
)

// at is an assertion that the key made for another site, or of another account.
func (k *key) at(t *testing.T, options *answer, party virtualwebauthn.RelyingParty, handle []byte) string {
	t.Helper()
	parsed, err := virtualwebauthn.ParseAssertionOptions(string(options.Raw))
	if err != nil {
		t.Fatal(err)
	}
	other := k.auth
	if handle != nil {
		other.Options.UserHandle = handle
	}
	return virtualwebauthn.CreateAssertionResponse(party, other, k.cred, *parsed)
}

// A challenge of another relying party or origin, another account's credential id
// (FACTS: cross-user credential ids) and a userHandle that is another's: each is
// refused as any wrong passkey is, alone and as second factor.
func TestAttackForeignAssertions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(generous)
	ada, phone := s.register("ada"), newKey(true)
	ada.addPasskey(phone, "").want(201)
	eve, hers := s.register("eve"), newKey(true)
	eve.addPasskey(hers, "").want(201)
	here := relyingParty
	forged := func(edit func(doc, response map[string]any)) func(*answer) string {
		return func(options *answer) string {
			var doc map[string]any
			if err := json.Unmarshal([]byte(hers.at(t, options, here, nil)), &doc); err != nil {
				t.Fatal(err)
			}
			edit(doc, doc["response"].(map[string]any))
			raw, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			return string(raw)
		}
	}
	adas := base64.RawURLEncoding.EncodeToString(phone.cred.ID)
	handle := base64.RawURLEncoding.EncodeToString(phone.auth.Options.UserHandle)
	attacks := map[string]func(*answer) string{
		"another rp": func(o *answer) string {
			return phone.at(t, o, virtualwebauthn.RelyingParty{ID: "evil.example", Origin: origin}, nil)
		},
		"another origin": func(o *answer) string {
			return phone.at(t, o, virtualwebauthn.RelyingParty{ID: here.ID, Origin: "https://evil.example"}, nil)
		},
		"a sibling's origin": func(o *answer) string {
			return phone.at(t, o, virtualwebauthn.RelyingParty{ID: here.ID, Origin: "http://sibling.localhost:8080"}, nil)
		},
		"another port": func(o *answer) string {
			return phone.at(t, o, virtualwebauthn.RelyingParty{ID: here.ID, Origin: "http://localhost:9090"}, nil)
		},
		"her credential id, my signature": forged(func(doc, _ map[string]any) { doc["id"], doc["rawId"] = adas, adas }),
		"her credential id and handle, my signature": forged(func(doc, response map[string]any) {
			doc["id"], doc["rawId"], response["userHandle"] = adas, adas, handle
		}),
		"my credential, her handle": func(o *answer) string { return hers.at(t, o, here, phone.auth.Options.UserHandle) },
		"her credential, my handle": func(o *answer) string { return phone.at(t, o, here, hers.auth.Options.UserHandle) },
		"nobody's handle":           func(o *answer) string { return phone.at(t, o, here, []byte(strings.Repeat("x", 64))) },
		"a broken signature": forged(func(_, response map[string]any) {
			response["signature"] = base64.RawURLEncoding.EncodeToString([]byte("0000000000000000000000"))
		}),
	}
	var alone []byte
	for name, forge := range attacks {
		b := s.browser()
		a := b.post("/v1/login/passkey", forge(b.post("/v1/login/passkey/options", map[string]any{}).want(200)))
		if a.Status != 401 || len(a.Header.Values("Set-Cookie")) > 1 {
			t.Errorf("alone, %s: got %d %s", name, a.Status, a.Raw)
		}
		if alone == nil {
			alone = a.Raw
		}
		if string(a.Raw) != string(alone) {
			t.Errorf("alone, %s tells itself from others: %s", name, a.Raw)
		}
		b.get("/v1/session").want(401)

		half := ada.elsewhere()
		half.post("/v1/verify/passkey", forge(half.post("/v1/verify/passkey/options", map[string]any{}).want(200))).want(422, models.CodeFactorRejected)
		half.get("/v1/session").want(200).state(models.SecondFactorRequired, models.ACROne)
	}
}

// Recovery codes of a set that was replaced are gone, in parallel with its
// replacement as well: whichever comes first, an old code never opens the account
// after the answer with the new ones.
func TestAttackRecoveryCodesOfAReplacedSet(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(generous)
	ada := s.withTOTP("ada")
	ada.saveCodes()
	old := ada.codes
	tabs := make([]*person, len(old))
	for i := range tabs {
		tabs[i] = ada.elsewhere()
	}
	ada.prove(string(models.NewRecoveryCodes), "")
	parallel(1+len(old)/2, func(i int) *answer {
		if i == 0 {
			return ada.browser.post("/v1/me/recovery-codes", map[string]any{}).want(200)
		}
		return tabs[i].post("/v1/verify/recovery", map[string]any{"code": old[i]})
	})
	for i := range old {
		ada.elsewhere().post("/v1/verify/recovery", map[string]any{"code": old[i]}).want(422, models.CodeFactorRejected)
	}
}

// Every single-use thing of which the route tests have no race of 100 of their own.
func TestAttackOnceOf100(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(generous)
	ada := s.ready("ada")
	once := func(name string, wins int, counts map[int]int) {
		t.Helper()
		total := 0
		for status, n := range counts {
			if status >= 500 {
				t.Errorf("%s: %d answers of %d", name, n, status)
			}
			total += n
		}
		if counts[wins] != 1 || total != 100 {
			t.Errorf("%s: answers %v, exactly one may win", name, counts)
		}
	}
	// The code that confirms an enrolment.
	bea := s.register("bea")
	bea.secret = bea.post("/v1/me/totp", map[string]any{}).want(200).text("secret")
	code := map[string]any{"code": bea.code()}
	once("enrolment code", 200, parallel(100, func(int) *answer { return bea.clone().post("/v1/me/totp/confirm", code) }))
	// The answer to a registration challenge.
	cid, phone := s.register("cid"), newKey(true)
	made := map[string]any{"name": "", "credential": phone.create(t, cid.post("/v1/me/passkeys/options", map[string]any{}).want(200))}
	once("registration", 201, parallel(100, func(int) *answer { return cid.clone().post("/v1/me/passkeys", made) }))
	// A step-up's grant, which a change spends.
	ada.prove(string(models.RemoveTOTP), "")
	once("grant", 204, parallel(100, func(int) *answer { return ada.browser.clone().delete("/v1/me/totp") }))
	// A name: two accounts never share it.
	once("name", 201, parallel(100, func(int) *answer {
		return s.browser().from("192.0.2.1").post("/v1/accounts", map[string]any{"email": "eva@example.com", "username": "eva", "password": password})
	}))
}
