package models

import "time"

// LimitsPolicy bounds tries. Password is for each name that is typed, the other
// factors for each account; one network may use half of either, and a known
// device has as much to itself. Login, Registration, PasskeyLogin and Advice count
// requests per network, Global sign-ins from everywhere and Sprayed those with a
// password that is being tried at many accounts. Failures of a face are counted
// in a row alone: see FailuresPolicy.
type LimitsPolicy struct {
	Password     Limit        `yaml:"password" json:"password"`
	Passkey      Limit        `yaml:"passkey" json:"passkey"`
	TOTP         Limit        `yaml:"totp" json:"totp"`
	FaceCapture  Limit        `yaml:"face_capture" json:"face_capture"`
	Recovery     Limit        `yaml:"recovery" json:"recovery"`
	Login        Limit        `yaml:"login" json:"login"`
	Registration Limit        `yaml:"registration" json:"registration"`
	PasskeyLogin Limit        `yaml:"passkey_login" json:"passkey_login"`
	Advice       Limit        `yaml:"advice" json:"advice"`
	Reset        Limit        `yaml:"reset" json:"reset"`               // letters for a new password, and that prove an address, for each address
	Transaction  Limit        `yaml:"transaction" json:"transaction"`   // second factors that an app asks for, for each of its subjects
	Transactions Limit        `yaml:"transactions" json:"transactions"` // and for all of them
	Global       Limit        `yaml:"global" json:"global"`
	Sprayed      Limit        `yaml:"sprayed" json:"sprayed"`
	InARow       FailureWaits `yaml:"in_a_row" json:"in_a_row"`
	Sources      Sources      `yaml:"sources" json:"sources"`
}

// FailureWaits says what failures in a row bring: NIST SP 800-63B-4 section
// 3.2.2.
type FailureWaits struct {
	Free         int      `yaml:"free" json:"free"`                   // before there is a wait
	Wait         Duration `yaml:"wait" json:"wait"`                   // the first; each failure doubles it
	MaxWait      Duration `yaml:"max_wait" json:"max_wait"`           // up to this
	DisableAfter int      `yaml:"disable_after" json:"disable_after"` // then the factor must be set up anew
}

// Sources says when a network looks as if it tried stolen or common passwords,
// and what that costs it.
type Sources struct {
	Window  Duration `yaml:"window" json:"window"`   // how long a failure is remembered
	Names   int      `yaml:"names" json:"names"`     // names that a network may fail at before it pays
	Sprayed int      `yaml:"sprayed" json:"sprayed"` // names at which one password may fail before whoever uses it pays
	Cost    int      `yaml:"cost" json:"cost"`       // what a try then costs of the network's limit on sign-ins
}

func defaultLimits() LimitsPolicy {
	limit := func(limit int, window time.Duration) Limit { return Limit{limit, Duration(window)} }
	return LimitsPolicy{
		Password:     limit(10, 15*time.Minute),
		Passkey:      limit(20, 15*time.Minute),
		TOTP:         limit(10, 15*time.Minute),
		FaceCapture:  limit(30, 15*time.Minute),
		Recovery:     limit(10, 15*time.Minute),
		Login:        limit(300, 15*time.Minute),
		Registration: limit(30, time.Hour),
		PasskeyLogin: limit(120, 15*time.Minute),
		Advice:       limit(300, 15*time.Minute),
		Reset:        limit(5, time.Hour),
		Transaction:  limit(30, 15*time.Minute),
		Transactions: limit(6000, 15*time.Minute),
		Global:       limit(6000, time.Minute),
		Sprayed:      limit(30, 15*time.Minute),
		InARow:       FailureWaits{Free: 5, Wait: Duration(30 * time.Second), MaxWait: Duration(time.Hour), DisableAfter: 100},
		Sources:      Sources{Window: Duration(10 * time.Minute), Names: 10, Sprayed: 10, Cost: 10},
	}
}

func (l LimitsPolicy) strictest(m LimitsPolicy) LimitsPolicy {
	return LimitsPolicy{
		Password:     l.Password.strictest(m.Password),
		Passkey:      l.Passkey.strictest(m.Passkey),
		TOTP:         l.TOTP.strictest(m.TOTP),
		FaceCapture:  l.FaceCapture.strictest(m.FaceCapture),
		Recovery:     l.Recovery.strictest(m.Recovery),
		Login:        l.Login.strictest(m.Login),
		Registration: l.Registration.strictest(m.Registration),
		PasskeyLogin: l.PasskeyLogin.strictest(m.PasskeyLogin),
		Advice:       l.Advice.strictest(m.Advice),
		Reset:        l.Reset.strictest(m.Reset),
		Transaction:  l.Transaction.strictest(m.Transaction),
		Transactions: l.Transactions.strictest(m.Transactions),
		Global:       l.Global.strictest(m.Global),
		Sprayed:      l.Sprayed.strictest(m.Sprayed),
		InARow: FailureWaits{
			Free:         min(l.InARow.Free, m.InARow.Free),
			Wait:         max(l.InARow.Wait, m.InARow.Wait),
			MaxWait:      max(l.InARow.MaxWait, m.InARow.MaxWait),
			DisableAfter: min(l.InARow.DisableAfter, m.InARow.DisableAfter),
		},
		Sources: Sources{
			Window:  max(l.Sources.Window, m.Sources.Window),
			Names:   min(l.Sources.Names, m.Sources.Names),
			Sprayed: min(l.Sources.Sprayed, m.Sources.Sprayed),
			Cost:    max(l.Sources.Cost, m.Sources.Cost),
		},
	}
}

// BotCheckPolicy asks for a proof that a person, or at least a computer that
// works for it, stands behind a sign-in or a registration.
type BotCheckPolicy struct {
	Provider  BotProvider `yaml:"provider" json:"provider"`
	After     int         `yaml:"after" json:"after"`           // failures of a network or a name in a quarter of an hour
	MaxNumber int         `yaml:"max_number" json:"max_number"` // ALTCHA: the work is half of this many hashes on average
}

// BotProvider is who checks.
type BotProvider string

// The providers: nobody, ourselves by a proof of work in ALTCHA's format, or a
// service with Turnstile's siteverify.
const (
	BotOff        BotProvider = "off"
	BotALTCHA     BotProvider = "altcha"
	BotSiteverify BotProvider = "siteverify"
)

// Limit is after how many failures the check is asked for.
func (b BotCheckPolicy) Limit() Limit { return Limit{b.After, Duration(15 * time.Minute)} }

func (p Policy) validateLimits(bad func(key, format string, args ...any)) {
	within := func(key string, n, low, high int) {
		if n < low || n > high {
			bad(key, "must be between %d and %d, is %d", low, high, n)
		}
	}
	lasts := func(key string, d Duration, low, high time.Duration) {
		if d.Std() < low || d.Std() > high {
			bad(key, "must be between %s and %s, is %s", low, high, d)
		}
	}
	l := p.Limits
	for key, limit := range map[string]Limit{
		"password": l.Password, "passkey": l.Passkey, "totp": l.TOTP, "face_capture": l.FaceCapture, "recovery": l.Recovery,
	} {
		within("limits."+key+".max", limit.Max, 1, 100)
		lasts("limits."+key+".window", limit.Window, 10*time.Second, 24*time.Hour)
	}
	for key, limit := range map[string]Limit{
		"login": l.Login, "registration": l.Registration, "passkey_login": l.PasskeyLogin, "advice": l.Advice, "reset": l.Reset, "transaction": l.Transaction, "transactions": l.Transactions, "global": l.Global, "sprayed": l.Sprayed,
	} {
		within("limits."+key+".max", limit.Max, 1, 1_000_000)
		lasts("limits."+key+".window", limit.Window, 10*time.Second, 24*time.Hour)
	}
	// NIST SP 800-63B-4 section 3.2.2: no more than 100 failures in a row.
	within("limits.in_a_row.disable_after", l.InARow.DisableAfter, 10, 100)
	within("limits.in_a_row.free", l.InARow.Free, 1, 20)
	lasts("limits.in_a_row.wait", l.InARow.Wait, time.Second, time.Hour)
	lasts("limits.in_a_row.max_wait", l.InARow.MaxWait, l.InARow.Wait.Std(), 24*time.Hour)
	lasts("limits.sources.window", l.Sources.Window, time.Minute, time.Hour)
	within("limits.sources.names", l.Sources.Names, 2, 10_000)
	within("limits.sources.sprayed", l.Sources.Sprayed, 2, 10_000)
	within("limits.sources.cost", l.Sources.Cost, 1, 1000)
	switch p.BotCheck.Provider {
	case BotOff, BotALTCHA, BotSiteverify:
	default:
		bad("bot_check.provider", "must be off, altcha or siteverify, is %q", p.BotCheck.Provider)
	}
	within("bot_check.after", p.BotCheck.After, 1, 1000)
	within("bot_check.max_number", p.BotCheck.MaxNumber, 1000, 10_000_000)
}
