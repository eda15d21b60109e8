package server_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// servers are those that ask.
type servers map[string]*bank

// passedTab is a transaction that was passed, and its code.
func (b *bank) passedTab(subject string) (*tab, string) {
	b.t.Helper()
	k := b.withKey(subject, true)
	t := b.ask(subject).want(201).opened()
	t.verifyKey(k).want(200)
	return t, t.comeBack()
}

// A code is for its own app and transaction, and in wrong hands it is not used up.
func TestAttackATransactionsCodeElsewhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	thief := s.serverOf("thief", s.newApp(models.App{ID: "thief", Name: "Thief", Transactions: &models.AppFactors{ReturnTo: []string{"https://thief.example/"}, Enrols: true}}))
	tab, code := bank.passedTab("grace")
	own, ownCode := bank.passedTab("ada")
	for range 2 * models.MaxWrongCodes {
		thief.redeem(tab, code).want(404, models.CodeNotFound)
	}
	thief.clone().get("/v1/transactions/"+tab.id).want(404, models.CodeNotFound)
	thief.clone().delete("/v1/subjects/grace").want(404, models.CodeNotFound)
	bank.redeem(own, code).want(400, models.CodeInvalidGrant)
	strangers := servers{"no app": s.nobody(), "a wrong secret": s.serverOf("bank", "wrong"), "no secret": s.serverOf("bank", "")}
	for what, who := range strangers {
		if a := who.redeem(tab, code); a.Status != 401 || a.code() != models.CodeInvalidClient || a.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", what, a.Status, a.Raw)
		}
	}
	bank.redeem(tab, code).want(200)
	bank.redeem(own, ownCode).want(200)
}

func TestAttackOneResultOf20(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	tab, code := bank.passedTab("grace")
	counts := parallel(20, func(int) *answer { return bank.redeem(tab, code) })
	if counts[200] != 1 || counts[400] != 19 || s.facts("transaction_redeemed") != 2 {
		t.Errorf("answers %v, recorded %d times", counts, s.facts("transaction_redeemed"))
	}
	bank.redeem(tab, code).want(400, models.CodeInvalidGrant)
}

func TestAttackGuessingATransactionsCode(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	tab, code := bank.passedTab("grace")
	fresh := tab.comeBack() // takes the place of the one before
	bank.redeem(tab, code).want(400, models.CodeInvalidGrant)
	for range models.MaxWrongCodes - 1 {
		bank.redeem(tab, "guess").want(400, models.CodeInvalidGrant)
	}
	bank.redeem(tab, fresh).want(400, models.CodeInvalidGrant)
	if got := bank.status(tab); got != "failed" || s.facts("transaction_failed") != 1 {
		t.Errorf("it stands at %s", got)
	}
	tab.goBack().want(401, models.CodeSessionRequired)

	slow, late := bank.passedTab("ada")
	s.Clock.Advance(models.TransactionCodeWithin)
	bank.redeem(slow, late).want(400, models.CodeInvalidGrant)
	bank.redeem(slow, slow.comeBack()).want(200)
	early := bank.ask("ada").want(201).opened()
	bank.redeem(early, "").want(400, models.CodeInvalidGrant)
	early.goBack().want(403, models.CodeInTransaction)
}

// The address alone is worth nothing once it was opened, and of 20 that open it at once one
// has it.
func TestAttackASecondBrowser(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	secret := bank.enrolled("grace")
	asked := bank.ask("grace").want(201)
	tabs := make([]*tab, 20)
	for i := range tabs {
		tabs[i] = asked.tab()
	}
	counts := parallel(20, func(i int) *answer { return tabs[i].open() })
	if counts[200] != 1 || counts[409] != 19 || s.facts("transaction_opened") != 2 {
		t.Errorf("answers %v, recorded %d times", counts, s.facts("transaction_opened"))
	}
	late := asked.tab()
	if a := late.open().want(409, models.CodeConflict); a.text("reason") != "opened" {
		t.Errorf("got %s", a.Raw)
	}
	page := late.get("/transaction/" + late.id).want(409)
	if strings.Contains(string(page.Raw), "40 EUR") || !strings.Contains(string(page.Raw), "opened elsewhere") {
		t.Errorf("a second browser is shown %s", page.Raw)
	}
	late.verifyTOTP(secret).want(401, models.CodeSessionRequired)
	late.post("/v1/transactions/"+late.id+"/deny", map[string]any{}).want(401, models.CodeSessionRequired)
	wrong := bank.ask("grace").want(201).tab()
	wrong.secret = "guess"
	wrong.open().want(404, models.CodeNotFound)
	if got := bank.status(wrong); got != "pending" {
		t.Errorf("a wrong secret left it at %s", got)
	}
}

// A session of an account is none for a transaction, nor the other way round, whatever is
// put where.
func TestAttackSessionsAcrossTheLine(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	secret := bank.enrolled("grace")
	ada := s.withTOTP("ada")
	mine, other := bank.ask("grace").want(201).opened(), bank.ask("grace").want(201).opened()
	token := mine.cookies["sallyport-transaction-"+mine.id]
	if token == "" || ada.cookies["sallyport"] == "" {
		t.Fatalf("cookies %v", mine.cookies)
	}
	plain := map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": origin}
	// The transaction's token as an account's, by cookie and as a bearer token.
	stolen := mine.copied(plain)
	stolen.cookies["sallyport"] = token
	bearer := s.app()
	bearer.token = token
	for _, who := range []*browser{stolen, bearer, mine.copied(plain)} {
		who.get("/v1/session").want(401, models.CodeSessionRequired)
		who.get("/v1/me").want(401, models.CodeSessionRequired)
		who.post("/v1/verify/totp", map[string]any{"code": mine.codeOf(secret)}).want(401, models.CodeSessionRequired)
	}
	// The account's token as a transaction's, and another transaction's.
	for _, foreign := range []string{ada.cookies["sallyport"], other.cookies["sallyport-transaction-"+other.id]} {
		planted := mine.copied(mine.header)
		planted.cookies["sallyport-transaction-"+mine.id] = foreign
		planted.post("/v1/transactions/"+mine.id+"/deny", map[string]any{}).want(401, models.CodeSessionRequired)
	}
	// An address that names another transaction than the session's.
	mine.post("/v1/transactions/"+other.id+"/deny", map[string]any{}).want(404, models.CodeNotFound)
	// Beside a transaction nobody is signed in, and after it neither.
	both := ada.clone()
	both.header = mine.header
	both.get("/v1/me").want(401, models.CodeSessionRequired)
	s.nextStep()
	mine.verifyTOTP(secret).want(200)
	mine.get("/v1/me").want(403, models.CodeInTransaction)
	mine.post("/v1/step-up", map[string]any{"purpose": "add_passkey"}).want(403, models.CodeInTransaction)
	for _, page := range []string{"/account", "/account/security", "/chat"} {
		mine.get(page).want(303)
	}
}

// A subject's passkey confirms for its app, and signs in nowhere.
func TestAttackASubjectsPasskeySignsIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	k := bank.withKey("grace", true)
	s.browser().loginPasskey(k).want(401, models.CodeInvalidCredentials)
	if s.facts("signed_in") != 0 {
		t.Error("a subject signed in")
	}
	// Nor does another subject's, or an account's, confirm.
	ada := s.withTOTP("ada")
	laptop := newKey(true)
	ada.addPasskey(laptop, "").want(201)
	bank.withKey("eve", true)
	tab := bank.ask("eve").want(201).opened()
	for _, foreign := range []*key{k, laptop} {
		tab.verifyKey(foreign).want(422, models.CodeFactorRejected)
	}
}

// Two apps' subjects of one name are two people.
func TestAttackOneSubjectOfTwoApps(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	shop := s.serverOf("shop", s.newApp(models.App{ID: "shop", Name: "Shop", Transactions: &models.AppFactors{ReturnTo: []string{returnTo}, Enrols: true}}))
	secret := bank.enrolled("grace")
	shop.ask("grace").want(409, models.CodeFactorRequired)
	theirs := shop.enrolled("grace")
	tab := bank.ask("grace").want(201).opened()
	tab.verifyTOTP(theirs).want(422, models.CodeFactorRejected)
	tab.verifyTOTP(secret).want(200)
	shop.clone().delete("/v1/subjects/grace").want(204)
	bank.redeem(tab, tab.comeBack()).want(200)
}

// An app's word sets up a first factor, and no second one: not with a factor there, not
// twice, not of 20 at once, not without the app's say.
func TestAttackVouchedEnrolment(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	tabs := make([]*tab, 10)
	keys := make([]*key, 10)
	begun := make([]*answer, 10)
	for i := range tabs {
		tabs[i], keys[i] = bank.ask("grace", enrolling).want(201).opened(), newKey(true)
		begun[i] = tabs[i].post("/v1/me/passkeys/options", map[string]any{}).want(200)
	}
	counts := parallel(10, func(i int) *answer {
		return tabs[i].post("/v1/me/passkeys", map[string]any{"credential": keys[i].create(t, begun[i])})
	})
	var held int
	if err := s.Pool.QueryRow(t.Context(), `SELECT count(*) FROM passkeys`).Scan(&held); err != nil || held != 1 || counts[201] != 1 {
		t.Errorf("answers %v, %d passkeys; %v", counts, held, err)
	}
	for _, tab := range tabs { // begun before there was one
		if a := tab.post("/v1/me/totp", map[string]any{}); a.Status == 200 {
			confirmed := tab.post("/v1/me/totp/confirm", map[string]any{"code": tab.codeOf(a.text("secret"))})
			if confirmed.Status == 200 && bank.status(tab) != "passed" {
				t.Errorf("a second factor was planted: %s", confirmed.Raw)
			}
		}
	}
	verifying := bank.ask("grace", enrolling).want(201).opened()
	for _, path := range []string{"/v1/me/passkeys/options", "/v1/me/totp", "/v1/me/face/challenge", "/v1/me/recovery-codes"} {
		verifying.post(path, map[string]any{}).want(403, models.CodeInTransaction)
	}
	// Without the word of the app, or of whoever registered it.
	bank.ask("new").want(409, models.CodeFactorRequired)
	silent := s.serverOf("silent", s.newApp(models.App{ID: "silent", Name: "Silent", Transactions: &models.AppFactors{ReturnTo: []string{returnTo}}}))
	if a := silent.ask("new", enrolling).want(400, models.CodeInvalidRequest); a.text("reason") != "not_allowed" {
		t.Errorf("got %s", a.Raw)
	}
}

// What was passed is what is told: less never serves for aal2, a factor that was not asked
// for never serves at all.
func TestAttackATransactionsLevel(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	weak := newKey(false)
	tab := bank.ask("grace", enrolling, with("acr", "aal2")).want(201).opened()
	options := tab.post("/v1/me/passkeys/options", map[string]any{}).want(200)
	if a := tab.post("/v1/me/passkeys", map[string]any{"credential": weak.create(t, options)}); a.Status != 422 {
		t.Errorf("a passkey without UV is set up for aal2: %d", a.Status)
	}
	begun := tab.post("/v1/me/totp", map[string]any{}).want(200).text("secret")
	tab.post("/v1/me/totp/confirm", map[string]any{"code": tab.codeOf(begun)}).want(409, models.CodeConflict)

	k := bank.withKey("weak", false)
	low := bank.ask("weak").want(201).opened()
	low.verifyKey(k).want(200).state(models.TransactionPassed, models.ACROne)
	if result := bank.redeem(low, low.comeBack()).want(200); result.text("acr") != "one" {
		t.Errorf("got %s", result.Raw)
	}
	high := bank.ask("weak", with("acr", "aal2")).want(201).opened()
	if a := high.verifyKey(k); a.Status != 422 || bank.status(high) != "pending" {
		t.Errorf("a passkey without UV passes for aal2: %d", a.Status)
	}
	secret := bank.enrolled("totp")
	only := bank.ask("totp").want(201).opened()
	only.verifyTOTP(secret).want(200).state(models.TransactionPassed, models.ACROne)
	if result := bank.redeem(only, only.comeBack()).want(200); result.text("acr") != "one" || strings.Contains(string(result.Raw), "mfa") {
		t.Errorf("got %s", result.Raw)
	}
	both := bank.ask("both", enrolling).want(201).opened()
	app := both.setUpTOTP()
	both.setUpKey(newKey(true)).want(201)
	s.nextStep()
	asked := bank.ask("both", with("factors", []string{"passkey"})).want(201).opened()
	asked.verifyTOTP(app).want(409, models.CodeConflict)
	if got := bank.status(asked); got != "pending" {
		t.Errorf("it stands at %s", got)
	}
}

func TestAttackWhereATransactionLeads(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	bank.enrolled("grace")
	for _, to := range []string{
		"https://evil.example/confirmed", returnTo + "/", returnTo + "?x=1", returnTo + "#x", "https://bank.example.com:443/confirmed", "https://BANK.example.com/confirmed",
		"https://bank.example.com@evil.example/confirmed", "https://bank.example.com/%63onfirmed", "//bank.example.com/confirmed", "javascript:alert(1)", "",
	} {
		if a := bank.ask("grace", with("return_to", to)).want(400, models.CodeInvalidRequest); a.text("field") != "return_to" {
			t.Errorf("%q: %s", to, a.Raw)
		}
	}
	for _, state := range []string{"", "short", strings.Repeat("x", 513), strings.Repeat("x", 20) + "\n", strings.Repeat("ü", 20)} {
		bank.ask("grace", with("state", state)).want(400, models.CodeInvalidRequest)
	}
}

// What is shown is what is written: nothing turns the direction, hides or breaks lines.
func TestAttackWhatATransactionShows(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	bank.enrolled("grace")
	shows := func(action, details string) *askedFor {
		return bank.ask("grace", with("context", map[string]any{"action": action, "details": details}))
	}
	for name, bad := range map[string]string{
		"override": "Send \u202e04 EUR", "isolate": "Send \u2066 40", "mark": "Send\u200e", "zero width": "Se\u200bnd", "byte order": "\ufeffSend", "bell": "Send\x07",
		"line separator": "Send\u2028 40", "carriage return": "Send\r40", "soft hyphen": "Se\u00adnd", "delete": "Send\x7f", "private": "Send\ue000", "tab": "Send\t40", "lone surrogate": "Send\ufffd",
	} {
		if a := shows(bad, ""); a.Status != 400 || a.Body["field"] != "context.action" {
			t.Errorf("%s as an action: %d %s", name, a.Status, a.Raw)
		}
		if a := shows("Send", bad); a.Status != 400 || a.Body["field"] != "context.details" {
			t.Errorf("%s in details: %d %s", name, a.Status, a.Raw)
		}
		if a := bank.ask("grace", with("display_name", bad)); a.Status != 400 {
			t.Errorf("%s as a name: %d", name, a.Status)
		}
	}
	for _, bad := range []string{"", "  ", "two\nlines", strings.Repeat("x", 81)} {
		shows(bad, "").want(400, models.CodeInvalidRequest)
	}
	shows("Send", strings.Repeat("x\n", 9)).want(400, models.CodeInvalidRequest)
	for _, bad := range []string{"", "../x", "a/b", "a b", "a\u202eb", strings.Repeat("x", 129), "-x"} {
		bank.ask(bad).want(400, models.CodeInvalidRequest)
	}
	tab := shows(`Send <b>40</b> & "more"`, "שלום 👩‍💻 <script>alert(1)</script>").want(201).opened()
	page := string(tab.get("/transaction/" + tab.id).want(200).Raw)
	if strings.Contains(page, "<b>40") || strings.Contains(page, "<script>alert") || !strings.Contains(page, "&lt;b&gt;40") {
		t.Error("what the app says is no plain text")
	}
}

// What ends the app's right to ask ends what it asked for.
func TestAttackATransactionOutlivesItsApp(t *testing.T) {
	t.Parallel()
	for what, end := range map[string]func(*site){
		"its deletion": func(s *site) { _ = s.DeleteApp(s.t.Context(), models.Ref{}, "bank", nil) },
		"its right":    func(s *site) { s.change("bank", func(a *models.App) { a.Transactions = nil }) },
		"its address": func(s *site) {
			s.change("bank", func(a *models.App) { a.Transactions.ReturnTo = []string{"https://bank.example.com/other"} })
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			bank := s.bank()
			secret := bank.enrolled("grace")
			opened, waiting := bank.ask("grace").want(201).opened(), bank.ask("grace").want(201).tab()
			end(s)
			opened.verifyTOTP(secret).want(401, models.CodeSessionRequired)
			waiting.open().want(404, models.CodeNotFound)
			if a := opened.get("/transaction/" + opened.id); a.Status != 404 && a.Status != 410 {
				t.Errorf("the page answers %d", a.Status)
			}
		})
	}
}

// change gives an app other settings.
func (s *site) change(id string, change func(*models.App)) {
	s.t.Helper()
	app, err := s.App(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	change(&app)
	if err := s.UpdateApp(s.t.Context(), models.Ref{}, app, nil); err != nil {
		s.t.Fatal(err)
	}
}

var consentIn = regexp.MustCompile(`data-consent-version="([^"]+)"`)

// With its app go an app's subjects, and with a subject all that is known of it.
func TestErasingSubjects(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	tab := bank.ask("grace", enrolling).want(201).opened()
	tab.setUpTOTP()
	face := &person{browser: tab.browser}
	page := string(tab.get("/transaction/" + tab.id).want(200).Raw) // which has what there is to agree to
	version := consentIn.FindStringSubmatch(page)[1]
	issued := face.askEnrol(map[string]any{"consent_version": version}).want(201)
	face.before(issued, someone(1), nil)
	face.post("/v1/me/face", map[string]any{"challenge": issued.text("id")}).want(201)
	if result := bank.redeem(tab, tab.comeBack()).want(200); result.text("acr") != "one" || !strings.Contains(string(result.Raw), "face") {
		t.Errorf("got %s", result.Raw)
	}
	shown := bank.ask("grace", with("factors", []string{"face"})).want(201).opened()
	(&person{browser: shown.browser}).showFace(someone(1)).want(200)
	bank.enrolled("ada")
	subjects := func() (n int) {
		t.Helper()
		if err := s.Pool.QueryRow(t.Context(), `SELECT count(*) FROM users`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	bank.delete("/v1/subjects/grace").want(204)
	bank.delete("/v1/subjects/grace").want(404, models.CodeNotFound)
	var faces, named int
	err := s.Pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM faces), (SELECT count(*) FROM events WHERE detail::text LIKE '%'||$1||'%')`, tab.id).Scan(&faces, &named)
	if err != nil || faces != 0 || named != 0 {
		t.Errorf("%d faces and %d facts are left; %v", faces, named, err)
	}
	if err := s.DeleteApp(t.Context(), models.Ref{}, "bank", nil); subjects() != 0 || err != nil {
		t.Errorf("%d subjects of no app; %v", subjects(), err)
	}
}

// The page stands in no frame but the app's own, and only where that was asked for; only a
// pop-up keeps its opener.
func TestAttackFramingATransaction(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	bank.enrolled("grace")
	for display, want := range map[string]struct{ ancestors, opener string }{
		"page":  {"frame-ancestors 'none'", "same-origin"},
		"popup": {"frame-ancestors 'none'", "unsafe-none"},
		"frame": {"frame-ancestors https://bank.example.com", "same-origin"},
	} {
		tab := bank.ask("grace", with("display", display)).want(201).tab()
		opened := tab.open().want(200)
		for _, a := range []*answer{tab.get("/transaction/" + tab.id).want(200), s.browser().get("/transaction/" + tab.id).want(409)} {
			if csp := a.Header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, want.ancestors) || a.Header.Get("Cross-Origin-Opener-Policy") != want.opener {
				t.Errorf("%s: %q, %q", display, csp, a.Header.Get("Cross-Origin-Opener-Policy"))
			}
		}
		cookie := (&http.Response{Header: opened.Header}).Cookies()[0]
		framed := display == "frame"
		if cookie.Name != "sallyport-transaction-"+tab.id || !cookie.HttpOnly || cookie.Secure != framed || cookie.Partitioned != framed || (cookie.SameSite == http.SameSiteNoneMode) != framed {
			t.Errorf("%s: cookie %v", display, cookie)
		}
		if cookie.Expires.After(s.Clock.Now().Add(models.TransactionWithin + time.Second)) {
			t.Errorf("%s: it lives until %s", display, cookie.Expires)
		}
		// The cookie may travel in frames: its header doesn't, and other sites are refused.
		evil := tab.clone()
		evil.header = map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example", "Sallyport-Transaction": tab.id}
		evil.post("/v1/transactions/"+tab.id+"/deny", map[string]any{}).want(403, models.CodeCrossSite)
	}
	plain := s.serverOf("plain", s.newApp(models.App{ID: "plain", Name: "Plain", Transactions: &models.AppFactors{ReturnTo: []string{returnTo}, Enrols: true}}))
	plain.ask("grace", enrolling, with("display", "frame")).want(400, models.CodeInvalidRequest)
}

// Whoever can make an app ask makes no flood of pages for one person.
func TestAttackAFloodOfTransactions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bank := s.bank()
	bank.enrolled("grace")
	s.force(func(p *models.Policy) {
		p.Limits.Transaction = models.Limit{Max: 5, Window: models.Duration(15 * time.Minute)}
	})
	s.Clock.Advance(15 * time.Minute)
	for range 5 {
		bank.ask("grace").want(201)
	}
	bank.ask("grace").want(429, models.CodeRateLimited)
	bank.ask("ada", enrolling).want(201)
}
