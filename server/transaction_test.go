package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/sallyport/sallyport/models"
)

func TestATransaction(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	phone := bank.withKey("ana@example.com", true)
	asked := bank.ask("ana@example.com").want(201)
	tab := asked.tab()
	// Looking at the address does nothing, and shows nothing of what is asked.
	for range 2 {
		if page := tab.get("/transaction/" + tab.id).want(200); strings.Contains(string(page.Raw), "40 EUR") {
			t.Error("what is asked is shown to whoever looks")
		}
	}
	tab.open().want(200).state(models.TransactionFactorRequired, models.ACRNone)
	page := string(tab.get("/transaction/" + tab.id).want(200).Raw)
	for _, shown := range []string{"Example Bank", "Ada Byron", "Send 40 EUR to Ana", "To: DE12", `data-factor="passkey"`} {
		if !strings.Contains(page, shown) {
			t.Errorf("the page lacks %q", shown)
		}
	}
	tab.verifyKey(phone).want(200).state(models.TransactionPassed, models.ACRAAL2)
	if got := bank.status(tab); got != "passed" {
		t.Errorf("it stands at %s", got)
	}
	way := tab.goBack().want(200)
	to, err := url.Parse(way.text("return_to"))
	if err != nil || !strings.HasPrefix(to.String(), returnTo+"?") || way.text("origin") != "https://bank.example.com" {
		t.Fatalf("it leads to %s of %s; %v", to, way.text("origin"), err)
	}
	if q := to.Query(); q.Get("state") != strings.ReplaceAll(theirs, " ", "-") || q.Get("transaction") != tab.id || q.Get("iss") != origin {
		t.Errorf("brought back: %v", q)
	}
	result := bank.redeem(tab, to.Query().Get("code")).want(200)
	sum := sha256.Sum256([]byte(`{"action":"Send 40 EUR to Ana","details":"To: DE12\nOn: today","purpose":"payment","subject":"ana@example.com"}`))
	hash := base64.RawURLEncoding.EncodeToString(sum[:])
	if result.text("context_hash") != hash || asked.text("context_hash") != hash {
		t.Errorf("hashes %s and %s, want %s", result.text("context_hash"), asked.text("context_hash"), hash)
	}
	if result.text("subject") != "ana@example.com" || result.text("acr") != "aal2" || fmt.Sprint(result.Body["amr"]) != "[hwk user mfa]" || result.Body["enrolled"] != false {
		t.Errorf("got %s", result.Raw)
	}
	if got := bank.status(tab); got != "redeemed" {
		t.Errorf("it stands at %s", got)
	}
	tab.goBack().want(401, models.CodeSessionRequired)
	for _, fact := range []string{"transaction_begun", "transaction_opened", "transaction_passed", "transaction_redeemed"} {
		if s.facts(fact) != 2 { // with the one that set it up
			t.Errorf("%s: %d facts", fact, s.facts(fact))
		}
	}
}

// Whoever is signed in here at the same time is nobody to a transaction, and several run
// side by side.
func TestTransactionsRunBesideASignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	secret := bank.enrolled("grace")
	ada := s.withTOTP("ada")
	first, second := bank.ask("grace").want(201).tab(), bank.ask("grace").want(201).tab()
	first.cookies, second.cookies = ada.cookies, ada.cookies
	first.open().want(200)
	second.open().want(200)
	second.verifyTOTP(secret).want(200)
	s.nextStep()
	first.verifyTOTP(secret).want(200)
	ada.get("/v1/me").want(200)
	bank.redeem(first, first.comeBack()).want(200)
	bank.redeem(second, second.comeBack()).want(200)
	ada.get("/v1/me").want(200)
}

func TestWhatASubjectCantMeetIsToldAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	bank.enrolled("totp")
	refused := func(a *askedFor, reason string, factors ...any) {
		t.Helper()
		if a.want(409, models.CodeFactorRequired); a.text("reason") != reason || !slices.Equal(a.Body["factors"].([]any), factors) {
			t.Errorf("got %s", a.Raw)
		}
	}
	refused(bank.ask("nobody"), "no_factor")
	refused(bank.ask("totp", with("factors", []string{"passkey", "face"})), "unmet", "totp")
	refused(bank.ask("totp", with("acr", "aal2")), "unmet", "totp")
	refused(bank.ask("totp", with("acr", "aal2"), enrolling), "unmet", "totp")
	if a := bank.ask("nobody", with("factors", []string{"face"}), enrolling).want(400, models.CodeInvalidRequest); a.text("reason") != "face_alone" {
		t.Errorf("got %s", a.Raw)
	}
	if _, err := s.Pool.Exec(t.Context(), `INSERT INTO factor_failures (user_id, factor, failures, disabled_at) SELECT id, 'totp', 100, created_at FROM users WHERE subject = 'totp'`); err != nil {
		t.Fatal(err)
	}
	refused(bank.ask("totp", enrolling), "factor_disabled")
	bank.delete("/v1/subjects/totp").want(204)
	bank.ask("totp", enrolling).want(201)
	var left int
	if err := s.Pool.QueryRow(t.Context(), `SELECT count(*) FROM users WHERE subject = 'nobody'`).Scan(&left); err != nil || left != 0 {
		t.Errorf("a refused request left %d subjects; %v", left, err)
	}
}

func TestASubjectsFirstFactors(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	tab := bank.ask("grace", enrolling).want(201).opened()
	if page := tab.get("/transaction/" + tab.id).want(200); !strings.Contains(string(page.Raw), `data-choose="passkey"`) || strings.Contains(string(page.Raw), `data-choose="face"`) {
		t.Errorf("offered: %s", page.Raw)
	}
	tab.setUpTOTP()
	if page := tab.get("/transaction/" + tab.id).want(200); !strings.Contains(string(page.Raw), "data-add-face") {
		t.Error("a face is not offered beside it")
	}
	tab.setUpKey(newKey(true)).want(201)
	code := tab.comeBack()
	result := bank.redeem(tab, code).want(200)
	if result.text("acr") != "aal2" || result.Body["enrolled"] != true || fmt.Sprint(result.Body["amr"]) != "[otp hwk user mfa]" {
		t.Errorf("got %s", result.Raw)
	}
	// From then on it confirms, and adds nothing.
	s.nextStep()
	later := bank.ask("grace", enrolling).want(201).opened()
	later.post("/v1/me/totp", map[string]any{}).want(403, models.CodeInTransaction)
}

func TestATransactionTakesTenMinutes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	secret := bank.enrolled("grace")
	opened, waiting := bank.ask("grace").want(201).opened(), bank.ask("grace").want(201).tab()
	s.Clock.Advance(models.TransactionWithin)
	opened.verifyTOTP(secret).want(401, models.CodeSessionRequired)
	waiting.open().want(410, models.CodeChallengeExpired)
	opened.get("/transaction/" + opened.id).want(410)
	for _, tab := range []*tab{opened, waiting} {
		if got := bank.status(tab); got != "expired" {
			t.Errorf("it stands at %s", got)
		}
	}
	// A code that was brought back in time is good for its minute.
	last := bank.ask("grace").want(201).opened()
	s.Clock.Advance(models.TransactionWithin - time.Second)
	last.verifyTOTP(secret).want(200)
	code := last.comeBack()
	s.Clock.Advance(30 * time.Second)
	bank.redeem(last, code).want(200)

	old := bank.ask("never", enrolling).want(201).tab()
	s.Clock.Advance(25 * time.Hour)
	if err := s.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	bank.get("/v1/transactions/"+old.id).want(404, models.CodeNotFound)
	var subjects string
	if err := s.Pool.QueryRow(t.Context(), `SELECT string_agg(subject, ' ') FROM users WHERE client_id IS NOT NULL`).Scan(&subjects); err != nil || subjects != "grace" {
		t.Errorf("subjects %q are left; %v", subjects, err)
	}
}

func TestTurningATransactionDown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	secret := bank.enrolled("grace")
	tab := bank.ask("grace", with("return_to", returnTo+"?from=us")).want(201).opened()
	way := tab.post("/v1/transactions/"+tab.id+"/deny", map[string]any{}).want(200)
	to, _ := url.Parse(way.text("return_to"))
	if q := to.Query(); q.Get("error") != "access_denied" || q.Get("from") != "us" || q.Has("code") {
		t.Errorf("brought back: %v", q)
	}
	if got := bank.status(tab); got != "denied" {
		t.Errorf("it stands at %s", got)
	}
	tab.verifyTOTP(secret).want(401, models.CodeSessionRequired)
	tab.get("/transaction/" + tab.id).want(410)
}

// A subject is nobody who could be found, written to or counted among accounts.
func TestSubjectsAreNoAccounts(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	s.MailPerHour = func() int { return 100 }
	boss := s.admin("boss")
	boss.post("/v1/admin/webhooks", map[string]any{"url": "https://app.example.com/hooks"}).want(201)
	s.mailbag() // the admin's own
	bank := s.bank()
	bank.enrolled("ada@example.com")
	for _, name := range []string{"ada@example.com", "Ada Byron", "", "bank"} {
		if a := s.browser().post("/v1/login", map[string]any{"identifier": name, "password": password}); a.Status != 401 && a.Status != 400 {
			t.Errorf("%q signs in: %d", name, a.Status)
		}
	}
	s.register("ada") // the address is free
	if got := s.mailbag(); len(got) != 0 {
		t.Errorf("letters about a subject: %v", got)
	}
	var told int
	err := s.Pool.QueryRow(t.Context(), `
		SELECT count(*) FROM webhook_deliveries d WHERE d.user_id IN (SELECT id FROM users WHERE client_id IS NOT NULL) OR d.payload::text LIKE '%factor.added%'`).Scan(&told)
	if err != nil || told != 0 {
		t.Errorf("%d messages about a subject; %v", told, err)
	}
	events, err := s.PublishedEvents(t.Context(), models.MinID(s.Clock.Now().Add(-time.Hour)), 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Fact == "factor_added" && e.Detail["app"] == "bank" {
			t.Errorf("a stream tells of a subject: %v", e)
		}
	}
}

// An app without a secret signs for each request, once.
func TestAnAppAsksByItsKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	key, public := s.ownKey()
	bank := s.bank(func(a *models.App) { a.AuthMethod, a.Keys = models.AppAuthPrivateKey, public })
	shows := func(change func(*jwt.Claims)) { bank.header["Authorization"] = "Bearer " + s.assertion(key, change) }
	shows(func(*jwt.Claims) {})
	bank.ask("grace", enrolling).want(201)
	bank.ask("grace", enrolling).want(401, models.CodeInvalidClient)
	shows(func(c *jwt.Claims) { c.Audience = jwt.Audience{"https://other.example"} })
	bank.ask("grace", enrolling).want(401, models.CodeInvalidClient)
	bank.header["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte("bank:"))
	bank.ask("grace", enrolling).want(401, models.CodeInvalidClient)
	public2 := s.newApp(models.App{ID: "phone", Name: "Phone", Public: true, RedirectURIs: []string{"com.example.phone:/cb"}})
	s.serverOf("phone", public2).ask("grace").want(401, models.CodeInvalidClient)
}

// An admin who helps an account finds no subject, whatever name is typed.
func TestNobodyHelpsASubject(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	bank.enrolled("grace")
	boss := s.admin("boss")
	for _, name := range []string{"", "grace", "Ada Byron"} {
		if a := boss.post("/v1/admin/recoveries", map[string]any{"username": name}); a.Status != 404 && a.Status != 400 {
			t.Errorf("%q: %d %s", name, a.Status, a.Raw)
		}
	}
}
