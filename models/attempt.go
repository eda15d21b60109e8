package models

import "time"

// Attempt is a session as the state machine sees it, together with what it
// must know of the account. The store fills it under the user row's lock.
type Attempt struct {
	State         State
	Methods       []Method
	Established   bool     // the account has had a second factor at some time
	Enrolled      Enrolled // without what is quarantined
	Freeze        Freeze
	WayBack       *WayBack // a recovery that is under way; nil for none
	SecondAddress bool     // the account has a second address
	EmailVerified bool     // the account's address is proven
	// MustVerify says that it has to be; whoever decides for a request fills it in.
	MustVerify    bool
	PolicyVersion string
	BegunAt       time.Time // when the session was opened; zero while anonymous
	// StepUp is what the session asked for beforehand to do just this; nil without.
	StepUp *StepUp
	// Subject says that the account is an app's, and Terms what its transaction asks for; nil
	// for a session of an account.
	Subject    bool
	Terms      *Terms
	IdleEndsAt time.Time // zero while anonymous
	EndsAt     time.Time
}

// Terms are what a transaction asks of its session.
type Terms struct {
	Asked
	Enrolled bool // its first factor was set up in it
	EndsAt   time.Time
}

// EventKind names what happened to an attempt.
type EventKind string

// The events.
const (
	PasswordPassed    EventKind = "password_passed"
	PasskeySignIn     EventKind = "passkey_sign_in" // discoverable, without a password
	FactorPassed      EventKind = "factor_passed"   // second factor, or step-up
	FactorEnrolled    EventKind = "factor_enrolled" // and proven while enrolling
	CodesIssued       EventKind = "codes_issued"
	FactorRemoved     EventKind = "factor_removed"
	PasswordChanged   EventKind = "password_changed"
	DeviceAdded       EventKind = "device_added"
	DeviceRemoved     EventKind = "device_removed"
	DeviceRemembered  EventKind = "device_remembered" // so that a password opens the second door there
	Exported          EventKind = "exported"
	LinkFollowed      EventKind = "link_followed" // of a letter for a new password
	PasswordReset     EventKind = "password_reset"
	DeletionRequested EventKind = "deletion_requested"
	FactorsLost       EventKind = "factors_lost"      // said by whoever came by a letter's link and a factor
	RecoveryAsked     EventKind = "recovery_asked"    // a letter to begin to wait by
	RecoveryWaited    EventKind = "recovery_waited"   // the letter's link at the end of it
	AssistedOpened    EventKind = "assisted_opened"   // an admin asks for somebody's way back
	AssistedApproved  EventKind = "assisted_approved" // another one agrees
	RecoveryVouched   EventKind = "recovery_vouched"  // the letter's link after two admins agreed
	// What admins do about webhooks.
	WebhookAdded         EventKind = "webhook_added"
	WebhookChanged       EventKind = "webhook_changed"
	WebhookRemoved       EventKind = "webhook_removed"
	WebhookSecretRotated EventKind = "webhook_secret_rotated"
	// What they do about apps.
	ClientAdded         EventKind = "client_added"
	ClientChanged       EventKind = "client_changed"
	ClientRemoved       EventKind = "client_removed"
	ClientSecretRotated EventKind = "client_secret_rotated"
	// A change of the address and a second one are only asked for in a session; the
	// link that is sent there does the rest.
	EmailAsked         EventKind = "email_asked"
	SecondEmailAsked   EventKind = "second_email_asked"
	SecondEmailRemoved EventKind = "second_email_removed"
	Confirmed          EventKind = "confirmed"        // that it's the person, once more, for an app
	DeviceSignedIn     EventKind = "device_signed_in" // by a code that it showed
	TransactionOpened  EventKind = "transaction_opened"
)

// Event is one thing that happened, already checked by whoever reports it.
type Event struct {
	Kind   EventKind
	Factor Factor  // with FactorPassed, FactorEnrolled, FactorRemoved
	Object ID      // the row that it adds or removes, for the audit log; of a remembered device the one that was recognised
	UV     bool    // with passkeys: read from this very assertion
	Key    KeyKind // with passkeys: where the private key is
	// DeviceKey says that a registered key of the browser signed the capture;
	// with faces.
	DeviceKey bool
	// Since is when the factor was enrolled that was passed.
	Since time.Time
	// Until is when a remembered device is one no more that was recognised.
	Until time.Time
	// SetAside says that the factor is quarantined, with FactorRemoved: nothing is
	// lost by removing it.
	SetAside bool
	// Begun is when the ceremony that ends in this event began. A step-up
	// needs to have been fresh then, not when a slow person finished.
	Begun time.Time
}

// EffectKind names something the store does in the transaction that moves an
// attempt.
type EffectKind string

// The effects.
const (
	EffectOpen            EffectKind = "open"              // insert the session row
	EffectRotate          EffectKind = "rotate"            // new token, the old one dies
	EffectEndOthers       EffectKind = "end_others"        // end every other session of the account
	EffectEndAll          EffectKind = "end_all"           // end every session of the account, this one too
	EffectDropEnrolments  EffectKind = "drop_enrolments"   // forget unfinished enrolments of the account
	EffectEstablish       EffectKind = "establish"         // set mfa_established_at, once
	EffectResetCount      EffectKind = "reset_count"       // this factor's own failures
	EffectLift            EffectKind = "lift"              // end a freeze, trust the password again
	EffectRecord          EffectKind = "record"            // write the audit row
	EffectProve           EffectKind = "prove"             // note the proof on the step-up that it was given for
	EffectDropSecondEmail EffectKind = "drop_second_email" // forget the second address
	EffectKnowDevice      EffectKind = "know_device"       // know the browser again, or record that it is new
	EffectStopRecovery    EffectKind = "stop_recovery"     // end the way back that is under way
	EffectReissue         EffectKind = "reissue"           // a new recovery code in the place of the one that was used
	EffectPassTransaction EffectKind = "pass_transaction"  // note on the transaction what was passed
	EffectForgetDevices   EffectKind = "forget_devices"    // end every remembered device, and what it let in elsewhere
)

// Effect is one thing to do, as data.
type Effect struct {
	Kind   EffectKind
	Factor Factor // with EffectResetCount and EffectRecord
	Object ID     // with EffectRecord: the row that was added or removed
	Fact   string // with EffectRecord: what the audit row says happened
	Proof  Method // with EffectProve
	// Try is what the success was counted in, with EffectResetCount. Device is the hash of the browser's marker, with EffectKnowDevice.
	// Code is what takes the place of a used one, with EffectReissue. Whoever decides for a request fills them in.
	Try    *Try
	Device TokenHash
	Code   Reissue
	// Enrolled says that what was passed was set up just now, with EffectPassTransaction.
	Enrolled bool
	// Second says that the letter about the fact goes to the second address alone, with
	// EffectRecord.
	Second bool
}

// Decide is a step of the state machine with the policy, the event and the
// clock already filled in. The store calls it under the user row's lock.
type Decide func(Attempt) (Attempt, []Effect, error)
