package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// sensitive are the writes that need a step-up, as somebody sends them who holds a
// stolen session and knows nothing else.
func sensitive(s *site) map[string]any {
	id := string(models.NewID(s.Clock.Now()))
	return map[string]any{
		"POST /v1/me/passkeys/options": map[string]any{},
		"POST /v1/me/passkeys":         map[string]any{"credential": map[string]any{}},
		"POST /v1/me/totp":             map[string]any{},
		"POST /v1/me/face/challenge":   map[string]any{"consent_version": "1"},
		"POST /v1/me/devices":          map[string]any{},
		"DELETE /v1/me/devices/" + id:  nil,
		"DELETE /v1/me/passkeys/" + id: nil,
		"DELETE /v1/me/totp":           nil,
		"DELETE /v1/me/face":           nil,
		"POST /v1/me/password":         map[string]any{"current": password, "new": "a brand new password"},
		"GET /v1/me/export":            nil,
		"DELETE /v1/me":                nil,
	}
}

// A session that was signed in a moment ago is no proof for anything that guards the
// account: whoever took it over could do everything within its first minutes.
func TestAFreshSessionAloneChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	thief := ada.clone()
	for write, body := range sensitive(s) {
		method, path, _ := strings.Cut(write, " ")
		if write == "POST /v1/me/passkeys" {
			thief.do(method, path, body).want(410, models.CodeChallengeExpired) // no ceremony began
			continue
		}
		a := thief.do(method, path, body).want(403, models.CodeStepUpRequired)
		if a.Body["max_age"] != 300.0 || len(a.Body["factors"].([]any)) != 1 || a.Body["factors"].([]any)[0] != "totp" {
			t.Errorf("%s: got %s", a.what, a.Raw)
		}
		if alone := write == "POST /v1/me/password" || write == "GET /v1/me/export"; a.Body["password"] == true == alone {
			t.Errorf("%s: got %s", a.what, a.Raw)
		}
	}
}

// Whoever has only one of both, the password or the factor, gets no further.
func TestAChangeNeedsPasswordAndFactor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	raw := ada.browser
	begin := func() string {
		return raw.post("/v1/step-up", map[string]any{"purpose": "add_passkey"}).want(201).text("id")
	}
	options := func() *answer { return raw.post("/v1/me/passkeys/options", map[string]any{}) }

	id := begin()
	raw.post("/v1/verify/password", map[string]any{"password": password, "step_up": id}).want(200)
	if a := options().want(403, models.CodeStepUpRequired); a.Body["password"] == true {
		t.Errorf("the password is asked for twice: %s", a.Raw)
	}
	id = begin() // anew: what was proven for the older one is gone
	s.nextStep()
	raw.post("/v1/verify/totp", map[string]any{"code": ada.code(), "step_up": id}).want(200)
	if a := options().want(403, models.CodeStepUpRequired); a.Body["password"] != true || len(a.Body["factors"].([]any)) != 0 {
		t.Errorf("what is missing: %s", a.Raw)
	}
	raw.post("/v1/verify/password", map[string]any{"password": "not this one", "step_up": id}).want(422, models.CodeFactorRejected)
	options().want(403, models.CodeStepUpRequired)
	raw.post("/v1/verify/password", map[string]any{"password": password, "step_up": id}).want(200)
	options().want(200)
}

// A proof that names no step-up is none for it, however fresh.
func TestAProofIsForTheStepUpThatItNames(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	raw := ada.browser
	raw.post("/v1/step-up", map[string]any{"purpose": "remove_totp"}).want(201)
	s.nextStep()
	raw.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
	raw.post("/v1/verify/password", map[string]any{"password": password}).want(200)
	raw.delete("/v1/me/totp").want(403, models.CodeStepUpRequired)

	// Nor does another purpose, another object or another session serve.
	phone, laptop := newKey(true), newKey(true)
	ada.addPasskey(phone, "").want(201)
	ada.addPasskey(laptop, "").want(201)
	listed := ada.get("/v1/me/passkeys").want(200).Body["passkeys"].([]any)
	first, second := listed[0].(map[string]any)["id"].(string), listed[1].(map[string]any)["id"].(string)
	ada.prove("remove_passkey", first)
	raw.delete("/v1/me/passkeys/"+second).want(403, models.CodeStepUpRequired)
	raw.delete("/v1/me/totp").want(403, models.CodeStepUpRequired)
	raw.get("/v1/me/export").want(403, models.CodeStepUpRequired)
	other := ada.elsewhere()
	other.verifyPasskey(laptop).want(200)
	other.browser.delete("/v1/me/passkeys/"+first).want(403, models.CodeStepUpRequired)
	raw.delete("/v1/me/passkeys/" + first).want(204)
}

func TestAStepUpOfAnotherSessionTakesNoProof(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	phone := newKey(true)
	ada.addPasskey(phone, "").want(201)
	other := ada.elsewhere()
	other.verifyPasskey(phone).want(200)
	id := ada.browser.post("/v1/step-up", map[string]any{"purpose": "remove_totp"}).want(201).text("id")
	other.browser.post("/v1/verify/password", map[string]any{"password": password, "step_up": id}).want(410, models.CodeChallengeExpired)
	other.browser.post("/v1/verify/passkey/options", map[string]any{"step_up": id}).want(410, models.CodeChallengeExpired)
	s.nextStep()
	other.browser.post("/v1/verify/totp", map[string]any{"code": other.code(), "step_up": id}).want(410, models.CodeChallengeExpired)
	ada.browser.delete("/v1/me/totp").want(403, models.CodeStepUpRequired)
	for _, broken := range []string{"x", string(models.NewID(s.Clock.Now()))} {
		if a := ada.browser.post("/v1/verify/passkey/options", map[string]any{"step_up": broken}); a.Status != 400 && a.Status != 410 {
			t.Errorf("%s: got %d", broken, a.Status)
		}
	}
}

// A grant serves one write of a hundred, and not for longer than it lives.
func TestAGrantServesOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	ada.addPasskey(newKey(true), "").want(201)
	ada.prove("recovery_codes", "")
	ada.browser.post("/v1/me/recovery-codes", map[string]any{}).want(200)
	ada.browser.post("/v1/me/recovery-codes", map[string]any{}).want(403, models.CodeStepUpRequired)

	ada.prove("export", "")
	counts := parallel(100, func(int) *answer { return ada.clone().get("/v1/me/export") })
	if counts[200] != 1 || counts[403] != 99 {
		t.Errorf("answers %v: one grant, one export", counts)
	}

	ada.prove("export", "")
	s.Clock.Advance(5 * time.Minute)
	ada.browser.get("/v1/me/export").want(403, models.CodeStepUpRequired)
}

// Codes may be asked for right after the first factor was set up, but not without
// saying so.
func TestARecentProofGrantsWhereThePolicyLetsIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	ada.browser.post("/v1/me/recovery-codes", map[string]any{}).want(403, models.CodeStepUpRequired)
	if a := ada.browser.post("/v1/step-up", map[string]any{"purpose": "recovery_codes"}).want(201); a.Body["granted"] != true {
		t.Errorf("got %s", a.Raw)
	}
	ada.browser.post("/v1/me/recovery-codes", map[string]any{}).want(200)
	s.Clock.Advance(5 * time.Minute)
	if a := ada.browser.post("/v1/step-up", map[string]any{"purpose": "recovery_codes"}).want(201); a.Body["granted"] != false {
		t.Errorf("got %s", a.Raw)
	}
	// A stricter policy binds at once.
	s.force(func(p *models.Policy) { p.StepUp.RecoveryCodes.Password = true })
	ada.browser.post("/v1/me/recovery-codes", map[string]any{}).want(403, models.CodeStepUpRequired)
	for _, broken := range []map[string]any{{"purpose": "everything"}, {}, {"purpose": "export", "object": strings.Repeat("x", 400)}} {
		ada.browser.post("/v1/step-up", broken).want(400, models.CodeInvalidRequest)
	}
}

// A change that goes through takes what was proven for others with it: it may have
// been proven by what has just gone.
func TestAChangeTakesOtherGrantsWithIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	ada.addPasskey(newKey(true), "").want(201)
	ada.prove("export", "")
	ada.prove("remove_totp", "")
	ada.browser.delete("/v1/me/totp").want(204)
	ada.browser.get("/v1/me/export").want(403, models.CodeStepUpRequired)
}

func TestAWeakerProofCannotPlantAStrongerFactor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.register("ada")
	ada.saveCodes()
	ada.enrolFace(someone(1)).want(201).state(models.Authenticated, models.ACRMFA)
	refused := ada.browser.post("/v1/me/passkeys/options", map[string]any{}).want(403, models.CodeStepUpRequired)
	if len(refused.Body["factors"].([]any)) != 0 || refused.Body["password"] == true {
		t.Errorf("got %s: a face can't do", refused.Raw)
	}
	// A recovery code is the way: it lowers the session, which may then enrol.
	ada.post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200).state(models.Recovering, models.ACRRecovery)
	ada.addPasskey(newKey(true), "").want(201)
	ada.get("/v1/me").want(403, models.CodeRecovering)
}

func TestRemovingAFactorEndsOtherSessions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	phone := newKey(true)
	ada.addPasskey(phone, "").want(201)
	other := ada.elsewhere()
	other.verifyPasskey(phone).want(200)
	ada.delete("/v1/me/totp").want(204)
	other.get("/v1/session").want(401, models.CodeSessionRequired)
	ada.get("/v1/me").want(200)
	passkeys := ada.get("/v1/me/passkeys").want(200).Body["passkeys"].([]any)
	ada.delete("/v1/me/passkeys/"+passkeys[0].(map[string]any)["id"].(string)).want(409, models.CodeLastFactor)
}

func TestTheLastWayWithoutACameraStays(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	ada.delete("/v1/me/totp").want(409, models.CodeLastFactor)
	ada.saveCodes()
	ada.delete("/v1/me/totp").want(204)
}

func TestChangingThePassword(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	other := ada.elsewhere()
	fresh := "a brand new password"
	ada.post("/v1/me/password", map[string]any{"current": "not this one", "new": fresh}).want(422, models.CodeFactorRejected)
	ada.post("/v1/me/password", map[string]any{"current": password, "new": "short"}).want(400, models.CodeInvalidRequest)
	before := ada.cookies["sallyport"]
	ada.post("/v1/me/password", map[string]any{"current": password, "new": fresh}).want(204)
	if ada.cookies["sallyport"] == before {
		t.Error("the token did not change")
	}
	ada.get("/v1/me").want(200)
	other.get("/v1/session").want(401)
	s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(401)
	// The second factor is asked for as before.
	s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": fresh}).want(200).
		state(models.SecondFactorRequired, models.ACROne)
}

func TestRecoveryCodes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	ada.saveCodes()
	tab := ada.elsewhere()
	for _, broken := range []string{"", "1", "xx-AAAA-AAAA-AAAA-AAAA", ada.codes[0][:15]} {
		tab.post("/v1/verify/recovery", map[string]any{"code": broken}).want(400, models.CodeInvalidRequest)
	}
	// The right secret under another row's number is wrong.
	tab.post("/v1/verify/recovery", map[string]any{"code": "02" + ada.codes[0][2:]}).want(422, models.CodeFactorRejected)
	used := tab.post("/v1/verify/recovery", map[string]any{"code": " " + ada.codes[0] + " "}).want(200).state(models.Recovering, models.ACRRecovery)
	ada.elsewhere().post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(422, models.CodeFactorRejected)
	// A new one stands in its row.
	if left := ada.get("/v1/me/recovery-codes").want(200).Body["left"]; left != 10.0 {
		t.Errorf("%v left", left)
	}
	fresh := used.text("recovery_code")
	if fresh[:3] != ada.codes[0][:3] || fresh == ada.codes[0] {
		t.Errorf("%s takes the place of %s", fresh, ada.codes[0])
	}
	again := ada.elsewhere().post("/v1/verify/recovery", map[string]any{"code": fresh}).want(200)
	ada.elsewhere().post("/v1/verify/recovery", map[string]any{"code": fresh}).want(422, models.CodeFactorRejected)
	if again.text("recovery_code") == fresh {
		t.Error("the same code was issued twice")
	}
	// A new set takes the old one's place.
	old := ada.codes[1]
	ada.saveCodes()
	ada.elsewhere().post("/v1/verify/recovery", map[string]any{"code": old}).want(422, models.CodeFactorRejected)
	// A lower-case code with spaces is the same code.
	ada.elsewhere().post("/v1/verify/recovery", map[string]any{"code": spaced(ada.codes[2])}).want(200)
}

func TestLosingFactorsNeverLowersSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	if _, err := s.Pool.Exec(t.Context(), `DELETE FROM totp`); err != nil {
		t.Fatal(err)
	}
	tab := ada.elsewhere()
	tab.get("/v1/session").want(200).state(models.SecondFactorRequired, models.ACROne)
	tab.post("/v1/me/totp", map[string]any{}).want(403, models.CodeSecondFactorRequired)
}

func TestAnEnrolmentBegunElsewhereDies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.register("ada")
	thief := &person{browser: s.browser(), name: "ada"}
	thief.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
	thief.secret = thief.post("/v1/me/totp", map[string]any{}).want(200).text("secret")
	ada.addTOTP()
	thief.post("/v1/me/totp/confirm", map[string]any{"code": thief.code()}).want(401, models.CodeSessionRequired)
}

func TestAnExpiredEnrolmentCodeIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.register("ada")
	ada.secret = ada.post("/v1/me/totp", map[string]any{}).want(200).text("secret")
	s.Clock.Advance(16 * time.Minute)
	ada.post("/v1/me/totp/confirm", map[string]any{"code": ada.code()}).want(410, models.CodeChallengeExpired)
}

func spaced(code string) string {
	out := ""
	for i, r := range code {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		if r == '-' {
			r = ' '
		}
		if i == 1 {
			out += " "
		}
		out += string(r)
	}
	return out
}
