package server_test

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

func TestStaleSessionsStepUpBeforeSensitiveWrites(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	s.Clock.Advance(6 * time.Minute)
	for _, write := range []func() *answer{
		func() *answer { return ada.post("/v1/me/passkeys/options", map[string]any{}) },
		func() *answer { return ada.post("/v1/me/recovery-codes", map[string]any{}) },
		func() *answer {
			return ada.askEnrol(nil)
		},
		func() *answer { return ada.delete("/v1/me/totp") },
		func() *answer {
			return ada.post("/v1/me/password", map[string]any{"current": password, "new": "a brand new password"})
		},
	} {
		a := write().want(403, models.CodeStepUpRequired)
		if a.Body["max_age"] != 300.0 || len(a.Body["factors"].([]any)) != 1 || a.Body["factors"].([]any)[0] != "totp" {
			t.Errorf("%s: got %s", a.what, a.Raw)
		}
	}
	ada.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
	ada.addPasskey(newKey(true), "").want(201)
}

func TestAWeakerProofCannotPlantAStrongerFactor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.register("ada")
	ada.saveCodes()
	ada.enrolFace(someone(1)).want(201).state(models.Authenticated, models.ACRMFA)
	refused := ada.post("/v1/me/passkeys/options", map[string]any{}).want(403, models.CodeStepUpRequired)
	if len(refused.Body["factors"].([]any)) != 0 {
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
	tab.post("/v1/verify/recovery", map[string]any{"code": " " + ada.codes[0] + " "}).want(200).state(models.Recovering, models.ACRRecovery)
	ada.elsewhere().post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(422, models.CodeFactorRejected)
	if left := ada.get("/v1/me/recovery-codes").want(200).Body["left"]; left != 9.0 {
		t.Errorf("%v left", left)
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
