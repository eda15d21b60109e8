package models

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Policy is everything an admin may tune while Sallyport runs. It is one typed
// document; server/policy reads it from YAML.
type Policy struct {
	Factors   FactorsPolicy   `yaml:"factors" json:"factors"`
	Face      FacePolicy      `yaml:"face" json:"face"`
	Timeouts  TimeoutsPolicy  `yaml:"timeouts" json:"timeouts"`
	StepUp    StepUpPolicy    `yaml:"step_up" json:"step_up"`
	Password  PasswordPolicy  `yaml:"password" json:"password"`
	Limits    LimitsPolicy    `yaml:"limits" json:"limits"`
	Mail      MailPolicy      `yaml:"mail" json:"mail"`
	Accounts  AccountsPolicy  `yaml:"accounts" json:"accounts"`
	Retention RetentionPolicy `yaml:"retention" json:"retention"`
	Remember  RememberPolicy  `yaml:"remember" json:"remember"`
	BotCheck  BotCheckPolicy  `yaml:"bot_check" json:"bot_check"`
	Recovery  RecoveryPolicy  `yaml:"recovery" json:"recovery"`
	Forward   ForwardPolicy   `yaml:"forward_auth,omitempty" json:"forward_auth,omitzero"`
	// Unsafe names the settings that switch a protection off and may do so.
	Unsafe []string `yaml:"unsafe,omitempty" json:"unsafe,omitempty"`
}

// FactorsPolicy says which second factors count.
type FactorsPolicy struct {
	Allowed []Factor `yaml:"allowed" json:"allowed"`
	// Passwordless lets a passkey that verified its user sign in alone.
	Passwordless bool `yaml:"passwordless" json:"passwordless"`
}

// TimeoutsPolicy bounds how long each state of a session lives.
type TimeoutsPolicy struct {
	SecondFactor Duration `yaml:"second_factor" json:"second_factor"` // a level-1 session
	Enrolment    Duration `yaml:"enrolment" json:"enrolment"`
	Recovery     Duration `yaml:"recovery" json:"recovery"`
	Idle         Duration `yaml:"idle" json:"idle"`
	Absolute     Duration `yaml:"absolute" json:"absolute"`
}

// StepUpPolicy says what a session has to prove before a sensitive act.
type StepUpPolicy struct {
	// MaxAge is how long a step-up lives: from its asking to the act.
	MaxAge Duration `yaml:"max_age" json:"max_age"`
	// Change is for what guards the account: factors, devices, password, address.
	Change        StepUpRule `yaml:"change" json:"change"`
	RecoveryCodes StepUpRule `yaml:"recovery_codes" json:"recovery_codes"`
	Export        StepUpRule `yaml:"export" json:"export"`
	Delete        StepUpRule `yaml:"delete" json:"delete"`
	Admin         StepUpRule `yaml:"admin" json:"admin"` // what admins do for others
}

// StepUpRule is what one sort of act asks for.
type StepUpRule struct {
	// Password asks for the password beside the factor.
	Password bool `yaml:"password" json:"password"`
	// ACR is the least context of the proofs. Adding a factor asks for as much as that
	// factor yields and other changes for the best that the account can give, if that
	// is more.
	ACR ACR `yaml:"acr,omitempty" json:"acr,omitempty"`
	// Recent is how old a proof that was given without being asked may be; at 0 each
	// has to be given for the step-up itself.
	Recent Duration `yaml:"recent" json:"recent"`
}

func (r StepUpRule) strictest(s StepUpRule) StepUpRule {
	out := StepUpRule{Password: r.Password || s.Password, ACR: r.ACR, Recent: min(r.Recent, s.Recent)}
	if out.ACR != ACRAAL2 && s.ACR != "" {
		out.ACR = s.ACR
	}
	return out
}

// Rule is what acts of a purpose ask for.
func (p StepUpPolicy) Rule(purpose Purpose) StepUpRule {
	switch purpose {
	case NewRecoveryCodes:
		return p.RecoveryCodes
	case Export:
		return p.Export
	case DeleteAccount:
		return p.Delete
	case OpenRecovery, ApproveRecovery, ManageWebhooks, ManageClients:
		return p.Admin
	case Authenticate, AuthorizeDevice: // as at the door; no policy makes an app believe more
		return StepUpRule{Password: true}
	default:
		return p.Change
	}
}

// PasswordPolicy bounds a new password, in Unicode code points.
type PasswordPolicy struct {
	MinLength int `yaml:"min_length" json:"min_length"`
}

// MailPolicy bounds what an account is sent.
type MailPolicy struct {
	// PerHour is how many letters of one kind an account gets in an hour.
	PerHour int `yaml:"per_hour" json:"per_hour"`
}

// AccountsPolicy is about whole accounts.
type AccountsPolicy struct {
	// DeletionGrace is how long an account that is to be deleted stands, so that its
	// owner can take it back; at 0 it goes at once.
	DeletionGrace Duration `yaml:"deletion_grace" json:"deletion_grace"`
}

// RetentionPolicy says how long records are kept that nothing needs any more.
type RetentionPolicy struct {
	// Events is for the audit log. It goes by whole months, once the last of a month
	// is older than this.
	Events Duration `yaml:"events" json:"events"`
}

// DefaultPolicy is what a new installation starts with. model is the face
// model that is installed: the default threshold was measured on the dlib
// ResNet (8-bit). At 0.45, with the mean of three against the mean of three, FMR
// was 6.5e-5 for frames of one capture (a model) and 1.6e-3 for photos taken
// apart; within one homogeneous group 22 % and 91 % (docs/face-accuracy.md).
func DefaultPolicy(model string) Policy {
	return Policy{
		Factors: FactorsPolicy{Allowed: []Factor{Passkey, TOTP, Face, Recovery}, Passwordless: true},
		Face:    defaultFace(model),
		Timeouts: TimeoutsPolicy{
			SecondFactor: Duration(10 * time.Minute),
			Enrolment:    Duration(30 * time.Minute),
			Recovery:     Duration(30 * time.Minute),
			Idle:         Duration(time.Hour),
			Absolute:     Duration(24 * time.Hour),
		},
		StepUp: StepUpPolicy{
			MaxAge: Duration(5 * time.Minute),
			Change: StepUpRule{Password: true},
			// Asked for right after the first factor was set up.
			RecoveryCodes: StepUpRule{Recent: Duration(5 * time.Minute)},
			Delete:        StepUpRule{Password: true},
			Admin:         StepUpRule{Password: true, ACR: ACRAAL2},
		},
		Password:  PasswordPolicy{MinLength: 8},
		Mail:      MailPolicy{PerHour: 5},
		Accounts:  AccountsPolicy{DeletionGrace: Duration(14 * 24 * time.Hour)},
		Retention: RetentionPolicy{Events: Duration(400 * 24 * time.Hour)},
		Remember:  RememberPolicy{Lifetime: Duration(MaxRemembered)},
		Limits:    defaultLimits(),
		BotCheck:  BotCheckPolicy{Provider: BotOff, After: 10, MaxNumber: 100_000},
		Recovery:  RecoveryPolicy{Wait: Duration(72 * time.Hour)},
	}
}

// Version names the policy by its content: 16 hex digits of the SHA-256 of its
// JSON. Sessions and audit rows carry it.
func (p Policy) Version() string {
	sum := sha256.Sum256(p.JSON())
	return hex.EncodeToString(sum[:8])
}

// JSON is the canonical form that is stored and hashed.
func (p Policy) JSON() []byte {
	doc, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("policy does not marshal: %v", err)) // plain values only: can't happen
	}
	return doc
}

// Allows tells whether f counts.
func (p Policy) Allows(f Factor) bool {
	return slices.Contains(p.Factors.Allowed, f) || f == Device && p.Remember.Allowed
}

// Limit gives the limit on failures of f; faces have FailuresPolicy instead, and a
// remembered device has as many as a passkey, for it signs a challenge as well.
func (p Policy) Limit(f Factor) Limit {
	switch f {
	case Passkey, Device:
		return p.Limits.Passkey
	case TOTP:
		return p.Limits.TOTP
	case Recovery:
		return p.Limits.Recovery
	default:
		return p.Limits.Password
	}
}

// Strictest takes the stricter of both policies field by field. An attempt
// that began under p and is judged while q is in force is held to it: so a
// policy made stricter binds attempts already begun, and one made milder does
// not soften them.
func (p Policy) Strictest(q Policy) Policy {
	out := p
	out.Factors.Allowed = []Factor{}
	for _, f := range p.Factors.Allowed {
		if q.Allows(f) {
			out.Factors.Allowed = append(out.Factors.Allowed, f)
		}
	}
	out.Factors.Passwordless = p.Factors.Passwordless && q.Factors.Passwordless
	out.Face = p.Face.strictest(q.Face)
	out.Unsafe = q.Unsafe
	out.Timeouts = TimeoutsPolicy{
		SecondFactor: min(p.Timeouts.SecondFactor, q.Timeouts.SecondFactor),
		Enrolment:    min(p.Timeouts.Enrolment, q.Timeouts.Enrolment),
		Recovery:     min(p.Timeouts.Recovery, q.Timeouts.Recovery),
		Idle:         min(p.Timeouts.Idle, q.Timeouts.Idle),
		Absolute:     min(p.Timeouts.Absolute, q.Timeouts.Absolute),
	}
	out.StepUp = StepUpPolicy{
		MaxAge:        min(p.StepUp.MaxAge, q.StepUp.MaxAge),
		Change:        p.StepUp.Change.strictest(q.StepUp.Change),
		RecoveryCodes: p.StepUp.RecoveryCodes.strictest(q.StepUp.RecoveryCodes),
		Export:        p.StepUp.Export.strictest(q.StepUp.Export),
		Delete:        p.StepUp.Delete.strictest(q.StepUp.Delete),
		Admin:         p.StepUp.Admin.strictest(q.StepUp.Admin),
	}
	out.Remember = p.Remember.strictest(q.Remember)
	out.Password.MinLength = max(p.Password.MinLength, q.Password.MinLength)
	out.Mail = q.Mail                                     // guards the mailbox, and binds no attempt
	out.Accounts, out.Retention = q.Accounts, q.Retention // bind no attempt
	out.Limits = p.Limits.strictest(q.Limits)
	out.BotCheck = q.BotCheck // asked for before there is a session
	out.Recovery = p.Recovery.strictest(q.Recovery)
	out.Forward = q.Forward // of apps, not of attempts: a rule that was taken back must not live on in old sessions
	return out
}
