package server_test

import (
	"sync"
	"testing"

	"github.com/sallyport/sallyport/models"
)

// Somebody who knows the password of an account without a second factor must
// not be able to leave anything behind for the day when it has one.
func TestRecoveryCodesPlantedBeforeTheFirstFactorAreWorthNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.register("ada")
	thief := ada.elsewhere()
	thief.saveCodes()
	if left := ada.get("/v1/me/recovery-codes").want(200).Body["left"]; left != 0.0 {
		t.Errorf("ada is shown %v codes that she was never given", left)
	}
	ada.saveCodes()
	if left := thief.get("/v1/me/recovery-codes").want(200).Body["left"]; left != 10.0 {
		t.Errorf("one session's set took another's place: %v left", left)
	}
	planted := thief.codes
	ada.addTOTP()
	s.force(generous)
	thief = ada.elsewhere()
	for _, code := range planted {
		thief.post("/v1/verify/recovery", map[string]any{"code": code}).want(422, models.CodeFactorRejected)
	}
	thief.post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200)
}

// A face alone is no way in: what another session was issued does not count.
func TestAFaceNeedsRecoveryCodesOfItsOwnSession(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.register("ada")
	ada.elsewhere().saveCodes()
	ada.askEnrol(nil).want(409, models.CodeConflict)
}

// Of two challenges asked for at once only one may stay.
func TestOnlyTheNewestChallengeCounts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	tab := ada.elsewhere()
	var asking sync.WaitGroup
	for range 5 { // as many as come without a wait
		asking.Go(func() { tab.clone().post("/v1/verify/face/challenge", map[string]any{}).want(201) })
	}
	asking.Wait()
	var live int
	if err := s.Pool.QueryRow(t.Context(), `SELECT count(*) FROM challenges WHERE purpose = 'verify_face'`).Scan(&live); err != nil || live != 1 {
		t.Errorf("%d challenges of one purpose live, %v", live, err)
	}
}

func TestAFaceErasedDuringItsCaptureIsRejected(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	issued := ada.post("/v1/verify/face/challenge", map[string]any{}).want(201)
	ada.before(issued, someone(1), nil)
	ada.delete("/v1/me/face").want(204)
	ada.post("/v1/verify/face", map[string]any{"challenge": issued.text("id")}).want(410, models.CodeChallengeExpired)
}

// Postgres takes NUL in no text. Whoever sends it hears so.
func TestNULIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.browser().post("/v1/login", map[string]any{"identifier": "a\x00b", "password": password}).want(400, models.CodeInvalidRequest)
	odd := s.browser()
	odd.post("/v1/login", `{"identifier":"ada","password":"\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000"}`).want(401)
}
