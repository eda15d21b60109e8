package models

import (
	"slices"
	"testing"
	"time"
)

func TestTheDefaultPolicyIsGood(t *testing.T) {
	t.Parallel()
	if problems := DefaultPolicy("dlib-v1").Validate(); len(problems) > 0 {
		t.Fatal(problems)
	}
}

// Every field that can be made stricter must bind what began under a milder
// policy, and stay strict for what began under it.
func TestStrictestTakesTheStricterOfEachField(t *testing.T) {
	t.Parallel()
	mild, strict := DefaultPolicy("dlib-v1"), DefaultPolicy("dlib-v1")
	strict.Factors = FactorsPolicy{Allowed: []Factor{Passkey}, Passwordless: false}
	minute := Duration(time.Minute)
	strict.Face.Threshold = 0.3
	mild.Face.Previous = &Yardstick{Metric: "euclidean", Fusion: "mean", Model: "older", Threshold: 0.5}
	strict.Face.Previous = &Yardstick{Metric: "euclidean", Fusion: "mean", Model: "older", Threshold: 0.4}
	mild.Face.Liveness, strict.Face.Liveness = LivenessActive, LivenessActiveFlash
	strict.Face.LivenessThreshold, strict.Face.RequireDeviceKey, strict.Face.UnusedDays = 0.3, true, 90
	strict.Face.Quality = QualityPolicy{Sharpness: 30, MinLuma: 80, MaxLuma: 170, Contrast: 40, FaceSide: 150}
	strict.Face.Failures = FailuresPolicy{Free: 3, Wait: Duration(time.Minute), DisableAfter: 20}
	strict.Timeouts = TimeoutsPolicy{minute, minute, minute, minute, minute}
	fresh := StepUpRule{Password: true, ACR: ACRAAL2}
	mild.StepUp = StepUpPolicy{minute * 2, StepUpRule{Recent: minute}, StepUpRule{ACR: ACRMFA}, StepUpRule{Recent: minute}, StepUpRule{Recent: minute}, StepUpRule{Recent: minute}}
	strict.StepUp = StepUpPolicy{minute, fresh, fresh, fresh, fresh, fresh}
	mild.Recovery, strict.Recovery = RecoveryPolicy{Waiting: true, Wait: minute}, RecoveryPolicy{Wait: 2 * minute}
	strict.Password.MinLength = 20
	mild.Remember.Allowed, strict.Remember = true, RememberPolicy{Lifetime: Duration(24 * time.Hour)}
	one := Limit{Max: 1, Window: Duration(10 * time.Hour)}
	strict.Limits = LimitsPolicy{
		one, one, one, one, one, one, one, one, one, one, one, one, one, one,
		FailureWaits{Free: 1, Wait: minute, MaxWait: Duration(2 * time.Hour), DisableAfter: 10},
		Sources{Window: Duration(time.Hour), Names: 2, Sprayed: 2, Cost: 100},
	}
	for _, got := range []Policy{mild.Strictest(strict), strict.Strictest(mild)} {
		if got.Version() != strict.Version() {
			t.Errorf("got  %s\nwant %s", got.JSON(), strict.JSON())
		}
	}
}

func TestAnotherYardstickReplacesTheOldOne(t *testing.T) {
	t.Parallel()
	old, fresh := DefaultPolicy("dlib-v1"), DefaultPolicy("dlib-v1-q8")
	old.Face.Threshold = 0.2
	if got := old.Strictest(fresh).Face; got.Yardstick != fresh.Face.Yardstick {
		t.Errorf("thresholds of two models were compared: %+v", got)
	}
}

func TestACR(t *testing.T) {
	t.Parallel()
	at := time.Unix(0, 0)
	m := func(f Factor, uv bool) Method { return Method{Factor: f, At: at, UV: uv} }
	for _, c := range []struct {
		methods []Method
		want    ACR
	}{
		{nil, ACRNone},
		{[]Method{m(Password, false)}, ACROne},
		{[]Method{m(Face, false)}, ACROne},
		{[]Method{m(TOTP, false)}, ACROne},
		{[]Method{m(TOTP, false), m(Passkey, false)}, ACROne},
		{[]Method{m(TOTP, false), m(Face, false)}, ACROne},
		{[]Method{m(Passkey, false), m(Passkey, false)}, ACROne},
		{[]Method{m(Face, true)}, ACROne}, // UV means something for passkeys only
		{[]Method{m(Password, true)}, ACROne},
		{[]Method{m(Passkey, true)}, ACRAAL2},
		{[]Method{m(Password, false), m(Passkey, false)}, ACRAAL2},
		{[]Method{m(Password, false), m(TOTP, false)}, ACRAAL2},
		{[]Method{m(Password, false), m(Face, false)}, ACRMFA},
		{[]Method{m(Password, false), m(Device, true)}, ACRDevice},
		{[]Method{m(Device, true)}, ACROne},
		{[]Method{m(Mail, false), m(Device, false)}, ACROne},
		{[]Method{m(Face, false), m(Device, false)}, ACROne},
		{[]Method{m(Password, false), m(Device, false), m(TOTP, false)}, ACRAAL2},
		{[]Method{m(Password, false), m(Device, false), m(Face, false)}, ACRMFA},
		{[]Method{m(Password, false), m(Device, false), m(Recovery, false)}, ACRRecovery},
		{[]Method{m(Password, false), m(TOTP, false), m(Recovery, false)}, ACRRecovery},
		{[]Method{m(Passkey, true), m(Recovery, false)}, ACRRecovery},
	} {
		if got := ACROf(c.methods); got != c.want {
			t.Errorf("%v: got %q, want %q", c.methods, got, c.want)
		}
	}
	// A key of the browser makes no factor of its own: the context stays.
	signed := []Method{m(Password, false), {Factor: Face, At: at, DeviceKey: true}}
	if got := ACROf(signed); got != ACRMFA {
		t.Errorf("password and face with a device key are %q", got)
	}
	if got := ACROf(append(signed, m(Passkey, false))); got != ACRAAL2 {
		t.Errorf("with a passkey that did not verify its user they are %q", got)
	}
	if got := AMROf(signed); !slices.Equal(got, []string{"pwd", "face", "swk", "mfa"}) {
		t.Errorf("amr %v", got)
	}
	if ACRMFA.Meets(ACRAAL2) || !ACRAAL2.Meets(ACRMFA) || ACRRecovery.Meets(ACRMFA) || ACROne.Meets(ACRMFA) {
		t.Error("mfa serves for aal2, or less serves for mfa")
	}
}

func TestDeletionRetentionAndRememberingAreValidated(t *testing.T) {
	t.Parallel()
	for key, change := range map[string]func(*Policy){
		"accounts.deletion_grace": func(p *Policy) { p.Accounts.DeletionGrace = -1 },
		"remember.lifetime":       func(p *Policy) { p.Remember.Lifetime = Duration(MaxRemembered + time.Hour) },
		"retention.events":        func(p *Policy) { p.Retention.Events = Duration(24 * time.Hour) },
	} {
		p := DefaultPolicy("dlib-v1")
		change(&p)
		if problems := p.Validate(); len(problems) != 1 || problems[0].Key != key {
			t.Errorf("%s: got %v", key, problems)
		}
	}
	p := DefaultPolicy("dlib-v1")
	p.Accounts.DeletionGrace = 0 // at once
	if problems := p.Validate(); len(problems) != 0 {
		t.Errorf("no grace: %v", problems)
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	early, late := NewID(time.UnixMilli(1)), NewID(time.UnixMilli(1<<40))
	if early >= late || early[14] != '7' {
		t.Errorf("%s %s", early, late)
	}
	if got, err := ParseID(string(early)); err != nil || got != early {
		t.Errorf("got %s %v", got, err)
	}
	for _, bad := range []string{"", "x", string(early) + "0", "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz", "0123456789abcdef0123456789abcdef0123"} {
		if _, err := ParseID(bad); err == nil {
			t.Errorf("took %q", bad)
		}
	}
}

func TestLimitsAreValidated(t *testing.T) {
	t.Parallel()
	for key, change := range map[string]func(*Policy){
		"limits.password.max":           func(p *Policy) { p.Limits.Password.Max = 101 },
		"limits.global.window":          func(p *Policy) { p.Limits.Global.Window = 0 },
		"limits.sprayed.max":            func(p *Policy) { p.Limits.Sprayed.Max = 0 },
		"limits.in_a_row.free":          func(p *Policy) { p.Limits.InARow.Free = 0 },
		"limits.in_a_row.wait":          func(p *Policy) { p.Limits.InARow.Wait = 0 },
		"limits.in_a_row.max_wait":      func(p *Policy) { p.Limits.InARow.MaxWait = Duration(time.Second) },
		"limits.in_a_row.disable_after": func(p *Policy) { p.Limits.InARow.DisableAfter = 101 },
		"limits.sources.window":         func(p *Policy) { p.Limits.Sources.Window = 0 },
		"limits.sources.names":          func(p *Policy) { p.Limits.Sources.Names = 1 },
		"limits.sources.sprayed":        func(p *Policy) { p.Limits.Sources.Sprayed = 0 },
		"limits.sources.cost":           func(p *Policy) { p.Limits.Sources.Cost = 0 },
		"bot_check.provider":            func(p *Policy) { p.BotCheck.Provider = "captcha" },
		"bot_check.after":               func(p *Policy) { p.BotCheck.After = 0 },
		"bot_check.max_number":          func(p *Policy) { p.BotCheck.MaxNumber = 1 },
	} {
		p := DefaultPolicy("dlib-v1")
		change(&p)
		if problems := p.Validate(); len(problems) != 1 || problems[0].Key != key {
			t.Errorf("%s: got %v", key, problems)
		}
	}
}
