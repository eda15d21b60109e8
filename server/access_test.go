package server_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// open are the routes that need no session; own are those that a level-1
// session may use. Everything else must refuse it, whatever is added later:
// the test walks the server's own route table.
var (
	open = []string{
		"POST /v1/accounts", "POST /v1/password/advice", "POST /v1/login", "POST /v1/login/passkey/options", "POST /v1/login/passkey",
		"POST /v1/links/not-me", "POST /v1/links/password-reset", "POST /v1/password/forgot", "GET /v1/session/events",
		"POST /v1/links/begin-recovery", "POST /v1/links/stop-recovery", "POST /v1/links/assisted-recovery",
		// Of apps, which show who they are, and of whoever has an address's secret.
		"POST /v1/transactions", "GET /v1/transactions/:id", "POST /v1/transactions/:id/result", "DELETE /v1/subjects/:id", "POST /v1/transactions/:id/open",
		"POST /v1/links/confirm-email", "POST /v1/links/verify-email", "POST /v1/links/change-email", "POST /v1/links/second-email", "POST /v1/links/undo-email",
	}
	own = []string{
		"GET /v1/session", "DELETE /v1/session",
		"POST /v1/verify/totp", "POST /v1/verify/recovery", "POST /v1/verify/passkey/options", "POST /v1/verify/passkey",
		"POST /v1/verify/device/options", "POST /v1/verify/device", "POST /v1/verify/face/challenge", "GET /v1/verify/face/capture", "POST /v1/verify/face",
		"GET /v1/recovery", "POST /v1/recovery/wait", "POST /v1/recovery/finish",
	}
	// confirming are those of the page of a transaction whose subject has a factor.
	confirming = []string{
		"POST /v1/verify/totp", "POST /v1/verify/passkey/options", "POST /v1/verify/passkey",
		"POST /v1/verify/face/challenge", "GET /v1/verify/face/capture", "POST /v1/verify/face", "POST /v1/transactions/:id/deny",
	}
	recovering = []string{
		"GET /v1/session", "DELETE /v1/session",
		"GET /v1/me/passkeys", "POST /v1/me/passkeys/options", "POST /v1/me/passkeys",
		"GET /v1/me/totp", "POST /v1/me/totp", "POST /v1/me/totp/confirm",
		"GET /v1/me/recovery-codes", "POST /v1/me/recovery-codes",
		"GET /v1/me/face", "POST /v1/me/face/challenge", "GET /v1/me/face/capture", "POST /v1/me/face", "GET /v1/me/devices",
		"GET /v1/me/sessions", "DELETE /v1/me/sessions/:id", "DELETE /v1/me/sessions",
	}
)

func routesOf(s *site) []string {
	var list []string
	for _, r := range s.server.App().GetRoutes(true) {
		if strings.HasPrefix(r.Path, "/v1/") {
			list = append(list, r.Method+" "+r.Path)
		}
	}
	return list
}

func TestEveryRouteRefusesWhoIsNotAdmitted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	ada.saveCodes()
	half := ada.elsewhere()
	back := ada.elsewhere()
	back.post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200)
	bank := s.bank()
	bank.enrolled("grace")
	tab := bank.ask("grace").want(201).opened()
	table := routesOf(s)
	if len(table) < 30 {
		t.Fatalf("only %d routes", len(table))
	}
	for _, route := range table {
		method, path, _ := strings.Cut(route, " ")
		path = strings.ReplaceAll(path, ":id", string(models.NewID(s.Clock.Now())))
		if !slices.Contains(open, route) {
			s.browser().do(method, path, nil).want(401, models.CodeSessionRequired)
		}
		if !slices.Contains(open, route) && !slices.Contains(own, route) {
			half.do(method, path, nil).want(403, models.CodeSecondFactorRequired)
		}
		if !slices.Contains(confirming, route) && (!slices.Contains(open, route) || strings.Contains(route, "/v1/login")) {
			tab.do(method, path, nil).want(403, models.CodeInTransaction)
		}
		if !slices.Contains(open, route) && !slices.Contains(recovering, route) {
			back.do(method, path, nil).want(403, models.CodeRecovering)
		}
	}
}

func TestEnrolmentRequiredAdmitsEnrolmentAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.register("ada")
	for _, refused := range []struct{ method, path string }{
		{"GET", "/v1/me"}, {"GET", "/v1/me/sessions"}, {"DELETE", "/v1/me/sessions"}, {"POST", "/v1/me/password"},
		{"DELETE", "/v1/me/totp"}, {"GET", "/v1/chat/messages"}, {"POST", "/v1/chat/messages"}, {"GET", "/v1/chat/socket"},
		{"POST", "/v1/verify/totp"}, {"POST", "/v1/verify/recovery"},
	} {
		ada.do(refused.method, refused.path, nil).want(403, models.CodeEnrolmentRequired)
	}
}

func TestBodiesAreReadStrictly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	for body, status := range map[string]int{
		`{"code":"123456","extra":1}`: 400,
		`{"code":123456}`:             400,
		`{"code":"123456"}{}`:         400,
		`null`:                        400,
		`["code"]`:                    400,
		`{"code":`:                    400,
		`{"code":"` + strings.Repeat("1", 20_000) + `"}`: 413,
		"{\"code\":\"\xff\"}":                            400,
	} {
		if a := ada.post("/v1/verify/totp", body); a.Status != status {
			t.Errorf("%.40s: got %d %s", body, a.Status, a.Raw)
		}
	}
	plain := ada.do("POST", "/v1/verify/totp", form{"text/plain", []byte(`{"code":"123456"}`)})
	plain.want(400, models.CodeInvalidRequest)
}

// Two kilobytes that unpack to gigabytes must cost nothing.
func TestCompressedBodiesAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var bomb bytes.Buffer
	outer := gzip.NewWriter(&bomb)
	inner := gzip.NewWriter(outer)
	zeros := make([]byte, 1<<20)
	for range 256 {
		if _, err := inner.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(inner.Close(), outer.Close()); err != nil {
		t.Fatal(err)
	}
	for _, encoding := range []string{"gzip", "gzip, gzip", "deflate", "br", "zstd", "identity"} {
		b := s.browser()
		b.header["Content-Encoding"] = encoding
		a := b.post("/v1/login", form{"application/json", bomb.Bytes()}).want(400, models.CodeInvalidRequest)
		if a.Body["reason"] != "content_encoding" {
			t.Errorf("%s: got %s", encoding, a.Raw)
		}
	}
}

func TestUnknownAddressesAndMethods(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.browser().get("/v1/nothing").want(404, models.CodeNotFound)
	a := s.browser().do("PUT", "/v1/session", nil).want(405, models.CodeMethodNotAllowed)
	if allow := a.Header.Get("Allow"); !strings.Contains(allow, "GET") || !strings.Contains(allow, "DELETE") {
		t.Errorf("Allow is %q", allow)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, path := range []string{"/login", "/v1/session", "/v1/nothing", "/healthz"} {
		a := s.browser().get(path)
		csp := a.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: CSP %q", path, csp)
		}
		if a.Header.Get("Server") != "" {
			t.Errorf("%s: banner %q", path, a.Header.Get("Server"))
		}
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, a.Header)
		}
		granted := strings.Split(a.Header.Get("Permissions-Policy"), ", ")
		for _, feature := range []string{"camera=(self)", "publickey-credentials-get=(self)", "publickey-credentials-create=(self)"} {
			if !slices.Contains(granted, feature) {
				t.Errorf("%s: no %s in %q", path, feature, granted)
			}
		}
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := s.browser().post("/v1/accounts", map[string]any{"email": "ada@example.com", "username": "ada", "password": password}).want(201)
	cookie := (&http.Response{Header: a.Header}).Cookies()[0]
	if cookie.Name != "sallyport" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" {
		t.Errorf("got %v", cookie)
	}
}

func TestPagesLeadToWhereAPersonBelongs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	enrolling := s.register("eve")
	ada := s.withTOTP("ada")
	ada.saveCodes()
	half := ada.elsewhere()
	back := ada.elsewhere()
	back.post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200)
	for _, c := range []struct {
		who  *browser
		path string
		to   string // "" stays
	}{
		{s.browser(), "/", "/login"},
		{s.browser(), "/login", ""},
		{s.browser(), "/register", ""},
		{s.browser(), "/chat", "/login?next=%2Fchat"},
		{s.browser(), "/account/sessions?x=1", "/login?next=%2Faccount%2Fsessions%3Fx%3D1"},
		{s.browser(), "/verify?next=%2Fchat", "/login?next=%2Fchat"},
		{half.browser, "/", "/verify"},
		{half.browser, "/chat", "/verify?next=%2Fchat"},
		{half.browser, "/account/security", "/verify?next=%2Faccount%2Fsecurity"},
		{half.browser, "/verify", ""},
		{enrolling.browser, "/login", "/account/security"},
		{enrolling.browser, "/chat", "/account/security?next=%2Fchat"},
		{enrolling.browser, "/account/security", ""},
		{enrolling.browser, "/account/sessions", "/account/security?next=%2Faccount%2Fsessions"},
		{back.browser, "/chat", "/account/security?next=%2Fchat"},
		{back.browser, "/account/security", ""},
		{back.browser, "/account/sessions", ""},
		{ada.browser, "/", "/chat"},
		{ada.browser, "/login", "/chat"},
		{ada.browser, "/login?next=%2Faccount", "/account"},
		{ada.browser, "/login?next=https://evil.example", "/chat"},
		{ada.browser, "/login?next=%2F%2Fevil.example", "/chat"},
		{ada.browser, "/login?next=%2F%5Cevil.example", "/chat"},
		{ada.browser, "/verify?next=/login", "/chat"},
		{ada.browser, "/chat", ""},
		{ada.browser, "/account", ""},
		{ada.browser, "/account/security", ""},
		{ada.browser, "/account/sessions", ""},
		{ada.browser, "/account/activity", ""},
		{half.browser, "/account/activity", "/verify?next=%2Faccount%2Factivity"},
	} {
		a := c.who.get(c.path)
		switch {
		case c.to == "" && a.Status != 200:
			t.Errorf("%s: got %d", c.path, a.Status)
		case c.to != "" && (a.Status != 303 || a.Header.Get("Location") != c.to):
			t.Errorf("%s: got %d to %q, want %q", c.path, a.Status, a.Header.Get("Location"), c.to)
		}
	}
}

func TestErrorsArePagesForWhoAsksForOne(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.header["Accept"] = "text/html,application/xhtml+xml"
	a := b.get("/nothing").want(404)
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") || !strings.Contains(string(a.Raw), "<h1") {
		t.Errorf("got %s", a.Raw)
	}
	b.get("/v1/nothing").want(404, models.CodeNotFound)
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	eve := s.withTOTP("eve")
	other := ada.elsewhere()
	list := ada.get("/v1/me/sessions").want(200).Body["sessions"].([]any)
	if len(list) != 2 {
		t.Fatalf("%d sessions", len(list))
	}
	var theirs string
	for _, item := range list {
		row := item.(map[string]any)
		if row["current"] == false {
			theirs = row["id"].(string)
		}
	}
	eve.delete("/v1/me/sessions/"+theirs).want(404, models.CodeNotFound)
	eve.delete("/v1/me/sessions/not-an-id").want(404, models.CodeNotFound)
	other.get("/v1/session").want(200)
	ada.delete("/v1/me/sessions/" + theirs).want(204)
	other.get("/v1/session").want(401)
	third := ada.elsewhere()
	ada.delete("/v1/me/sessions").want(204)
	third.get("/v1/session").want(401)
	ada.get("/v1/session").want(200)
	fourth := ada.elsewhere()
	ada.delete("/v1/me/sessions?scope=some").want(400, models.CodeInvalidRequest)
	ada.clone().delete("/v1/me/sessions?scope=all").want(204)
	fourth.get("/v1/session").want(401)
	ada.get("/v1/session").want(401)
	eve.get("/v1/session").want(200)
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	half := ada.elsewhere()
	s.Clock.Advance(10 * time.Minute)
	half.get("/v1/session").want(401)
	ada.get("/v1/me").want(200)
	for range 3 { // use moves the idle end
		s.Clock.Advance(50 * time.Minute)
		ada.get("/v1/me").want(200)
	}
	s.Clock.Advance(time.Hour)
	ada.get("/v1/me").want(401)
}

func TestTheAbsoluteEndComesWhateverTheUse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	for range 28 {
		s.Clock.Advance(50 * time.Minute) // 23 h 20 min
		ada.get("/v1/me").want(200)
	}
	s.Clock.Advance(41 * time.Minute)
	ada.get("/v1/me").want(401)
}

func TestStricterTimeoutsBindLiveSessions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	s.Clock.Advance(20 * time.Minute)
	s.force(func(p *models.Policy) { p.Timeouts.Idle = models.Duration(15 * time.Minute) })
	ada.get("/v1/me").want(401)
}

// A step-up is use, not a new sign-in.
func TestSteppingUpDoesNotPutAStricterAbsoluteEndOff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	s.force(func(p *models.Policy) { p.Timeouts.Absolute = models.Duration(90 * time.Minute) })
	s.Clock.Advance(50 * time.Minute)
	ada.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
	s.Clock.Advance(41 * time.Minute)
	ada.get("/v1/me").want(401)
}

// A proxy's own credentials are not ours, and must not hide the cookie.
func TestOtherCredentialsLeaveTheCookieInForce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	ada.header["Authorization"] = "Basic YWRhOnNlY3JldA=="
	ada.get("/v1/me").want(200)
}

func TestAnAttemptUnderAnUnknownPolicyStartsOver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	half := ada.elsewhere()
	if _, err := s.Pool.Exec(t.Context(), `UPDATE sessions SET policy_version = 'nobody'`); err != nil {
		t.Fatal(err)
	}
	half.get("/v1/session").want(401)
	ada.get("/v1/session").want(200) // signed in already: held to the policy in force
}

func TestAFactorThatPolicySwitchesOffDoesNotCount(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	tab := ada.elsewhere()
	s.nextStep()
	s.force(func(p *models.Policy) { p.Factors.Allowed = []models.Factor{models.Passkey} })
	tab.post("/v1/verify/totp", map[string]any{"code": tab.code()}).want(409, models.CodeConflict)
	if factors := tab.get("/v1/session").want(200).Body["factors"].([]any); len(factors) != 0 {
		t.Errorf("offers %v", factors)
	}
}
