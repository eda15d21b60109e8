package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
)

// device is a browser's key, which signs as WebCrypto does.
type device struct {
	t          testing.TB
	key        *ecdsa.PrivateKey
	public     string
	thumbprint string
}

func newDevice(t testing.TB) *device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(spki)
	return &device{t, key, base64.RawURLEncoding.EncodeToString(spki), base64.RawURLEncoding.EncodeToString(sum[:])}
}

func (d *device) sign(lines ...string) string {
	d.t.Helper()
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	r, s, err := ecdsa.Sign(rand.Reader, d.key, sum[:])
	if err != nil {
		d.t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// statement is what a device signs of a challenge.
func (d *device) statement(tag string, issued *answer) []string {
	bind := issued.Body["device"].(map[string]any)
	return []string{tag, origin, bind["subject"].(string), bind["session"].(string), bind["purpose"].(string), issued.text("id"), d.thumbprint}
}

func (d *device) open(issued *answer) string {
	nonce := issued.Body["device"].(map[string]any)["nonce"].(string)
	return d.sign(append(d.statement("sallyport face capture open v1", issued), nonce)...)
}

// watched is a camera that remembers the frames it gave.
type watched struct {
	camera
	sums []string
}

func (w *watched) frame(cue biometrics.Cue) []byte {
	upload := w.camera(cue)
	sum := sha256.Sum256(upload)
	w.sums = append(w.sums, hex.EncodeToString(sum[:]))
	return upload
}

// present shows a face to a challenge before a browser that has a key, and gives
// the request that takes it.
func (p *person) present(issued *answer, cam camera, d *device, hello map[string]any) map[string]any {
	p.t.Helper()
	w := &watched{camera: cam}
	if end := p.before(issued, w.frame, hello); !end.Captured {
		p.t.Fatalf("%+v", end.Refused)
	}
	signature := d.sign(append(d.statement("sallyport face capture frames v1", issued), w.sums...)...)
	return map[string]any{"challenge": issued.text("id"), "signature": signature}
}

func (p *person) enrolWith(cam camera, d *device) *answer {
	p.t.Helper()
	issued := p.askEnrol(nil).want(201)
	body := p.present(issued, cam, d, map[string]any{"public_key": d.public, "signature": d.open(issued)})
	body["name"] = "Laptop"
	return p.browser.post("/v1/me/face", body)
}

func (p *person) showWith(cam camera, d *device) *answer {
	p.t.Helper()
	issued := p.post("/v1/verify/face/challenge", map[string]any{}).want(201)
	return p.post("/v1/verify/face", p.present(issued, cam, d, map[string]any{"thumbprint": d.thumbprint, "signature": d.open(issued)}))
}

// proveByFace gives the password and a face for a step-up.
func (p *person) proveByFace(purpose, object string, cam camera) {
	p.t.Helper()
	id := p.browser.post("/v1/step-up", map[string]any{"purpose": purpose, "object": object}).want(201).text("id")
	p.browser.post("/v1/verify/password", map[string]any{"password": password, "step_up": id}).want(200)
	issued := p.browser.post("/v1/verify/face/challenge", map[string]any{"step_up": id}).want(201)
	p.before(issued, cam, nil)
	p.browser.post("/v1/verify/face", map[string]any{"challenge": issued.text("id")}).want(200)
}

func (p *person) addDevice(d *device) *answer {
	p.t.Helper()
	bind := p.get("/v1/me/devices").want(200)
	signature := d.sign("sallyport face capture open v1", origin, bind.text("subject"), bind.text("session"), "add_device", d.thumbprint)
	return p.post("/v1/me/devices", map[string]any{"public_key": d.public, "signature": signature, "name": "Laptop"})
}

func TestADeviceKeySignsTheCapture(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, laptop := s.withTOTP("ada"), newDevice(t)
	ada.enrolWith(someone(1), laptop).want(201)
	if listed := ada.get("/v1/me/devices").want(200).Body["devices"].([]any); len(listed) != 1 {
		t.Fatalf("%d devices", len(listed))
	}
	in := ada.elsewhere().showWith(someone(1), laptop).want(200).state(models.Authenticated, models.ACRMFA)
	methods := in.Body["methods"].([]any)
	if last := methods[len(methods)-1].(map[string]any); last["method"] != "face" || last["device_key"] != true {
		t.Errorf("methods %v", methods)
	}
	if amr := in.Body["amr"].([]any); len(amr) != 4 || amr[2] != "swk" {
		t.Errorf("amr %v", amr)
	}
	// Without it the face still passes, and says so.
	without := ada.elsewhere().showFace(someone(1)).want(200)
	for _, m := range without.Body["methods"].([]any) {
		if m.(map[string]any)["device_key"] != nil {
			t.Errorf("methods %v", without.Body["methods"])
		}
	}
}

// Frames that came from elsewhere, in another order, or signed for another
// challenge are not what the browser saw.
func TestASignatureCoversEveryFrameInOrder(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, laptop, stolen := s.withTOTP("ada"), newDevice(t), newDevice(t)
	ada.enrolWith(someone(1), laptop).want(201)
	for name, forge := range map[string]func(lines []string) (by *device, signed []string){
		"a frame more":      func(l []string) (*device, []string) { return laptop, append(l, strings.Repeat("0", 64)) },
		"a frame less":      func(l []string) (*device, []string) { return laptop, l[:len(l)-1] },
		"two frames turned": func(l []string) (*device, []string) { l[8], l[9] = l[9], l[8]; return laptop, l },
		"another origin":    func(l []string) (*device, []string) { l[1] = "https://evil.example"; return laptop, l },
		"another purpose":   func(l []string) (*device, []string) { l[4] = "enrol_face"; return laptop, l },
		"another key":       func(l []string) (*device, []string) { return stolen, l },
		"the opening's tag": func(l []string) (*device, []string) { l[0] = "sallyport face capture open v1"; return laptop, l },
	} {
		s.Clock.Advance(time.Minute)
		tab := ada.elsewhere()
		issued := tab.post("/v1/verify/face/challenge", map[string]any{}).want(201)
		w := &watched{camera: someone(1)}
		tab.before(issued, w.frame, map[string]any{"thumbprint": laptop.thumbprint, "signature": laptop.open(issued)})
		by, lines := forge(append(laptop.statement("sallyport face capture frames v1", issued), w.sums...))
		got := tab.post("/v1/verify/face", map[string]any{"challenge": issued.text("id"), "signature": by.sign(lines...)})
		if got.Status != 422 || got.code() != models.CodeFactorRejected {
			t.Errorf("%s: got %d %s", name, got.Status, got.Raw)
		}
	}
}

// Pictures are looked at only once the camera's end is known.
func TestAStrangersKeyOpensNoCamera(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, laptop, stolen := s.withTOTP("ada"), newDevice(t), newDevice(t)
	ada.enrolWith(someone(1), laptop).want(201)
	s.force(func(p *models.Policy) { p.Face.RequireDeviceKey = true })
	eve := s.withTOTP("eve")
	eve.post("/v1/me/face/challenge", map[string]any{"consent_version": eve.consentVersion()}).want(201)
	looked := s.engine.Calls()
	for name, hello := range map[string]func(*answer) any{
		"no key": func(*answer) any { return map[string]any{} },
		"an unknown key": func(a *answer) any {
			return map[string]any{"thumbprint": stolen.thumbprint, "signature": stolen.open(a)}
		},
		"a new key": func(a *answer) any { return map[string]any{"public_key": stolen.public, "signature": stolen.open(a)} },
		"somebody's print": func(a *answer) any {
			return map[string]any{"thumbprint": laptop.thumbprint, "signature": stolen.open(a)}
		},
		"no signature": func(*answer) any { return map[string]any{"thumbprint": laptop.thumbprint} },
		"an old signature": func(a *answer) any {
			return map[string]any{"thumbprint": laptop.thumbprint, "signature": laptop.sign("old")}
		},
		"nonsense as a key": func(*answer) any { return map[string]any{"public_key": "AAAA", "signature": "AAAA"} },
	} {
		s.Clock.Advance(time.Minute)
		tab := ada.elsewhere()
		issued := tab.post("/v1/verify/face/challenge", map[string]any{}).want(201)
		if end := tab.before(issued, someone(1), hello(issued)); end.Captured || end.Refused == nil || end.Refused.Detail == "" {
			t.Errorf("%s: %+v", name, end)
		}
	}
	if s.engine.Calls() != looked {
		t.Errorf("%d pictures were looked at", s.engine.Calls()-looked)
	}
	s.Clock.Advance(time.Minute)
	ada.elsewhere().showWith(someone(1), laptop).want(200)
}

// A face must not be able to plant the key that vouches for it.
func TestANewDeviceNeedsAnotherFactorThanTheFace(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	byFace := ada.elsewhere()
	byFace.secret = "" // whoever is there has the password and passes for the face
	byFace.showFace(someone(1)).want(200)
	byFace.proveByFace("add_device", "", someone(1))
	byFace.addDevice(newDevice(t)).want(403, models.CodeStepUpRequired)
	byFace.proveByFace("add_face", "", someone(1))
	byFace.enrolWith(someone(1), newDevice(t)).want(403, models.CodeStepUpRequired)
	mayAdd := func() any { return byFace.askEnrol(nil).want(201).Body["device"].(map[string]any)["may_add"] }
	if mayAdd() != false {
		t.Error("a browser is told that the face alone brings its key")
	}
	byFace.secret = ada.secret
	byFace.prove("add_face", "")
	if mayAdd() != true {
		t.Error("a browser is not told that it may bring a key")
	}
	byFace.addDevice(newDevice(t)).want(201)
	// A key that isn't there can't be registered.
	bind := byFace.get("/v1/me/devices").want(200)
	mine, theirs := newDevice(t), newDevice(t)
	signature := mine.sign("sallyport face capture open v1", origin, bind.text("subject"), bind.text("session"), "add_device", theirs.thumbprint)
	byFace.post("/v1/me/devices", map[string]any{"public_key": theirs.public, "signature": signature}).want(422, models.CodeFactorRejected)
}

func TestForeignDevicesAreNotFound(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, eve, laptop := s.withTOTP("ada"), s.withTOTP("eve"), newDevice(t)
	ada.enrolWith(someone(1), laptop).want(201)
	id := ada.get("/v1/me/devices").want(200).Body["devices"].([]any)[0].(map[string]any)["id"].(string)
	eve.delete("/v1/me/devices/"+id).want(404, models.CodeNotFound)
	ada.delete("/v1/me/devices/" + id).want(204)
	ada.delete("/v1/me/devices/"+id).want(404, models.CodeNotFound)
}

// Where no browser of the account is known there is nothing to try, and nothing is
// counted.
func TestWithoutAnyDeviceNoTryIsCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	s.force(func(p *models.Policy) { p.Face.RequireDeviceKey = true })
	for range 7 {
		got := ada.elsewhere().post("/v1/verify/face/challenge", map[string]any{}).want(409, models.CodeConflict)
		if got.Body["reason"] != "device_key" {
			t.Fatalf("got %s", got.Raw)
		}
	}
	var failures int
	if err := s.Pool.QueryRow(t.Context(), `SELECT failures FROM faces`).Scan(&failures); err != nil || failures != 0 {
		t.Errorf("%d tries were counted, %v", failures, err)
	}
}
