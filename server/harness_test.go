package server_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/biometricstest"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres"
	"github.com/sallyport/sallyport/models/postgres/pgtest"
	"github.com/sallyport/sallyport/server"
	"github.com/sallyport/sallyport/server/auth"
	"github.com/sallyport/sallyport/server/face"
	"github.com/sallyport/sallyport/server/place"
	"github.com/sallyport/sallyport/server/policy"
	"github.com/sallyport/sallyport/server/web"
)

const (
	origin   = "http://localhost:8080"
	password = "correct horse battery"
)

// site is a whole server on a real Postgres; only the face engine is played.
type site struct {
	*pgtest.Fixture
	t        testing.TB
	server   *server.Server
	engine   *biometricstest.Engine
	policies *swappable
	log      *bytes.Buffer // guarded by slog's handler
	cohorts  *face.Cohorts
	listens  *listener
	places   *place.Database
}

// swappable is a policy holder whose policy tests put into force.
type swappable struct {
	*policy.Holder
	store  policy.Store
	forced atomic.Pointer[models.Policy]
}

func (s *swappable) Current() models.Policy {
	if forced := s.forced.Load(); forced != nil {
		return *forced
	}
	return s.Holder.Current()
}

func newSite(t testing.TB) *site {
	t.Helper()
	f := pgtest.New(t)
	s := &site{Fixture: f, t: t, engine: &biometricstest.Engine{}, log: &bytes.Buffer{}, listens: &listener{}}
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	holder, err := policy.Load(context.Background(), f.Store, "", func(string, string) models.Policy {
		return models.DefaultPolicy(biometricstest.Model.Name)
	}, func(models.Policy) []models.Problem { return nil }, log)
	if err != nil {
		t.Fatal(err)
	}
	s.policies = &swappable{Holder: holder, store: f.Store}
	s.cohorts = &face.Cohorts{Store: f.Store, Now: f.Clock.Now, Log: log}
	s.server = s.newServer(log, func(*server.Deps) {})
	return s
}

func (s *site) newServer(log *slog.Logger, change func(*server.Deps)) *server.Server {
	s.t.Helper()
	gate, err := biometrics.NewGate(biometrics.DefaultGateConfig())
	if err != nil {
		s.t.Fatal(err)
	}
	public, err := url.Parse(origin)
	if err != nil {
		s.t.Fatal(err)
	}
	deps := server.Deps{
		Store: s.Store, Policies: s.policies, Digester: s.Sealer, Engine: s.engine, Gate: gate, Cohorts: s.cohorts, Places: s.places,
		Now: s.Clock.Now, Log: log, TouchEvery: postgres.TouchEvery,
		Options: server.Options{
			SiteName: "Sallyport", PublicURL: public, Demo: true, Proxies: testProxy, Argon2: auth.Argon2{MemoryKiB: 8, Time: 1, Threads: 1},
			HashParallel: 2, HashQueue: 1000, RequestWithin: 30 * time.Second,
		},
	}
	change(&deps)
	made, err := server.New(deps)
	if err != nil {
		s.t.Fatal(err)
	}
	return made
}

// another is a browser at a second server of the same site, with other options.
func (s *site) another(change func(*server.Deps)) *browser {
	s.t.Helper()
	other := *s
	other.listens = &listener{}
	other.server = s.newServer(slog.New(slog.DiscardHandler), change)
	return other.browser()
}

// force puts a changed policy into force.
func (s *site) force(change func(*models.Policy)) {
	s.t.Helper()
	p := s.policies.Current()
	change(&p)
	if err := s.policies.store.SavePolicy(context.Background(), p); err != nil {
		s.t.Fatal(err)
	}
	s.policies.forced.Store(&p)
}

// browser keeps cookies and says where it comes from, as browsers do. Without
// cookies it is an app with a bearer token.
type browser struct {
	site    *site
	t       testing.TB
	cookies map[string]string
	token   string
	header  map[string]string
}

func (s *site) browser() *browser {
	return &browser{site: s, t: s.t, cookies: map[string]string{}, header: map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": origin}}
}

func (s *site) app() *browser { return &browser{site: s, t: s.t, header: map[string]string{}} }

// from has the browser come from an address, as the proxy of the tests tells it.
func (b *browser) from(ip string) *browser {
	b.header["X-Forwarded-For"] = ip
	return b
}

// testProxy is where requests come from that no network carries.
var testProxy = web.TrustedProxies{netip.MustParsePrefix("0.0.0.0/32")}

// clone is the same browser in another tab, or whoever stole its cookies.
func (b *browser) clone() *browser {
	c := *b
	c.cookies = map[string]string{}
	for name, value := range b.cookies {
		c.cookies[name] = value
	}
	return &c
}

type answer struct {
	t      testing.TB
	what   string
	Status int
	Header http.Header
	Raw    []byte
	Body   map[string]any
}

// do sends a request. body is JSON, or nil for none.
func (b *browser) do(method, path string, body any) *answer {
	b.t.Helper()
	var reader io.Reader
	kind := "application/json"
	switch v := body.(type) {
	case nil:
	case form:
		reader, kind = bytes.NewReader(v.body), v.kind
	case string:
		reader = strings.NewReader(v)
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			b.t.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	request := httptest.NewRequest(method, path, reader)
	if body != nil {
		request.Header.Set("Content-Type", kind)
	}
	for name, value := range b.header {
		request.Header.Set(name, value)
	}
	if host := b.header["Host"]; host != "" {
		request.Host = host
	}
	for name, value := range b.cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if b.token != "" {
		request.Header.Set("Authorization", "Bearer "+b.token)
	}
	response, err := b.site.server.App().Test(request, -1)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range response.Cookies() {
		if b.cookies == nil {
			break
		}
		if c.Value == "" {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	a := &answer{t: b.t, what: method + " " + path, Status: response.StatusCode, Header: response.Header, Raw: raw}
	if strings.Contains(response.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(raw, &a.Body); err != nil {
			b.t.Fatalf("%s answered no JSON object: %s", a.what, raw)
		}
	}
	if token, ok := a.Body["token"].(string); ok {
		b.token = token
	}
	checkAgainstOpenAPI(b.t, request, a)
	return a
}

func (b *browser) post(path string, body any) *answer { b.t.Helper(); return b.do("POST", path, body) }
func (b *browser) get(path string) *answer            { b.t.Helper(); return b.do("GET", path, nil) }
func (b *browser) delete(path string) *answer         { b.t.Helper(); return b.do("DELETE", path, nil) }

// want checks the status, and for problems the code.
func (a *answer) want(status int, code ...models.Code) *answer {
	a.t.Helper()
	if a.Status != status || len(code) > 0 && a.code() != code[0] {
		a.t.Fatalf("%s: got %d %s, want %d %v\n%s", a.what, a.Status, a.code(), status, code, a.Raw)
	}
	return a
}

func (a *answer) code() models.Code {
	code, _ := a.Body["code"].(string)
	return models.Code(code)
}

// state checks where the answered session stands.
func (a *answer) state(state models.State, acr models.ACR) *answer {
	a.t.Helper()
	if a.Body["state"] != string(state) || a.Body["acr"] != string(acr) {
		a.t.Fatalf("%s: got %v %v, want %s %s", a.what, a.Body["state"], a.Body["acr"], state, acr)
	}
	return a
}

func (a *answer) text(key string) string {
	a.t.Helper()
	s, ok := a.Body[key].(string)
	if !ok {
		a.t.Fatalf("%s: no text %q in %s", a.what, key, a.Raw)
	}
	return s
}

// person is an account with what its owner knows and holds.
type person struct {
	*browser
	name   string
	secret string // of the authenticator app
	codes  []string
	key    *key   // a passkey
	pwd    string // where it is not the usual one
}

// do sends a request and, where it needs a step-up, gives its proofs and sends it
// again, as the pages do. What the bare browser answers is for tests of step-ups.
func (p *person) do(method, path string, body any) *answer {
	p.t.Helper()
	a := p.browser.do(method, path, body)
	if a.code() != models.CodeStepUpRequired || !p.stepUp(a) {
		return a
	}
	return p.browser.do(method, path, body)
}

func (p *person) post(path string, body any) *answer { p.t.Helper(); return p.do("POST", path, body) }
func (p *person) get(path string) *answer            { p.t.Helper(); return p.do("GET", path, nil) }
func (p *person) delete(path string) *answer         { p.t.Helper(); return p.do("DELETE", path, nil) }

// stepUp gives what a refusal asks for: the password, and a passkey or a code of the
// authenticator app, for which it waits a time step. It tells whether it could.
func (p *person) stepUp(refused *answer) bool {
	p.t.Helper()
	object, _ := refused.Body["object"].(string)
	return p.prove(refused.text("purpose"), object)
}

// prove begins a step-up and gives its proofs.
func (p *person) prove(purpose, object string) bool {
	p.t.Helper()
	begun := p.browser.post("/v1/step-up", map[string]any{"purpose": purpose, "object": object}).want(201)
	if begun.Body["granted"] == true {
		return true
	}
	id, factors := begun.text("id"), begun.Body["factors"].([]any)
	byPasskey := slices.Contains(factors, any("passkey")) && p.key != nil
	if !byPasskey && (!slices.Contains(factors, any("totp")) || p.secret == "") {
		return false
	}
	if begun.Body["password"] == true {
		p.browser.post("/v1/verify/password", map[string]any{"password": cmp.Or(p.pwd, password), "step_up": id}).want(200)
	}
	if byPasskey {
		options := p.browser.post("/v1/verify/passkey/options", map[string]any{"step_up": id}).want(200)
		p.browser.post("/v1/verify/passkey", p.key.sign(p.t, options)).want(200)
		return true
	}
	p.site.nextStep()
	p.browser.post("/v1/verify/totp", map[string]any{"code": p.code(), "step_up": id}).want(200)
	return true
}

func (s *site) register(name string) *person {
	s.t.Helper()
	p := &person{browser: s.browser(), name: name}
	p.post("/v1/accounts", map[string]any{"email": name + "@example.com", "username": name, "password": password}).
		want(201).state(models.EnrolmentRequired, models.ACROne)
	return p
}

// withTOTP is a person who is signed in and has an authenticator app.
func (s *site) withTOTP(name string) *person {
	s.t.Helper()
	p := s.register(name)
	p.addTOTP().state(models.Authenticated, models.ACRAAL2)
	return p
}

func (p *person) addTOTP() *answer {
	p.t.Helper()
	begun := p.post("/v1/me/totp", map[string]any{}).want(200)
	p.secret = begun.text("secret")
	return p.post("/v1/me/totp/confirm", map[string]any{"code": p.code()}).want(200)
}

// code is the present code of the authenticator app.
func (p *person) code() string { p.t.Helper(); return p.codeAt(0) }

func (p *person) codeAt(offset time.Duration) string {
	p.t.Helper()
	code, err := totp.GenerateCode(p.secret, p.site.Clock.Now().Add(offset))
	if err != nil {
		p.t.Fatal(err)
	}
	return code
}

// saveCodes issues recovery codes.
func (p *person) saveCodes() {
	p.t.Helper()
	issued := p.post("/v1/me/recovery-codes", map[string]any{}).want(200)
	p.codes = nil
	for _, code := range issued.Body["codes"].([]any) {
		p.codes = append(p.codes, code.(string))
	}
	if len(p.codes) != 10 {
		p.t.Fatalf("%d codes", len(p.codes))
	}
}

// elsewhere is the same person in another browser, past the password.
func (p *person) elsewhere() *person {
	p.t.Helper()
	other := *p
	other.browser = p.site.browser()
	other.post("/v1/login", map[string]any{"identifier": p.name, "password": password}).want(200)
	return &other
}

// form is a body of another kind than JSON.
type form struct {
	kind string
	body []byte
}

// nextStep moves the clock so that the authenticator app shows a new code.
func (s *site) nextStep() { s.Clock.Advance(30 * time.Second) }
