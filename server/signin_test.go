package server_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
)

func TestPasswordAndTOTP(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	ada.get("/v1/me").want(200)
	ada.delete("/v1/session").want(204)
	ada.get("/v1/session").want(401, models.CodeSessionRequired)

	s.nextStep()
	back := ada.elsewhere()
	got := back.get("/v1/session").want(200).state(models.SecondFactorRequired, models.ACROne)
	if _, shown := got.Body["user"]; shown {
		t.Error("a level-1 session shows the account")
	}
	back.get("/v1/me").want(403, models.CodeSecondFactorRequired)
	before := back.cookies["sallyport"]
	back.post("/v1/verify/totp", map[string]any{"code": back.code()}).want(200).state(models.Authenticated, models.ACRAAL2)
	if back.cookies["sallyport"] == before {
		t.Error("the token did not change with the level")
	}
	thief := s.browser()
	thief.cookies["sallyport"] = before
	thief.get("/v1/session").want(401, models.CodeSessionRequired)
}

func TestSignInByEmailInAnyCase(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.register("ada")
	for _, identifier := range []string{"ada", "ADA", "ada@example.com", " Ada@Example.COM "} {
		s.browser().post("/v1/login", map[string]any{"identifier": identifier, "password": password}).want(200)
	}
}

func TestATOTPCodeWorksOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	// The code that confirmed the enrolment is used up as well.
	ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(422, models.CodeFactorRejected)
	s.nextStep()
	ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
	ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(422, models.CodeFactorRejected)
	// An older step than the newest used one is as good as used.
	ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": ada.codeAt(-30 * time.Second)}).want(422, models.CodeFactorRejected)
}

func TestTheFactorUsedLastIsOfferedFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	ada.saveCodes()
	offered := func() (kinds []string) {
		page := ada.elsewhere().get("/verify").want(200)
		for _, found := range regexp.MustCompile(`<section class="factor" data-factor="(\w+)"`).FindAllStringSubmatch(string(page.Raw), -1) {
			kinds = append(kinds, found[1])
		}
		return kinds
	}
	s.nextStep()
	ada.elsewhere().showFace(someone(1)).want(200)
	if got := offered(); !slices.Equal(got, []string{"face", "totp", "recovery"}) {
		t.Errorf("after a face: %v", got)
	}
	s.nextStep()
	ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
	if got := offered(); !slices.Equal(got, []string{"totp", "face", "recovery"}) {
		t.Errorf("after a code: %v", got)
	}
}

func TestTOTPSkew(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	s.Clock.Advance(10 * time.Minute)
	for offset, status := range map[time.Duration]int{-time.Minute: 422, time.Minute: 422} {
		ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": ada.codeAt(offset)}).want(status)
	}
	ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": ada.codeAt(-30 * time.Second)}).want(200)
	ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": ada.codeAt(30 * time.Second)}).want(200)
}

func TestAnOldHashIsRenewedAtSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.register("ada")
	phc := func() (hash string) {
		if err := s.Pool.QueryRow(t.Context(), `SELECT password_hash FROM users`).Scan(&hash); err != nil {
			t.Fatal(err)
		}
		return hash
	}
	before := phc()
	costlier := s.another(func(d *server.Deps) { d.Argon2.MemoryKiB = 16 })
	costlier.post("/v1/login", map[string]any{"identifier": "ada", "password": "not the password"}).want(401)
	if phc() != before {
		t.Fatal("a wrong password changed the hash")
	}
	costlier.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
	if !strings.Contains(phc(), "m=16,") {
		t.Fatalf("the hash is %s", phc())
	}
	s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
}

func TestUnknownUserLooksLikeAWrongPassword(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.register("ada")
	known := s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": "wrong password"}).want(401)
	unknown := s.browser().post("/v1/login", map[string]any{"identifier": "nobody", "password": "wrong password"}).want(401)
	if string(known.Raw) != string(unknown.Raw) {
		t.Errorf("the answers differ:\n%s\n%s", known.Raw, unknown.Raw)
	}
}

func TestANewSignInEndsTheOneItReplaces(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, phone := s.register("ada"), newKey(true)
	ada.addPasskey(phone, "").want(201)
	stolen := ada.clone()
	ada.loginPasskey(phone).want(200)
	stolen.get("/v1/session").want(401)
	stolen = ada.clone()
	ada.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
	stolen.get("/v1/session").want(401)
	stolen = ada.clone()
	ada.post("/v1/accounts", map[string]any{"email": "b@example.com", "username": "bea", "password": password}).want(201)
	stolen.get("/v1/session").want(401)
}

func TestBearerTransport(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	s.nextStep()
	app := &person{browser: s.app(), name: "ada", secret: ada.secret}
	opened := app.post("/v1/login", map[string]any{"identifier": "ada", "password": password, "transport": "bearer"}).want(200)
	first := opened.text("token")
	if opened.Header.Get("Set-Cookie") != "" {
		t.Error("a bearer session set a cookie")
	}
	moved := app.post("/v1/verify/totp", map[string]any{"code": app.code()}).want(200).state(models.Authenticated, models.ACRAAL2)
	if moved.text("token") == first {
		t.Error("the token did not change")
	}
	app.get("/v1/me").want(200)

	// A token travels the way it was born.
	asCookie := s.browser()
	asCookie.cookies["sallyport"] = app.token
	asCookie.get("/v1/session").want(401)
	stolen := s.app()
	stolen.token = ada.cookies["sallyport"]
	stolen.get("/v1/session").want(401)
	// A browser says where it comes from, and gets no bearer.
	page := s.browser()
	page.post("/v1/login", map[string]any{"identifier": "ada", "password": password, "transport": "bearer"}).want(403, models.CodeCrossSite)
	page.token = app.token
	page.get("/v1/me").want(403, models.CodeCrossSite)
}

func TestCrossSiteWritesAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	for name, header := range map[string]map[string]string{
		"cross-site":          {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
		"same-site":           {"Sec-Fetch-Site": "same-site", "Origin": "http://other.localhost:8080"},
		"old browser":         {"Origin": "https://evil.example"},
		"opaque origin":       {"Origin": "null"},
		"other port":          {"Origin": "http://localhost:9090"},
		"lies about its site": {"Sec-Fetch-Site": "cross-site", "Origin": origin},
	} {
		evil := ada.clone()
		evil.header = header
		for _, path := range []string{"/v1/me/sessions", "/v1/session"} {
			if a := evil.delete(path); a.Status != 403 || a.code() != models.CodeCrossSite {
				t.Errorf("%s: DELETE %s got %d", name, path, a.Status)
			}
		}
	}
	ada.get("/v1/session").want(200)
}

func TestUnreachableRecordsAre503(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	s.Pool.Close()
	for _, a := range []*answer{
		ada.get("/v1/session"), ada.get("/v1/me"), ada.get("/account"), ada.get("/readyz"),
		s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": password}),
	} {
		if a.Status != http.StatusServiceUnavailable {
			t.Errorf("%s: got %d, want 503", a.what, a.Status)
		}
		if len(a.Header.Values("Set-Cookie")) > 0 {
			t.Errorf("%s: the session's cookie was touched", a.what)
		}
	}
	ada.get("/healthz").want(200)
}

func TestSecrecy(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	ada.saveCodes()
	ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": "000000"})
	s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": "a wrong password"})
	secrets := append([]string{password, ada.secret, "a wrong password", ada.cookies["sallyport"]}, ada.codes...)
	for _, secret := range secrets {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
		for _, path := range []string{"/v1/me", "/v1/me/totp", "/v1/me/recovery-codes", "/v1/me/sessions", "/v1/session", "/account/security"} {
			if strings.Contains(string(ada.get(path).Raw), secret) {
				t.Errorf("%s tells %q", path, secret)
			}
		}
	}
}
