package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
)

func TestARegistrationIsConfirmedByItsLinkAndPassword(t *testing.T) {
	t.Parallel()
	s := proving(t)
	ada := s.asks("ada", "Ada@example.com", password)
	ada.get("/v1/session").want(401)
	// Until then there is no account: not by name, nor by address, nor for a new password.
	for _, name := range []string{"ada", "ada@example.com"} {
		s.browser().post("/v1/login", map[string]any{"identifier": name, "password": password}).want(401, models.CodeInvalidCredentials)
	}
	if s.resetLink("ada@example.com") != "" {
		t.Error("a letter offers a new password to nobody")
	}
	s.browser().post("/v1/accounts", map[string]any{"email": "eve@example.com", "username": "ada", "password": password + "!"}).want(409, models.CodeConflict)

	token := s.linkTo("Ada@example.com", models.LinkConfirmEmail)
	// Looking changes nothing, and a wrong password doesn't use it up.
	s.browser().do("GET", "/link/confirm-email", nil).want(200)
	s.browser().post("/v1/links/confirm-email", map[string]any{"token": token, "password": "another password"}).want(422, models.CodeFactorRejected)
	elsewhere := s.app()
	a := elsewhere.post("/v1/links/confirm-email", map[string]any{"token": token, "password": password, "transport": "bearer"}).
		want(200).state(models.EnrolmentRequired, models.ACROne)
	if user := a.Body["user"].(map[string]any); user["email"] != "Ada@example.com" || user["email_verified"] != true {
		t.Errorf("user %v", user)
	}
	elsewhere.post("/v1/me/totp", map[string]any{}).want(200)
	ada.confirms(token).want(410, models.CodeChallengeExpired)
	s.browser().post("/v1/login", map[string]any{"identifier": "ada@EXAMPLE.com", "password": password}).want(200)
	if s.facts("email_confirmed") != 1 || s.facts("account_created") != 1 {
		t.Error("the facts are not recorded")
	}
}

// Nobody learns from the answer whether an address is somebody's; its owner hears of it.
func TestAttackRegistrationTellsNothingOfAddresses(t *testing.T) {
	t.Parallel()
	s := proving(t)
	s.joins("ada")
	s.Clock.Advance(time.Hour) // her own letter counts no more
	var answers []http.Header
	for i, email := range []string{"ada@example.com", "nobody@example.com"} {
		a := s.browser().post("/v1/accounts", map[string]any{"email": email, "username": fmt.Sprintf("eve%d", i), "password": password}).want(202)
		if string(a.Raw) != "{}" {
			t.Errorf("%s: %s", email, a.Raw)
		}
		a.Header.Del("Date")
		answers = append(answers, a.Header)
	}
	if diff := cmp.Diff(answers[0], answers[1]); diff != "" {
		t.Error(diff)
	}
	var rows, claims, jobs, events int
	err := s.Pool.QueryRow(t.Context(), `
		SELECT (SELECT count(*) FROM users WHERE unconfirmed_until IS NOT NULL), (SELECT count(*) FROM address_claims),
			(SELECT count(*) FROM river_job WHERE kind = 'answer_address_claim'),
			(SELECT count(*) FROM events e JOIN users u ON u.id = e.user_id WHERE u.unconfirmed_until IS NOT NULL)`).Scan(&rows, &claims, &jobs, &events)
	if err != nil || rows != 2 || claims != 2 || jobs != 2 || events != 2 {
		t.Errorf("%d rows, %d claims, %d jobs and %d events for both; %v", rows, claims, jobs, events, err)
	}
	told := map[string]string{}
	for _, letter := range s.letters() {
		told[letter.To] += letter.Subject
		if letter.To == "ada@example.com" && len(tokensIn(letter)) != 0 {
			t.Errorf("the owner's letter lets do something: %v", tokensIn(letter))
		}
	}
	if want := map[string]string{"ada@example.com": "Somebody gave your address at Sallyport", "nobody@example.com": "Confirm your address for Sallyport"}; cmp.Diff(told, want) != "" {
		t.Errorf("told %v", told)
	}
	// Again and again it is the same, for both, and the owner hears of it once a day.
	for i, email := range []string{"ada@example.com", "nobody@example.com"} {
		body := map[string]any{"email": email, "username": fmt.Sprintf("eve%d", i), "password": password}
		s.browser().post("/v1/accounts", body).want(202)
		body["password"] = "another password"
		s.browser().post("/v1/accounts", body).want(409, models.CodeConflict)
		for i, want := range []int{202, 202, 429} {
			body["username"] = fmt.Sprintf("%.2s-%d", email, i)
			if a := s.browser().post("/v1/accounts", body); a.Status != want {
				t.Errorf("%s, time %d: %d", email, i, a.Status)
			}
		}
	}
	for _, letter := range s.letters() {
		if letter.To == "ada@example.com" {
			t.Errorf("another letter on the same day: %s", letter.Subject)
		}
	}
	// A taken user name is told, whosever the address.
	for _, email := range []string{"ada@example.com", "else@example.com"} {
		if a := s.browser().from("10.1.1.1").post("/v1/accounts", map[string]any{"email": email, "username": "ada", "password": password}); email != "ada@example.com" {
			a.want(409, models.CodeConflict)
		}
	}
}

// Free and taken take the same time: 60 pairs, by turns.
func TestAttackRegistrationTakesTheSameTimeForBoth(t *testing.T) {
	t.Parallel()
	s := proving(t)
	s.force(func(p *models.Policy) {
		wide := models.Limit{Max: 10_000, Window: models.Duration(time.Hour)}
		p.Limits.Registration, p.Limits.Reset = wide, wide
	})
	s.joins("ada")
	b := s.another(func(d *server.Deps) { d.Mails, d.VerifyEmails = true, true })
	took := func(i int, email string) time.Duration {
		tab := b.clone()
		began := time.Now()
		tab.post("/v1/accounts", map[string]any{"email": email, "username": fmt.Sprintf("%.2s%d", email, i), "password": password}).want(202)
		return time.Since(began)
	}
	const pairs = 60
	var differences, all []time.Duration
	for i := range pairs {
		var taken, free time.Duration
		if i%2 == 0 {
			taken, free = took(i, "ada@example.com"), took(i, "new@example.com")
		} else {
			free, taken = took(i, "new@example.com"), took(i, "ada@example.com")
		}
		differences, all = append(differences, taken-free), append(all, taken, free)
	}
	slices.Sort(differences)
	slices.Sort(all)
	middle, typical := differences[pairs/2], all[pairs]
	t.Logf("a registration takes %v, the median difference is %v", typical, middle)
	if middle.Abs() > typical/5 {
		t.Errorf("free and taken differ by %v of %v", middle, typical)
	}
}

// Pre-hijacking (Sudhodanan and Paverd, 2022): a stranger registers the victim's
// address with a password and a passkey of his own, and waits.
func TestAttackPreHijackingARegistration(t *testing.T) {
	t.Parallel()
	s := proving(t)
	eve := s.asks("eve", "ada@example.com", "eve's own password")
	forEve := s.linkTo("ada@example.com", models.LinkConfirmEmail)
	// He gets nowhere without the mailbox: no session, no factor.
	eve.post("/v1/me/passkeys/options", map[string]any{}).want(401)
	eve.loginPasskey(newKey(true)).want(401)
	s.browser().post("/v1/login", map[string]any{"identifier": "eve", "password": "eve's own password"}).want(401)

	// The victim registers as if nothing were, and clicks both letters: his makes nobody
	// an account, for she doesn't know his password.
	ada := s.asks("ada", "ada@example.com", password)
	forAda := s.linkTo("ada@example.com", models.LinkConfirmEmail)
	if forAda == "" {
		t.Fatal("the victim's letter did not come")
	}
	ada.confirms(forEve).want(422, models.CodeFactorRejected)
	ada.confirms(forAda).want(200)
	ada.addTOTP()
	// Whatever he does now, the address is hers.
	eve.confirms(forEve).want(410, models.CodeChallengeExpired)
	s.browser().post("/v1/login", map[string]any{"identifier": "ada@example.com", "password": "eve's own password"}).want(401)
	s.browser().post("/v1/login", map[string]any{"identifier": "ada@example.com", "password": password}).want(200)
	s.Clock.Advance(models.ConfirmWithin)
	if err := s.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := s.Pool.QueryRow(t.Context(), `SELECT count(*) FROM users`).Scan(&left); err != nil || left != 1 {
		t.Errorf("%d accounts are left, %v", left, err)
	}
	s.asks("eve", "eve@example.com", password) // the name is free again
}

// Of a hundred who follow two letters to one address at once, one gets it.
func TestAttackConfirmingAtOnce(t *testing.T) {
	t.Parallel()
	s := proving(t)
	s.force(generous)
	s.force(func(p *models.Policy) {
		p.Limits.Login.Max, p.Limits.Password.Max, p.Limits.InARow.Free = 1000, 1000, 1000
	})
	people := []*person{s.asks("ada", "shared@example.com", password), s.asks("bea", "shared@example.com", password)}
	var tokens []string
	for _, letter := range s.letters() {
		tokens = append(tokens, tokensIn(letter)[models.LinkConfirmEmail])
	}
	if len(tokens) != 2 {
		t.Fatalf("%d letters", len(tokens))
	}
	counts := parallel(100, func(i int) *answer {
		return s.browser().post("/v1/links/confirm-email", map[string]any{"token": tokens[i%2], "password": people[i%2].pwd})
	})
	if counts[200] != 1 || counts[410] != 99 {
		t.Errorf("answers %v", counts)
	}
	var holders int
	if err := s.Pool.QueryRow(t.Context(), `SELECT count(*) FROM users WHERE email_canonical = 'shared@example.com' AND email_verified`).Scan(&holders); err != nil || holders != 1 {
		t.Errorf("%d accounts have the address, %v", holders, err)
	}
}

func TestAttackGuessingTheRegistrationsPassword(t *testing.T) {
	t.Parallel()
	s := proving(t)
	ada := s.asks("ada", "ada@example.com", password)
	token := s.linkTo("ada@example.com", models.LinkConfirmEmail)
	passed := 0
	for i := range 100 {
		a := s.browser().from(fmt.Sprintf("10.3.%d.1", i)).post("/v1/links/confirm-email", map[string]any{"token": token, "password": fmt.Sprintf("guess number %d", i)})
		if a.Status == 422 {
			passed++
		} else {
			a.want(429, models.CodeRateLimited)
		}
	}
	if limit := s.policies.Current().Limits.Password.Max; passed > limit {
		t.Errorf("%d guesses were looked at, the limit is %d", passed, limit)
	}
	s.Clock.Advance(time.Hour)
	ada.from("10.4.1.1")
	ada.confirms(token).want(200)

	// Nor by registering again, which says whether it was right.
	s.asks("bea", "bea@example.com", password)
	looked := 0
	for i := range 40 {
		a := s.browser().from(fmt.Sprintf("10.5.%d.1", i)).post("/v1/accounts", map[string]any{"email": fmt.Sprintf("x%d@example.com", i), "username": "bea", "password": fmt.Sprintf("guess number %d", i)})
		if a.Status == 409 {
			looked++
		}
	}
	if limit := s.policies.Current().Limits.Password.Max; looked > limit {
		t.Errorf("%d guesses were looked at, the limit is %d", looked, limit)
	}
}

func TestLinksThatProveAnAddressAreForWhatTheyAre(t *testing.T) {
	t.Parallel()
	s := proving(t)
	ada := s.joins("ada")
	bea := s.asks("bea", "bea@example.com", password)
	tokens := map[models.LinkKind]string{
		models.LinkConfirmEmail: s.linkTo("bea@example.com", models.LinkConfirmEmail),
		models.LinkChangeEmail:  ada.wants("ada@example.org"),
	}
	ada.post("/v1/me/email/second", map[string]any{"email": "second@example.org"}).want(202)
	tokens[models.LinkSecondEmail] = s.linkTo("second@example.org", models.LinkSecondEmail)
	tokens["none"] = "x"
	kinds := []models.LinkKind{models.LinkConfirmEmail, models.LinkVerifyEmail, models.LinkChangeEmail, models.LinkSecondEmail, models.LinkUndoEmail, models.LinkNotMe, models.LinkPasswordReset}
	follow := func(kind models.LinkKind, token string) *answer {
		body := map[string]any{"token": token}
		if kind == models.LinkConfirmEmail {
			body["password"] = password
		}
		return s.browser().post("/v1/links/"+string(kind), body)
	}
	for of, token := range tokens {
		for _, kind := range kinds {
			if of != kind {
				follow(kind, token).want(410, models.CodeChallengeExpired)
			}
		}
	}
	s.Clock.Advance(models.ConfirmWithin)
	for kind, token := range tokens {
		if kind != "none" {
			follow(kind, token).want(410, models.CodeChallengeExpired)
		}
	}
	bea.get("/v1/session").want(401)
	if email := ada.signsIn().emailOf(); email != "ada@example.com" {
		t.Errorf("the address is %s", email)
	}
}
