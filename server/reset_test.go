package server_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
)

const fresh = "a brand new password"

// answered does what the job does with the letters that were asked for.
func (s *site) answered() {
	s.t.Helper()
	rows, err := s.Pool.Query(context.Background(), `SELECT id FROM letter_requests ORDER BY id`)
	if err != nil {
		s.t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[models.ID])
	if err != nil {
		s.t.Fatal(err)
	}
	for _, id := range ids {
		if err := s.AnswerRequest(context.Background(), id); err != nil {
			s.t.Fatal(err)
		}
	}
}

// posting is a browser at a server of the site that can send letters.
func (s *site) posting() *browser {
	return s.another(func(d *server.Deps) { d.Mails = true })
}

// resetLink asks for a letter to an address and gives its token, "" when none came.
func (s *site) resetLink(email string) string {
	s.t.Helper()
	s.mailbag()
	s.posting().post("/v1/password/forgot", map[string]any{"email": email}).want(202)
	s.answered()
	for _, letter := range s.mailbag() {
		if token := tokensIn(letter)[models.LinkPasswordReset]; token != "" && letter.To == email {
			return token
		}
	}
	return ""
}

// resetting is a person who may choose a new password, and nothing else.
func (s *site) resetting(name string) *person {
	s.t.Helper()
	return s.follows(s.register(name), s.resetLink(name+"@example.com"))
}

// follows opens the link in a browser of its own.
func (s *site) follows(p *person, token string) *person {
	s.t.Helper()
	there := *p
	there.browser = s.browser()
	there.post("/v1/links/password-reset", map[string]any{"token": token}).want(200)
	return &there
}

func TestAForgottenPassword(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada := s.withTOTP("ada")
	back := s.follows(ada, s.resetLink("ada@example.com"))
	back.get("/v1/session").want(200).state(models.SecondFactorRequired, models.ACROne)
	// The mailbox alone opens nothing and sets nothing.
	back.get("/v1/me").want(403, models.CodeSecondFactorRequired)
	back.post("/v1/password/reset", map[string]any{"new": fresh}).want(403, models.CodeSecondFactorRequired)
	s.nextStep()
	back.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200).state(models.Resetting, models.ACRRecovery)
	for _, route := range []string{"/v1/me", "/v1/me/sessions", "/v1/me/passkeys"} {
		back.get(route).want(403, models.CodeResetting)
	}
	back.post("/v1/password/reset", map[string]any{"new": "short"}).want(400, models.CodeInvalidRequest)
	back.post("/v1/password/reset", map[string]any{"new": fresh}).want(204)
	// Everybody is signed out, and told.
	back.get("/v1/session").want(401)
	ada.get("/v1/session").want(401)
	s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(401)
	s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": fresh}).want(200).
		state(models.SecondFactorRequired, models.ACROne)
	if bag := s.mailbag(); len(bag) != 1 || bag[0].To != "ada@example.com" {
		t.Errorf("told: %+v", bag)
	}
}

// Whatever factor follows the link, the session never signs in.
func TestAResetNeverSignsIn(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada, phone := s.withFace("ada", 1), newKey(true)
	ada.addPasskey(phone, "").want(201)
	ada.saveCodes()
	byPasskey := s.follows(ada, s.resetLink("ada@example.com"))
	byPasskey.verifyPasskey(phone).want(200).state(models.Resetting, models.ACRRecovery)
	byPasskey.get("/v1/me").want(403, models.CodeResetting)
	byPasskey.browser.post("/v1/step-up", map[string]any{"purpose": "remove_totp"}).want(403, models.CodeResetting)

	byCode := s.follows(ada, s.resetLink("ada@example.com"))
	byCode.post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200).state(models.Resetting, models.ACRRecovery)
	byCode.post("/v1/me/totp", map[string]any{}).want(403, models.CodeResetting)

	// A face beside a mailbox is no physical thing at all.
	byFace := s.follows(ada, s.resetLink("ada@example.com"))
	if factors := byFace.get("/v1/session").want(200).Body["factors"]; cmp.Diff(factors, []any{"passkey", "totp", "recovery"}) != "" {
		t.Errorf("offered %v", factors)
	}
	byFace.showFace(someone(1)).want(409, models.CodeConflict)
	byFace.get("/v1/session").want(200).state(models.SecondFactorRequired, models.ACROne)
}

// An account that never had a second factor has nothing else to prove.
func TestAResetBeforeTheFirstFactor(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada := s.register("ada")
	back := s.follows(ada, s.resetLink("ada@example.com"))
	back.get("/v1/session").want(200).state(models.Resetting, models.ACROne)
	back.post("/v1/me/totp", map[string]any{}).want(403, models.CodeResetting)
	back.post("/v1/password/reset", map[string]any{"new": fresh}).want(204)
	ada.get("/v1/session").want(401)
	s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": fresh}).want(200).
		state(models.EnrolmentRequired, models.ACROne)
}

// Nobody learns from the answer whether an account has the address.
func TestForgettingTellsNothing(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	s.withTOTP("ada")
	s.mailbag()
	var answers []http.Header
	for _, email := range []string{"ada@example.com", "nobody@example.com"} {
		a := s.posting().post("/v1/password/forgot", map[string]any{"email": email}).want(202)
		a.Header.Del("Date")
		answers = append(answers, a.Header)
		if string(a.Raw) != "{}" {
			t.Errorf("%s: %s", email, a.Raw)
		}
	}
	if diff := cmp.Diff(answers[0], answers[1]); diff != "" {
		t.Error(diff)
	}
	var rows, jobs int
	if err := s.Pool.QueryRow(t.Context(), `SELECT count(*), (SELECT count(*) FROM river_job WHERE kind = 'answer_letter_request') FROM letter_requests`).Scan(&rows, &jobs); err != nil || rows != 2 || jobs != 2 {
		t.Errorf("%d rows and %d jobs for a known and an unknown address, %v", rows, jobs, err)
	}
	s.answered()
	if bag := s.mailbag(); len(bag) != 1 || bag[0].To != "ada@example.com" {
		t.Errorf("letters: %+v", bag)
	}
	// Its limit is the same as well, and knows no other spelling.
	for _, spellings := range [][]string{{"Ada@Example.com", "ADA@example.com"}, {"Nobody@Example.com", "NOBODY@example.com"}} {
		for i := range 5 {
			a := s.posting().post("/v1/password/forgot", map[string]any{"email": spellings[i%2]})
			if want := map[bool]int{true: 202, false: 429}[i < 4]; a.Status != want {
				t.Errorf("%s, time %d: %d", spellings[i%2], i, a.Status)
			}
		}
	}
	s.posting().post("/v1/password/forgot", map[string]any{"email": "no address"}).want(400, models.CodeInvalidRequest)
	s.browser().post("/v1/password/forgot", map[string]any{"email": "ada@example.com"}).want(409, models.CodeConflict)
}

func TestAResetLinkWorksOnceOf100(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada := s.withTOTP("ada")
	token := s.resetLink("ada@example.com")
	counts := parallel(100, func(int) *answer { return s.browser().post("/v1/links/password-reset", map[string]any{"token": token}) })
	if counts[200] != 1 || counts[410] != 99 {
		t.Errorf("answers %v", counts)
	}
	// Of its pages none uses it up, nor does it serve for another kind of link.
	token = s.resetLink("ada@example.com")
	for _, page := range []string{"/link/password-reset", "/forgot"} {
		s.browser().do("GET", page, nil).want(200)
	}
	s.browser().post("/v1/links/not-me", map[string]any{"token": token}).want(410, models.CodeChallengeExpired)
	s.Clock.Advance(30 * time.Minute)
	s.browser().post("/v1/links/password-reset", map[string]any{"token": token}).want(410, models.CodeChallengeExpired)
	s.browser().post("/v1/links/password-reset", map[string]any{"token": "x"}).want(410, models.CodeChallengeExpired)
	s.browser().post("/v1/links/password-reset", map[string]any{}).want(400, models.CodeInvalidRequest)

	// A new password voids links to the old one, and the sessions that they opened.
	one, two := s.resetLink("ada@example.com"), s.resetLink("ada@example.com")
	opened := s.follows(ada, one)
	again := ada.elsewhere()
	s.nextStep()
	again.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
	again.post("/v1/me/password", map[string]any{"current": password, "new": fresh}).want(204)
	opened.get("/v1/session").want(401)
	s.browser().post("/v1/links/password-reset", map[string]any{"token": two}).want(410, models.CodeChallengeExpired)
}

// A wrong second factor after a link says nothing about the password.
func TestAResetRaisesNoAlarmAboutThePassword(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada := s.withTOTP("ada")
	back := s.follows(ada, s.resetLink("ada@example.com"))
	back.post("/v1/verify/totp", map[string]any{"code": "000000"}).want(422, models.CodeFactorRejected)
	s.Clock.Advance(time.Hour)
	if err := s.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := s.facts("second_factor_failed") + s.facts("sign_in_unfinished"); n != 0 {
		t.Errorf("%d alarms", n)
	}
}

// What strangers did to the password's lanes ends with the password.
func TestAResetOpensTheLanesAgain(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada := s.withTOTP("ada")
	s.flood("ada", 200, 24*time.Hour)
	back := s.follows(ada, s.resetLink("ada@example.com"))
	s.nextStep()
	back.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
	back.post("/v1/password/reset", map[string]any{"new": fresh}).want(204)
	s.Clock.Advance(2 * time.Hour) // a wait that runs goes on to its end
	s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": fresh}).want(200)
}
