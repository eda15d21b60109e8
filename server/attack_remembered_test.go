package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

func TestAttackOneDeviceChallengeOf100(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(generous)
	ada, laptop := s.remembered("ada")
	tab := ada.elsewhere()
	options := tab.askDevice(laptop).want(200)
	proof := map[string]any{"challenge": options.text("challenge"), "signature": laptop.sign(asked(options)...)}
	counts := parallel(100, func(int) *answer { return tab.clone().post("/v1/verify/device", proof) })
	if counts[200] != 1 || counts[200]+counts[401]+counts[410] != 100 {
		t.Fatalf("answers %v: exactly one may win", counts)
	}
	// Nor in a session of its own, later.
	ada.elsewhere().post("/v1/verify/device", proof).want(410, models.CodeChallengeExpired)
	// Of 100 guesses at one challenge one is looked at, and the right answer comes too late.
	tab = ada.elsewhere()
	options = tab.askDevice(laptop).want(200)
	proof = map[string]any{"challenge": options.text("challenge"), "signature": newDevice(t).sign(asked(options)...)}
	counts = parallel(100, func(int) *answer { return tab.clone().post("/v1/verify/device", proof) })
	if counts[422] != 1 || counts[410] != 99 {
		t.Errorf("answers %v: one guess may be looked at", counts)
	}
	proof["signature"] = laptop.sign(asked(options)...)
	tab.post("/v1/verify/device", proof).want(410, models.CodeChallengeExpired)
}

// A signature serves for what was asked of this device for this account in this session,
// here, and for nothing else.
func TestAttackDeviceSignatures(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(generous)
	s.force(func(p *models.Policy) { p.Limits.Passkey.Max = 1000 })
	ada, laptop := s.remembered("ada")
	eve, hers := s.remembered("eve")
	other := ada.elsewhere()
	theirs := other.askDevice(laptop).want(200)
	swapped := func(i int, with string) func(*answer) string {
		return func(o *answer) string {
			lines := asked(o)
			lines[i] = with
			return laptop.sign(lines...)
		}
	}
	evesOptions := eve.elsewhere().askDevice(hers).want(200)
	for name, forge := range map[string]func(*answer) string{
		"another key":                func(o *answer) string { return hers.sign(asked(o)...) },
		"what opens a camera":        swapped(0, "sallyport face capture open v1"),
		"what frames are signed by":  swapped(0, "sallyport face capture frames v1"),
		"another origin":             swapped(1, "https://evil.example"),
		"another account":            swapped(2, evesOptions.text("subject")),
		"another session":            swapped(3, theirs.text("session")),
		"another challenge":          swapped(4, theirs.text("challenge")),
		"another nonce":              swapped(5, theirs.text("nonce")),
		"what another session signs": func(*answer) string { return laptop.sign(asked(theirs)...) },
		"nothing":                    func(*answer) string { return laptop.sign() },
		"zeroes":                     func(*answer) string { return strings.Repeat("A", 86) },
		"no base64":                  func(*answer) string { return strings.Repeat("!", 86) },
	} {
		tab := ada.elsewhere()
		options := tab.askDevice(laptop).want(200)
		a := tab.post("/v1/verify/device", map[string]any{"challenge": options.text("challenge"), "signature": forge(options)})
		if a.Status != 422 || a.code() != models.CodeFactorRejected {
			t.Errorf("%s: got %d %s", name, a.Status, a.Raw)
		}
		tab.get("/v1/session").want(200).state(models.SecondFactorRequired, models.ACROne)
	}
	// Another account's key is not asked, and a challenge of another session, account or
	// purpose is none.
	ada.elsewhere().askDevice(hers).want(409, models.CodeConflict)
	tab := ada.elsewhere()
	for _, o := range []*answer{theirs, evesOptions} {
		tab.post("/v1/verify/device", map[string]any{"challenge": o.text("challenge"), "signature": laptop.sign(asked(o)...)}).want(410, models.CodeChallengeExpired)
	}
	face := s.withFace("bea", 1).elsewhere().post("/v1/verify/face/challenge", map[string]any{}).want(201)
	tab.post("/v1/verify/device", map[string]any{"challenge": face.text("id"), "signature": laptop.sign()}).want(410, models.CodeChallengeExpired)
	// Who failed is told of, as with any factor.
	if s.facts("second_factor_failed") == 0 {
		t.Error("nobody is told that somebody has the password")
	}
}

// The other way: what a remembered device signs opens no camera.
func TestAttackADeviceSignatureOpensNoCamera(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, laptop := s.withTOTP("ada"), newDevice(t)
	ada.enrolWith(someone(1), laptop).want(201)
	half := ada.elsewhere()
	issued := half.post("/v1/verify/face/challenge", map[string]any{}).want(201)
	bind := issued.Body["device"].(map[string]any)
	signature := laptop.sign(rememberedTag, origin, bind["subject"].(string), bind["session"].(string), issued.text("id"), bind["nonce"].(string))
	if end := half.before(issued, someone(1), map[string]any{"thumbprint": laptop.thumbprint, "signature": signature}); end.Captured {
		t.Error("the camera opened")
	}
}

// Whatever makes less of the trust in an account ends what rests on it, also the device
// at which that is done.
func TestAttackWhatEndsARememberedDevice(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(s *site, p *person){
		"a changed password": func(_ *site, p *person) {
			p.post("/v1/me/password", map[string]any{"current": password, "new": "a brand new password"}).want(204)
		},
		"a removed factor": func(_ *site, p *person) {
			p.addPasskey(newKey(true), "").want(201)
			p.delete("/v1/me/totp").want(204)
		},
		"all sessions ended": func(_ *site, p *person) { p.delete("/v1/me/sessions?scope=all").want(204) },
		"a recovery code": func(_ *site, p *person) {
			p.saveCodes()
			p.elsewhere().post("/v1/verify/recovery", map[string]any{"code": p.codes[0]}).want(200)
		},
		"a recovery code in a reset": func(s *site, p *person) {
			p.saveCodes()
			s.follows(p, s.resetLink(p.name+"@example.com")).post("/v1/verify/recovery", map[string]any{"code": p.codes[0]}).want(200)
		},
		"a new password by mail": func(s *site, p *person) {
			back := s.follows(p, s.resetLink(p.name+"@example.com"))
			s.nextStep()
			back.post("/v1/verify/totp", map[string]any{"code": back.code()}).want(200)
			back.post("/v1/password/reset", map[string]any{"new": "a brand new password"}).want(204)
		},
		"its letter was denied": func(s *site, _ *person) { s.deny(s.alarm(), models.DenialFrozen) },
		"a deletion, taken back": func(s *site, p *person) {
			p.delete("/v1/me").want(200)
			p.again().do("POST", "/v1/me/restore", nil).want(204)
		},
		"its time": func(s *site, _ *person) { s.Clock.Advance(models.MaxRemembered) },
		"a shorter time now": func(s *site, _ *person) {
			s.force(func(p *models.Policy) { p.Remember.Lifetime = models.Duration(time.Hour) })
			s.Clock.Advance(time.Hour)
		},
		"a policy without it": func(s *site, _ *person) { s.force(func(p *models.Policy) { p.Remember.Allowed = false }) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := withMail(t)
			s.force(remembering)
			ada, laptop := s.withTOTP("ada").again(), newDevice(t)
			ada.remember(laptop).want(201)
			in, asking := ada.elsewhere(), ada.elsewhere()
			in.recognise(laptop).want(200)
			waiting := asking.askDevice(laptop).want(200)
			end(s, ada)
			if a := in.get("/v1/session"); a.Status != 401 {
				t.Errorf("what it let in is still there: %s", a.Raw)
			}
			proof := map[string]any{"challenge": waiting.text("challenge"), "signature": laptop.sign(asked(waiting)...)}
			if a := asking.browser.post("/v1/verify/device", proof); a.Status < 400 {
				t.Errorf("a challenge from before: %s", a.Raw)
			}
			back := &person{browser: s.browser(), name: "ada"}
			for _, pwd := range []string{password, "a brand new password"} {
				if back.browser.post("/v1/login", map[string]any{"identifier": "ada", "password": pwd}).Status == 200 {
					break
				}
			}
			if a := back.recognise(laptop); a.Status != 409 {
				t.Errorf("the device opens: %d %s", a.Status, a.Raw)
			}
			// Its owner's own browser is no reason to alarm them.
			if n := s.facts("second_factor_failed"); n != 0 {
				t.Errorf("%d alarms", n)
			}
			back.get("/v1/session").want(200).state(models.SecondFactorRequired, models.ACROne)
		})
	}
}

func TestAttackOthersEndAndThisBrowserStays(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, old := s.remembered("ada")
	here, mine := ada.again(), newDevice(t)
	here.remember(mine).want(201)
	here.delete("/v1/me/sessions").want(204)
	here.elsewhere().recognise(old).want(409)
	here.elsewhere().recognise(mine).want(200)
	// Ending one session from another, or forgetting its device, takes both.
	gone, theirs := ada.again(), newDevice(t)
	gone.remember(theirs).want(201)
	id := gone.rememberedDevices()[0].(map[string]any)["id"].(string)
	thief := ada.elsewhere()
	thief.recognise(theirs).want(200)
	owner := ada.elsewhere()
	owner.recognise(theirs).want(200)
	here.browser.delete("/v1/me/remembered-devices/" + id).want(204)
	thief.get("/v1/session").want(401)
	owner.get("/v1/session").want(401)
	ended, last := ada.again(), newDevice(t)
	ended.remember(last).want(201)
	for _, row := range ended.get("/v1/me/sessions").want(200).Body["sessions"].([]any) {
		if session := row.(map[string]any); session["current"] == true {
			here.browser.delete("/v1/me/sessions/" + session["id"].(string)).want(204)
		}
	}
	here.elsewhere().recognise(last).want(409)
}

// Whoever holds a stolen session, or came in by a device, has none remembered.
func TestAttackADeviceIsNotRememberedByLess(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, laptop := s.remembered("ada")
	refused := func(name string, p *person, reason string) {
		t.Helper()
		if a := p.remember(newDevice(t)); a.Status != 409 || a.Body["reason"] != reason {
			t.Errorf("%s: got %d %s", name, a.Status, a.Raw)
		}
	}
	on := ada.elsewhere()
	on.recognise(laptop).want(200)
	refused("on a device", on, "not_fresh")
	on.prove(string(models.SecondFactor), "")
	on.get("/v1/session").want(200).state(models.Authenticated, models.ACRAAL2)
	refused("on a device, at level 2 by now", on, "not_fresh")
	if a := on.remember(laptop); a.Status != 409 {
		t.Errorf("it has itself remembered anew: %s", a.Raw)
	}

	fresh := ada.again()
	fresh.remember(newDevice(t)).want(201)
	refused("a second one of a session", fresh, "remembered")
	old := ada.again()
	s.Clock.Advance(models.RememberWithin)
	refused("a session that is older", old, "not_fresh")
	old.prove(string(models.RemoveTOTP), "")
	refused("a session that just stepped up", old, "not_fresh")

	phone := newKey(true)
	bea := s.withTOTP("bea")
	bea.addPasskey(phone, "").want(201)
	alone := &person{browser: s.browser()}
	alone.loginPasskey(phone).want(200)
	refused("a passkey without a password", alone, "not_fresh")
	s.force(func(p *models.Policy) { p.Remember.Allowed = false })
	if a := bea.again().remember(newDevice(t)); a.Status != 409 {
		t.Errorf("where none may be: %s", a.Raw)
	}
	if n := s.facts("device_remembered"); n != 2 {
		t.Errorf("%d devices were remembered", n)
	}
}

// Twenty challenges are a quarter of an hour's, and so many bad signatures in a row are
// the end of every device until one is remembered anew. Nobody else's way is touched.
func TestAttackGuessingAtADevice(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, laptop := s.remembered("ada")
	s.force(func(p *models.Policy) { p.Limits.InARow.DisableAfter = 10 })
	tab := ada.elsewhere()
	let := 0
	for range 30 {
		if tab.askDevice(laptop).Status == 200 {
			let++
		}
	}
	if let == 0 || let > 20 {
		t.Errorf("%d challenges", let)
	}
	for range 12 {
		s.Clock.Advance(time.Hour)
		thief := ada.elsewhere()
		options := thief.askDevice(laptop)
		if options.Status != 200 {
			continue
		}
		thief.post("/v1/verify/device", map[string]any{"challenge": options.text("challenge"), "signature": newDevice(t).sign(asked(options)...)})
	}
	s.Clock.Advance(time.Hour)
	if a := ada.elsewhere().recognise(laptop); a.Status != 409 || s.facts("factor_disabled") != 1 {
		t.Errorf("got %d %s, recorded %d times", a.Status, a.Raw, s.facts("factor_disabled"))
	}
	again, phone := ada.again(), newDevice(t)
	again.remember(phone).want(201)
	ada.elsewhere().recognise(phone).want(200)
}

// A letter's link stands for a password nowhere but before a factor.
func TestAttackADeviceServesNoReset(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada, laptop := s.remembered("ada")
	back := s.follows(ada, s.resetLink("ada@example.com"))
	if factors := back.get("/v1/session").want(200).Body["factors"].([]any); len(factors) != 1 {
		t.Errorf("factors %v", factors)
	}
	back.recognise(laptop).want(409, models.CodeConflict)
	back.get("/v1/session").want(200).state(models.SecondFactorRequired, models.ACROne)
}
