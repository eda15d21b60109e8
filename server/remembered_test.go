package server_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/mail"
)

// remembering has devices remembered, which no site does unless it says so.
func remembering(p *models.Policy) { p.Remember.Allowed = true }

const rememberedTag = "sallyport remembered device v1"

// remember has the device remembered, in a session that has just passed both factors.
func (p *person) remember(d *device) *answer {
	p.t.Helper()
	return p.browser.post("/v1/me/remembered-devices", map[string]any{"public_key": d.public})
}

// asked is what a device is to sign.
func asked(options *answer) []string {
	options.t.Helper()
	return []string{rememberedTag, origin, options.text("subject"), options.text("session"), options.text("challenge"), options.text("nonce")}
}

func (p *person) askDevice(d *device) *answer {
	p.t.Helper()
	return p.browser.post("/v1/verify/device/options", map[string]any{"thumbprint": d.thumbprint})
}

// recognise opens the second door by the device.
func (p *person) recognise(d *device) *answer {
	p.t.Helper()
	options := p.askDevice(d)
	if options.Status != 200 {
		return options
	}
	return p.browser.post("/v1/verify/device", map[string]any{"challenge": options.text("challenge"), "signature": d.sign(asked(options)...)})
}

// again is the person signing in elsewhere with the authenticator app.
func (p *person) again() *person {
	p.t.Helper()
	p.site.nextStep()
	other := p.elsewhere()
	other.browser.post("/v1/verify/totp", map[string]any{"code": other.code()}).want(200)
	return other
}

// remembered is a person with an authenticator app and a device that is remembered,
// from a browser of its own.
func (s *site) remembered(name string) (*person, *device) {
	s.t.Helper()
	s.force(remembering)
	p, laptop := s.withTOTP(name), newDevice(s.t)
	p.again().remember(laptop).want(201)
	return p, laptop
}

func (p *person) rememberedDevices() []any {
	p.t.Helper()
	return p.browser.get("/v1/me/remembered-devices").want(200).Body["remembered_devices"].([]any)
}

func TestARememberedDevice(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	s.force(remembering)
	ada, laptop := s.withTOTP("ada").again(), newDevice(t)
	made := ada.remember(laptop).want(201)
	if ends := made.text("ends_at"); ends != s.Clock.Now().Add(models.MaxRemembered).Format(time.RFC3339Nano) {
		t.Errorf("it ends %s", ends)
	}
	told := slices.ContainsFunc(s.mailbag(), func(m mail.Message) bool { return strings.Contains(m.Subject, "is remembered") })
	if s.facts("device_remembered") != 1 || !told {
		t.Errorf("%d facts, told %v", s.facts("device_remembered"), told)
	}
	ada.delete("/v1/session").want(204) // which keeps it: that is its use

	back := ada.elsewhere()
	if factors := back.get("/v1/session").want(200).Body["factors"].([]any); !slices.Contains(factors, any("device")) {
		t.Errorf("factors %v", factors)
	}
	in := back.recognise(laptop).want(200).state(models.Authenticated, models.ACRDevice)
	if in.Body["level"] != 1.0 || !slices.Equal(in.Body["amr"].([]any), []any{"pwd", "swk"}) || slices.Contains(in.Body["factors"].([]any), any("device")) {
		t.Errorf("%s", in.Raw)
	}
	if deviceCookie(in) != nil {
		t.Error("it is a known device by less than level 2")
	}
	back.get("/v1/me").want(200)
	back.get("/v1/chat/messages").want(200)
	listed := back.rememberedDevices()
	if len(listed) != 1 || listed[0].(map[string]any)["current"] != true || listed[0].(map[string]any)["ends_at"] != made.text("ends_at") {
		t.Errorf("listed %v", listed)
	}
	for _, row := range back.get("/v1/me/sessions").want(200).Body["sessions"].([]any) {
		if session := row.(map[string]any); session["current"] == true && session["acr"] != string(models.ACRDevice) {
			t.Errorf("the list says %v", session["acr"])
		}
	}
	// A factor raises it, as ever.
	s.nextStep()
	strange := s.facts("new_device")
	back.browser.post("/v1/verify/totp", map[string]any{"code": back.code()}).want(200).state(models.Authenticated, models.ACRAAL2)
	// And from then on the browser is known, and told of.
	if n := s.facts("new_device") - strange; n != 1 {
		t.Errorf("told %d times of a browser that came to level 2", n)
	}

	id := listed[0].(map[string]any)["id"].(string)
	back.browser.delete("/v1/me/remembered-devices/" + id).want(204)
	back.browser.delete("/v1/me/remembered-devices/"+id).want(404, models.CodeNotFound)
	if n := s.facts("remembered_device_removed"); n != 1 || len(back.rememberedDevices()) != 0 {
		t.Errorf("removed %d times", n)
	}
	after := back.elsewhere()
	if factors := after.get("/v1/session").want(200).Body["factors"].([]any); slices.Contains(factors, any("device")) {
		t.Errorf("factors %v", factors)
	}
	after.recognise(laptop).want(409, models.CodeConflict)
}

// What a session on a remembered device may do without more: read, and take access away.
func TestWhatARememberedDeviceMayDo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, laptop := s.remembered("ada")
	if err := s.SetAdmin(t.Context(), "ada", true); err != nil {
		t.Fatal(err)
	}
	in := ada.elsewhere()
	in.recognise(laptop).want(200)
	may := []string{
		"GET /v1/me", "GET /v1/me/passkeys", "GET /v1/me/totp", "GET /v1/me/recovery-codes", "GET /v1/me/face", "GET /v1/me/devices",
		"GET /v1/me/events", "GET /v1/me/sessions", "GET /v1/me/remembered-devices", "GET /v1/me/apps", "GET /v1/session",
		"POST /v1/authorizations/:id", "DELETE /v1/device-authorizations/:id", "DELETE /v1/me/apps/:id", "GET /v1/recovery", "POST /v1/me/email/verification",
		"DELETE /v1/session", "DELETE /v1/me/sessions", "DELETE /v1/me/sessions/:id", "DELETE /v1/me/remembered-devices/:id",
		"GET /v1/chat/messages", "POST /v1/chat/messages", "GET /v1/chat/socket",
		// To come to level 2.
		"POST /v1/step-up", "POST /v1/verify/password", "POST /v1/verify/totp", "POST /v1/verify/recovery", "POST /v1/verify/passkey/options",
		"POST /v1/verify/passkey", "POST /v1/verify/face/challenge", "GET /v1/verify/face/capture", "POST /v1/verify/face",
		// These need what another route asked a step-up for, or ask under the lock.
		"POST /v1/me/passkeys", "POST /v1/me/totp/confirm", "GET /v1/me/face/capture", "POST /v1/me/face", "POST /v1/me/remembered-devices",
	}
	for _, route := range routesOf(s) {
		method, path, _ := strings.Cut(route, " ")
		if slices.Contains(open, route) || method == "DELETE" && slices.Contains(may, route) || strings.HasPrefix(path, "/v1/verify/device") || path == "/v1/password/reset" || method == "POST" && strings.HasPrefix(path, "/v1/recovery") || strings.HasPrefix(path, "/v1/transactions") {
			continue // for everybody, or who is not signed in; what ends sessions is tried below
		}
		a := in.browser.do(method, strings.ReplaceAll(path, ":id", string(models.NewID(s.Clock.Now()))), nil)
		if strings.HasPrefix(path, "/v1/admin/") { // an admin is none at level 1
			a.want(404, models.CodeNotFound)
			continue
		}
		if asks := a.Status == 403 && a.code() == models.CodeStepUpRequired; asks == slices.Contains(may, route) {
			t.Errorf("%s: got %d %s", route, a.Status, a.Raw)
		}
	}
	in.get("/v1/session").want(200).state(models.Authenticated, models.ACRDevice)
	// The routes that ask nothing afresh of level 2 are content with a factor once.
	refused := in.browser.do("POST", "/v1/me/restore", nil).want(403, models.CodeStepUpRequired)
	if refused.text("purpose") != string(models.SecondFactor) || refused.Body["password"] == true || !in.stepUp(refused) {
		t.Fatalf("%s", refused.Raw)
	}
	for range 2 {
		in.browser.do("POST", "/v1/me/restore", nil).want(409, models.CodeConflict) // let through: there is nothing to restore
	}
	last := ada.elsewhere()
	last.recognise(laptop).want(200)
	last.browser.delete("/v1/me/sessions").want(204)
	last.get("/v1/session").want(200)
	in.get("/v1/session").want(401)
}

func TestTheOldestOfElevenDevicesGoes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(generous)
	ada, first := s.remembered("ada")
	var last *device
	for range 10 {
		last = newDevice(t)
		ada.again().remember(last).want(201)
	}
	if n := len(ada.rememberedDevices()); n != 10 {
		t.Errorf("%d devices", n)
	}
	ada.elsewhere().recognise(first).want(409)
	ada.elsewhere().recognise(last).want(200)
}

func TestWhatIsRememberedNoMoreIsPurged(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, laptop := s.remembered("ada")
	left := func() (n int) {
		if err := s.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Pool.QueryRow(t.Context(), `SELECT count(*) FROM remembered_devices`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	s.Clock.Advance(models.MaxRemembered - time.Hour)
	if ada.elsewhere().recognise(laptop).want(200); left() != 1 {
		t.Error("it went before its time")
	}
	if s.Clock.Advance(time.Hour); left() != 0 { // use has not moved the end
		t.Error("it outlived its time")
	}
}

// An app keeps its key as a browser does.
func TestAnAppIsRemembered(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(remembering)
	ada, phone := s.withTOTP("ada"), newDevice(t)
	signIn := map[string]any{"identifier": "ada", "password": password, "transport": "bearer"}
	app := &person{browser: s.app(), name: "ada", secret: ada.secret}
	s.nextStep()
	app.browser.post("/v1/login", signIn).want(200)
	app.browser.post("/v1/verify/totp", map[string]any{"code": app.code()}).want(200)
	app.remember(phone).want(201)
	back := &person{browser: s.app(), name: "ada"}
	back.browser.post("/v1/login", signIn).want(200)
	if back.recognise(phone).want(200).state(models.Authenticated, models.ACRDevice).text("token") == "" {
		t.Error("no token")
	}
}
