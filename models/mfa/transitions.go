package mfa

import (
	"slices"
	"time"

	"github.com/sallyport/sallyport/models"
)

type key struct {
	state models.State
	event models.EventKind
}

type step func(models.Policy, *models.Attempt, models.Event, time.Time) ([]models.Effect, error)

// transitions is the whole machine: what is not listed is refused. The golden
// table in ARCHITECTURE.md is printed from it by a test.
var transitions = map[key]step{
	{models.Anonymous, models.PasswordPassed}: passwordPassed,
	{models.Anonymous, models.PasskeySignIn}:  passkeySignIn,
	{models.Anonymous, models.LinkFollowed}:   linkFollowed,

	{models.Anonymous, models.RecoveryVouched}: recoveryVouched,

	{models.SecondFactorRequired, models.FactorPassed}:   secondFactorPassed,
	{models.SecondFactorRequired, models.RecoveryAsked}:  recoveryAsked,
	{models.SecondFactorRequired, models.RecoveryWaited}: recoveryWaited,

	{models.Resetting, models.PasswordReset}: passwordReset,
	{models.Resetting, models.FactorsLost}:   factorsLost,

	{models.EnrolmentRequired, models.FactorEnrolled}: firstFactorEnrolled,
	{models.EnrolmentRequired, models.CodesIssued}:    firstCodesIssued,

	{models.Recovering, models.FactorEnrolled}: recoveringFactorEnrolled,
	{models.Recovering, models.CodesIssued}:    codesIssued,

	{models.Authenticated, models.PasswordPassed}:       passwordConfirmed,
	{models.Authenticated, models.FactorPassed}:         stepUpPassed,
	{models.Authenticated, models.FactorEnrolled}:       laterFactorEnrolled,
	{models.Authenticated, models.CodesIssued}:          laterCodesIssued,
	{models.Authenticated, models.FactorRemoved}:        factorRemoved,
	{models.Authenticated, models.PasswordChanged}:      passwordChanged,
	{models.Authenticated, models.DeviceAdded}:          guarded(models.AddDevice, "device_key_added"),
	{models.Authenticated, models.DeviceRemembered}:     deviceRemembered,
	{models.Authenticated, models.DeviceRemoved}:        guarded(models.RemoveDevice, "device_key_removed"),
	{models.Authenticated, models.Exported}:             guarded(models.Export, "exported"),
	{models.Authenticated, models.AssistedOpened}:       guarded(models.OpenRecovery, "assisted_opened"),
	{models.Authenticated, models.AssistedApproved}:     guarded(models.ApproveRecovery, "assisted_approved"),
	{models.Authenticated, models.DeletionRequested}:    deletionRequested,
	{models.Authenticated, models.WebhookAdded}:         guarded(models.ManageWebhooks, "webhook_added"),
	{models.Authenticated, models.WebhookChanged}:       guarded(models.ManageWebhooks, "webhook_changed"),
	{models.Authenticated, models.WebhookRemoved}:       guarded(models.ManageWebhooks, "webhook_removed"),
	{models.Authenticated, models.WebhookSecretRotated}: guarded(models.ManageWebhooks, "webhook_secret_rotated"),
	{models.Authenticated, models.ClientAdded}:          guarded(models.ManageClients, "client_added"),
	{models.Authenticated, models.ClientChanged}:        guarded(models.ManageClients, "client_changed"),
	{models.Authenticated, models.ClientRemoved}:        guarded(models.ManageClients, "client_removed"),
	{models.Authenticated, models.ClientSecretRotated}:  guarded(models.ManageClients, "client_secret_rotated"),
	{models.Authenticated, models.EmailAsked}:           guarded(models.ChangeEmail, "email_change_asked"),
	{models.Authenticated, models.SecondEmailAsked}:     guarded(models.ChangeEmail, "second_email_asked"),
	{models.Authenticated, models.SecondEmailRemoved}:   secondEmailRemoved,
	{models.Authenticated, models.Confirmed}:            guarded(models.Authenticate, "app_confirmed"),
	{models.Authenticated, models.DeviceSignedIn}:       guarded(models.AuthorizeDevice, "device_signed_in"),

	{models.Anonymous, models.TransactionOpened}:                 transactionOpened,
	{models.TransactionFactorRequired, models.FactorPassed}:      transactionFactorPassed,
	{models.TransactionEnrolmentRequired, models.FactorEnrolled}: transactionFirstEnrolled,
	{models.TransactionPassed, models.FactorEnrolled}:            transactionAnotherEnrolled,
}

func passwordPassed(policy models.Policy, a *models.Attempt, _ models.Event, now time.Time) ([]models.Effect, error) {
	a.Methods = []models.Method{{Factor: models.Password, At: now}}
	lifetime := policy.Timeouts.SecondFactor
	a.State = models.SecondFactorRequired
	// Not "holds no factor now": an account that lost its factors must not
	// fall back to a password that may enrol.
	if !a.Established {
		a.State = models.EnrolmentRequired
		lifetime = policy.Timeouts.Enrolment
	}
	live(a, now, lifetime, lifetime)
	return []models.Effect{{Kind: models.EffectOpen}, reset(models.Password), record("password_passed", of(models.Password))}, nil
}

func passkeySignIn(policy models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	switch {
	case !policy.Factors.Passwordless || !policy.Allows(models.Passkey):
		return nil, models.Refuse(models.CodeInvalidCredentials, "sign in with your password first")
	case !a.Enrolled.Has(models.Passkey): // disabled after too many failures
		return nil, models.Refuse(models.CodeInvalidCredentials, "this passkey does not sign in here: use your password, or another passkey")
	case !event.UV:
		return nil, models.Refuse(models.CodeInvalidCredentials, "your passkey did not check that it's you: sign in with your password first")
	}
	a.Methods = []models.Method{{Factor: models.Passkey, At: now, UV: true, Key: event.Key}}
	authenticate(policy, a, now)
	return owned(a, event, models.Effect{Kind: models.EffectOpen}, reset(models.Passkey), record("signed_in", of(models.Passkey)), models.Effect{Kind: models.EffectKnowDevice}), nil
}

func secondFactorPassed(policy models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	if models.ByMail(a.Methods) {
		return resetFactorPassed(policy, a, event, now)
	}
	if event.Factor == models.Device {
		return deviceRecognised(policy, a, event, now)
	}
	pass(a, event, now)
	if event.Factor == models.Recovery {
		return owned(a, event, beginRecovery(policy, a, now)...), nil
	}
	if models.ACROf(a.Methods).Level() < 2 {
		return []models.Effect{{Kind: models.EffectRotate}, reset(event.Factor), record("factor_passed", event)}, nil
	}
	authenticate(policy, a, now)
	return owned(a, event, models.Effect{Kind: models.EffectRotate}, reset(event.Factor), record("signed_in", event), models.Effect{Kind: models.EffectKnowDevice}), nil
}

func firstFactorEnrolled(policy models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	if a.Established {
		// Another session of the account was faster: this one's password may
		// no longer enrol anything.
		return nil, models.Refuse(models.CodeConflict, "this account has a second factor by now: sign in with it")
	}
	if event.Factor == models.Face && !a.Enrolled.NonBiometric() {
		return nil, faceAlone()
	}
	pass(a, event, now)
	authenticate(policy, a, now)
	return []models.Effect{
		{Kind: models.EffectRotate},
		{Kind: models.EffectEstablish},
		{Kind: models.EffectEndOthers},
		{Kind: models.EffectDropEnrolments},
		reset(event.Factor),
		record("factor_added", event),
		record("signed_in", of(event.Factor)),
		{Kind: models.EffectKnowDevice},
	}, nil
}

func firstCodesIssued(_ models.Policy, a *models.Attempt, _ models.Event, _ time.Time) ([]models.Effect, error) {
	if a.Established {
		return nil, models.Refuse(models.CodeConflict, "this account has a second factor by now: sign in with it")
	}
	return []models.Effect{record("codes_issued", of(models.Recovery))}, nil
}

func recoveringFactorEnrolled(_ models.Policy, a *models.Attempt, event models.Event, _ time.Time) ([]models.Effect, error) {
	if event.Factor == models.Face && !a.Enrolled.NonBiometric() {
		return nil, faceAlone()
	}
	return []models.Effect{
		{Kind: models.EffectRotate},
		{Kind: models.EffectEstablish},
		{Kind: models.EffectEndOthers},
		{Kind: models.EffectDropEnrolments},
		reset(event.Factor),
		record("factor_added", event),
	}, nil
}

func codesIssued(_ models.Policy, _ *models.Attempt, _ models.Event, _ time.Time) ([]models.Effect, error) {
	return []models.Effect{reset(models.Recovery), record("codes_issued", of(models.Recovery))}, nil
}

func laterCodesIssued(policy models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	if err := StepUp(policy, *a, models.NewRecoveryCodes, now); err != nil {
		return nil, err
	}
	return codesIssued(policy, a, event, now)
}

// passwordConfirmed is the password given again, as a part of a step-up. Like any
// proof it is use, and gives a new token.
func passwordConfirmed(policy models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	event.Factor = models.Password
	pass(a, event, now)
	return steppedUp(policy, a, event, now), nil
}

func stepUpPassed(policy models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	if event.Factor == models.Device {
		return nil, Refusal(a.State) // it proves nothing afresh
	}
	raises := models.ACROf(a.Methods).Level() < 2 // from a remembered device
	pass(a, event, now)
	if event.Factor == models.Recovery {
		return owned(a, event, beginRecovery(policy, a, now)...), nil
	}
	if models.ACROf(a.Methods).Level() < 2 {
		// The session stands on a passkey that verified its user; the same
		// kind without UV must not take that proof's place.
		return nil, unverified()
	}
	effects := steppedUp(policy, a, event, now)
	if raises {
		effects = append(effects, models.Effect{Kind: models.EffectKnowDevice})
	}
	return effects, nil
}

// steppedUp notes a proof on the session and on what it was given for. It is use, so
// it moves the idle end; the absolute end stays.
func steppedUp(policy models.Policy, a *models.Attempt, event models.Event, now time.Time) []models.Effect {
	a.IdleEndsAt = now.Add(policy.Timeouts.Idle.Std())
	proof := a.Methods[len(a.Methods)-1]
	return owned(a, event, models.Effect{Kind: models.EffectRotate}, reset(event.Factor), models.Effect{Kind: models.EffectProve, Proof: proof}, record("stepped_up", event))
}

func laterFactorEnrolled(policy models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	if event.Factor == models.Face && !a.Enrolled.NonBiometric() {
		return nil, faceAlone()
	}
	begun := event.Begun
	if begun.IsZero() || begun.After(now) {
		begun = now
	}
	if err := StepUp(policy, *a, adding[event.Factor], begun); err != nil {
		return nil, err
	}
	return []models.Effect{{Kind: models.EffectRotate}, {Kind: models.EffectDropEnrolments}, reset(event.Factor), record("factor_added", event)}, nil
}

// adding and removing name what a factor's coming and going is for.
var (
	adding   = map[models.Factor]models.Purpose{models.Passkey: models.AddPasskey, models.TOTP: models.AddTOTP, models.Face: models.AddFace}
	removing = map[models.Factor]models.Purpose{models.Passkey: models.RemovePasskey, models.TOTP: models.RemoveTOTP, models.Face: models.RemoveFace}
)

func factorRemoved(policy models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	if err := StepUp(policy, *a, removing[event.Factor], now); err != nil {
		return nil, err
	}
	if !event.SetAside {
		if err := Removable(a.Enrolled, event.Factor); err != nil {
			return nil, err
		}
	}
	return []models.Effect{{Kind: models.EffectRotate}, {Kind: models.EffectEndOthers}, {Kind: models.EffectForgetDevices}, {Kind: models.EffectDropEnrolments}, record("factor_removed", event)}, nil
}

func passwordChanged(policy models.Policy, a *models.Attempt, _ models.Event, now time.Time) ([]models.Effect, error) {
	if err := StepUp(policy, *a, models.ChangePassword, now); err != nil {
		return nil, err
	}
	return stop(a,
		models.Effect{Kind: models.EffectRotate}, models.Effect{Kind: models.EffectEndOthers}, models.Effect{Kind: models.EffectForgetDevices},
		models.Effect{Kind: models.EffectDropEnrolments},
		reset(models.Password), record("password_changed", of(models.Password)),
	), nil
}

// guarded is an act that needs its step-up and leaves the session as it is.
func guarded(purpose models.Purpose, fact string) step {
	return func(policy models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
		if err := StepUp(policy, *a, purpose, now); err != nil {
			return nil, err
		}
		return []models.Effect{record(fact, event)}, nil
	}
}

// secondEmailRemoved forgets the address after the fact is recorded, so that it is
// told there as well.
func secondEmailRemoved(policy models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	effects, err := guarded(models.ChangeEmail, "second_email_removed")(policy, a, event, now)
	if err != nil {
		return nil, err
	}
	return append(effects, models.Effect{Kind: models.EffectDropSecondEmail}), nil
}

// deletionRequested ends every session, so that the account is only taken back by
// somebody who signs in anew.
func deletionRequested(policy models.Policy, a *models.Attempt, event models.Event, now time.Time) ([]models.Effect, error) {
	effects, err := guarded(models.DeleteAccount, "deletion_requested")(policy, a, event, now)
	if err != nil {
		return nil, err
	}
	return append(effects, models.Effect{Kind: models.EffectDropEnrolments}, models.Effect{Kind: models.EffectEndAll}), nil
}

// beginRecovery moves an attempt to recovering: what was proven before no longer
// lifts it above level 1.
func beginRecovery(policy models.Policy, a *models.Attempt, now time.Time) []models.Effect {
	recovering(policy, a, now)
	return append([]models.Effect{{Kind: models.EffectRotate}, reset(models.Recovery)}, codeUsed(a, now)...)
}

// codeUsed is what follows the use of a recovery code: a new one takes its place, as
// NIST SP 800-63B-4 section 4.2.1.1 asks, so that nobody runs out of them. While the
// account is frozen nothing is added, and the used one is missing.
func codeUsed(a *models.Attempt, now time.Time) []models.Effect {
	effects := []models.Effect{{Kind: models.EffectForgetDevices}}
	if !a.Freeze.Active(now) {
		effects = append(effects, models.Effect{Kind: models.EffectReissue})
	}
	return append(effects, record("recovery_code_used", of(models.Recovery)))
}

// recovering lets an attempt set up what was lost, and no more.
func recovering(policy models.Policy, a *models.Attempt, now time.Time) {
	a.State = models.Recovering
	end := policy.Timeouts.Recovery
	live(a, now, end, end)
}

func authenticate(policy models.Policy, a *models.Attempt, now time.Time) {
	a.State = models.Authenticated
	live(a, now, policy.Timeouts.Idle, policy.Timeouts.Absolute)
}

func live(a *models.Attempt, now time.Time, idle, absolute models.Duration) {
	a.IdleEndsAt, a.EndsAt = now.Add(idle.Std()), now.Add(absolute.Std())
}

// pass records a factor once: passing it again replaces its older record.
func pass(a *models.Attempt, event models.Event, now time.Time) {
	a.Methods = slices.DeleteFunc(a.Methods, func(m models.Method) bool { return m.Factor == event.Factor })
	a.Methods = append(a.Methods, models.Method{
		Factor: event.Factor, At: now,
		UV:        event.UV && event.Factor == models.Passkey,
		Key:       event.Key,
		DeviceKey: event.DeviceKey && event.Factor == models.Face,
	})
}

func reset(f models.Factor) models.Effect {
	return models.Effect{Kind: models.EffectResetCount, Factor: f}
}

func record(fact string, about models.Event) models.Effect {
	return models.Effect{Kind: models.EffectRecord, Fact: fact, Factor: about.Factor, Object: about.Object}
}

// of is an event of a factor, for a record that tells of no row.
func of(f models.Factor) models.Event { return models.Event{Factor: f} }

func faceAlone() error {
	return &models.Error{
		Code:    models.CodeConflict,
		Reason:  "face_alone",
		Message: "save recovery codes or add another factor first, so that there is a way in without a camera",
	}
}
