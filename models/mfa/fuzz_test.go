package mfa

import (
	"slices"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

var eventKinds = []models.EventKind{
	models.PasswordPassed, models.PasskeySignIn, models.FactorPassed, models.FactorEnrolled,
	models.CodesIssued, models.FactorRemoved, models.PasswordChanged, models.DeviceAdded, models.DeviceRemoved, models.DeviceRemembered, models.Exported,
	models.LinkFollowed, models.PasswordReset,
	models.DeletionRequested, models.FactorsLost, models.RecoveryAsked, models.RecoveryWaited, models.RecoveryVouched, models.AssistedOpened, models.AssistedApproved,
	models.WebhookAdded, models.WebhookChanged, models.WebhookRemoved, models.WebhookSecretRotated,
	models.ClientAdded, models.ClientChanged, models.ClientRemoved, models.ClientSecretRotated, models.Confirmed, models.DeviceSignedIn,
	models.EmailAsked, models.SecondEmailAsked, models.SecondEmailRemoved,
	models.TransactionOpened,
}

// FuzzNext plays random strings of events against one account and asserts the
// invariants that no order of events may break. Each byte is one event: its
// kind, factor and UV bit; the account's factors follow the events that were
// accepted, as the store would make them.
func FuzzNext(f *testing.F) {
	f.Add([]byte{0, 2, 10, 3}, false, false)
	f.Add([]byte{0, 3, 4, 11, 5, 6, 2, 18}, true, true)
	f.Add([]byte{0, 34, 9, 8}, true, false)
	f.Add([]byte{27, 2, 3, 3}, true, false)
	f.Add([]byte{27, 3, 3, 131, 2}, false, true)
	f.Fuzz(func(t *testing.T, script []byte, established, unproven bool) {
		factors := []models.Factor{models.Passkey, models.TOTP, models.Face, models.Recovery, models.Device}
		a := models.Attempt{State: models.Anonymous, Established: established, MustVerify: unproven}
		if established {
			a.Enrolled = models.Enrolled{Passkeys: 1, TOTP: true, Face: true, Codes: 2, Remembered: 1}
		}
		if len(script) > 0 && script[0]&7 == 3 { // an app's subject
			a.Subject, a.Enrolled.Codes, a.Enrolled.Remembered = true, 0, 0
			a.Terms = &models.Terms{Asked: models.Asked{Enrols: script[0]&8 == 0}, EndsAt: now.Add(models.TransactionWithin)}
			if script[0]&16 != 0 {
				a.Terms.ACR = models.ACRAAL2
			}
		}
		at := now
		ways := []*models.WayBack{nil, {Kind: models.WaitingRecovery, BegunAt: now.Add(-policy.Recovery.Wait.Std())}, {Kind: models.WaitingRecovery, BegunAt: now}, {Kind: models.WaitingRecovery, ByMail: true, BegunAt: now.Add(-policy.Recovery.Wait.Std())}, {Kind: models.AssistedRecovery, BegunAt: now}, {Kind: models.AssistedRecovery, BegunAt: now, ReadyAt: now}}
		for _, b := range script {
			event := models.Event{Kind: eventKinds[int(b)%len(eventKinds)], Factor: factors[int(b>>3)%len(factors)], UV: b&0x80 != 0}
			if (event.Factor == models.Recovery || event.Factor == models.Device) && event.Kind != models.FactorPassed {
				continue // recovery codes and devices come by events of their own
			}
			at = at.Add(time.Duration(b) * 2 * time.Second)
			event.Since, event.Until = at.Add(-time.Hour), at.Add(time.Hour)
			remembers := policy
			remembers.Remember.Allowed = b&0x20 == 0 // switched off and on meanwhile
			if a.State == models.Authenticated && (a.StepUp == nil || b&0x40 != 0) {
				a.StepUp = &models.StepUp{CreatedAt: at, ExpiresAt: at.Add(policy.StepUp.MaxAge.Std())}
			}
			a.WayBack = ways[int(b>>1)%len(ways)]
			before := a
			after, effects, err := Next(remembers, a, event, at)
			if err != nil {
				if len(effects) != 0 || after.State != before.State || len(after.Methods) != len(before.Methods) {
					t.Fatalf("%v refused, yet it did something", event)
				}
				continue
			}
			check(t, remembers, before, after, event, effects)
			a = follow(after, event, effects, at)
		}
	})
}

// guards are the events that ask for the password and a factor afresh.
var guards = map[models.EventKind]bool{
	models.FactorEnrolled: true, models.FactorRemoved: true, models.DeviceAdded: true, models.DeviceRemoved: true,
	models.DeletionRequested: true, models.AssistedOpened: true, models.AssistedApproved: true,
	models.WebhookAdded: true, models.WebhookChanged: true, models.WebhookRemoved: true, models.WebhookSecretRotated: true,
	models.ClientAdded: true, models.ClientChanged: true, models.ClientRemoved: true, models.ClientSecretRotated: true, models.Confirmed: true, models.DeviceSignedIn: true,
	models.EmailAsked: true, models.SecondEmailAsked: true, models.SecondEmailRemoved: true,
}

func check(t *testing.T, policy models.Policy, before, after models.Attempt, event models.Event, effects []models.Effect) {
	t.Helper()
	acr := models.ACROf(after.Methods)
	checkTransaction(t, before, after, event, effects)
	if before.Subject {
		return
	}
	seen := map[models.Factor]bool{}
	uv := false
	for _, m := range after.Methods {
		if seen[m.Factor] {
			t.Fatalf("%s counts twice in %v", m.Factor, after.Methods)
		}
		seen[m.Factor] = true
		uv = uv || m.Factor == models.Passkey && m.UV
	}
	if acr.Level() == 2 && len(seen) < 2 && !uv {
		t.Fatalf("level 2 from %v", after.Methods)
	}
	if after.State == models.Authenticated && acr.Level() != 2 && (acr != models.ACRDevice || !policy.Remember.Allowed) {
		t.Fatalf("authenticated at level %d with %v", acr.Level(), after.Methods)
	}
	if acr.Level() == 2 && models.ACROf(slices.DeleteFunc(slices.Clone(after.Methods), func(m models.Method) bool { return m.Factor == models.Device })) != acr {
		t.Fatalf("a remembered device made %s of %v", acr, after.Methods)
	}
	if seen[models.Device] && (seen[models.Mail] || !seen[models.Password]) {
		t.Fatalf("a remembered device beside %v", after.Methods)
	}
	if event.Kind == models.DeviceRemembered && (seen[models.Device] || acr.Level() != 2) {
		t.Fatalf("a device is remembered by %v", after.Methods)
	}
	if event.Factor == models.Device && (hasEffect(effects, models.EffectProve) || hasEffect(effects, models.EffectKnowDevice) || hasEffect(effects, models.EffectLift)) {
		t.Fatalf("a remembered device did %v", effects)
	}
	if seen[models.Recovery] && after.State != models.Recovering && !seen[models.Mail] {
		t.Fatalf("a recovery code led to %s", after.State)
	}
	if before.State == models.Anonymous && after.State == models.EnrolmentRequired && before.Established {
		t.Fatal("a password alone may enrol for an account that has had a factor")
	}
	if seen[models.Mail] && after.State == models.Recovering {
		twoMailboxes := seen[models.Waited] && before.WayBack != nil && before.WayBack.ByMail
		proven := seen[models.TOTP] || seen[models.Passkey] || seen[models.Recovery] || seen[models.Vouched] || twoMailboxes
		if !proven && before.State != models.Recovering {
			t.Fatalf("a mailbox alone sets factors up, with %v", after.Methods)
		}
	} else if seen[models.Mail] && after.State != models.Resetting && (after.State != models.SecondFactorRequired || len(seen) > 1) {
		t.Fatalf("a letter's link led to %s by %v", after.State, after.Methods)
	}
	if (seen[models.Waited] || seen[models.Vouched]) && acr != models.ACRRecovery {
		t.Fatalf("%v add up to %s", after.Methods, acr)
	}
	if event.Kind == models.RecoveryWaited && (before.WayBack.BegunAt.Equal(now) || before.WayBack.Kind != models.WaitingRecovery || !hasEffect(effects, models.EffectStopRecovery)) {
		t.Fatalf("%v is over, with %v", before.WayBack, effects)
	}
	if event.Kind == models.RecoveryVouched && (before.WayBack.Kind != models.AssistedRecovery || before.WayBack.ReadyAt.IsZero() || !hasEffect(effects, models.EffectStopRecovery)) {
		t.Fatalf("%v is vouched for, with %v", before.WayBack, effects)
	}
	if event.Kind == models.PasswordReset && before.Established && len(before.Methods) < 2 {
		t.Fatalf("a new password by %v", before.Methods)
	}
	if before.State == models.Authenticated && guards[event.Kind] {
		given := map[models.Factor]bool{}
		for _, m := range before.StepUp.Methods {
			given[m.Factor] = true
		}
		if len(given) < 2 || !given[models.Password] {
			t.Fatalf("%s after %v was proven for it", event.Kind, before.StepUp.Methods)
		}
	}
	writes := event.Kind == models.FactorEnrolled || event.Kind == models.FactorRemoved || event.Kind == models.PasswordChanged || event.Kind == models.CodesIssued
	if writes && before.Established && before.State != models.Authenticated && before.State != models.Recovering {
		t.Fatalf("%s in %s of an account that has had a factor", event.Kind, before.State)
	}
	if (event.Kind == models.FactorRemoved || event.Kind == models.PasswordChanged) && !hasEffect(effects, models.EffectEndOthers) {
		t.Fatalf("%s leaves the other sessions alive", event.Kind)
	}
	if event.Kind == models.DeletionRequested && !hasEffect(effects, models.EffectEndAll) {
		t.Fatal("an account that is to go leaves sessions alive")
	}
	if before.MustVerify && !before.Established && adds(event) {
		t.Fatalf("%s of an account whose address is not proven", event.Kind)
	}
	if before.State != after.State && before.State != models.Anonymous && !hasEffect(effects, models.EffectRotate) {
		t.Fatalf("%s -> %s keeps its token", before.State, after.State)
	}
	if !hasEffect(effects, models.EffectRecord) {
		t.Fatalf("%s leaves no audit row", event.Kind)
	}
}

// checkTransaction holds what an app's subject can come to, and that nobody else does.
func checkTransaction(t *testing.T, before, after models.Attempt, event models.Event, effects []models.Effect) {
	t.Helper()
	inside := slices.Contains([]models.State{models.TransactionFactorRequired, models.TransactionEnrolmentRequired, models.TransactionPassed}, after.State)
	if inside != before.Subject || hasEffect(effects, models.EffectPassTransaction) != (inside && event.Kind != models.TransactionOpened) {
		t.Fatalf("%s of a subject (%v) led to %s by %v", event.Kind, before.Subject, after.State, effects)
	}
	if !inside {
		return
	}
	for _, effect := range effects {
		if !slices.Contains([]models.EffectKind{
			models.EffectOpen, models.EffectRotate, models.EffectResetCount, models.EffectPassTransaction, models.EffectRecord, models.EffectEstablish, models.EffectDropEnrolments,
		}, effect.Kind) {
			t.Fatalf("%s of a subject did %s", event.Kind, effect.Kind)
		}
	}
	if after.EndsAt != before.Terms.EndsAt && before.State == models.Anonymous || before.State != models.Anonymous && after.EndsAt != before.EndsAt {
		t.Fatalf("it ends at %s", after.EndsAt)
	}
	acr := models.ACROf(after.Methods)
	uv := slices.ContainsFunc(after.Methods, func(m models.Method) bool { return m.Factor == models.Passkey && m.UV })
	if acr.Level() == 2 && !uv || after.State == models.TransactionPassed && before.Terms.ACR == models.ACRAAL2 && !uv {
		t.Fatalf("%s by %v", acr, after.Methods)
	}
	if event.Kind == models.FactorEnrolled && (!before.Terms.Enrols || (before.Established || before.Enrolled.Any()) && !before.Terms.Enrolled) {
		t.Fatalf("a factor is set up beside %v", before.Enrolled)
	}
	if event.Kind == models.FactorEnrolled && event.Factor == models.Face && !before.Enrolled.NonBiometric() {
		t.Fatal("a face alone")
	}
	if before.State != models.Anonymous && !hasEffect(effects, models.EffectRotate) || !hasEffect(effects, models.EffectRecord) {
		t.Fatalf("%s did %v", event.Kind, effects)
	}
}

// follow does to the account what the store would do with an accepted event.
func follow(a models.Attempt, event models.Event, effects []models.Effect, at time.Time) models.Attempt {
	if hasEffect(effects, models.EffectOpen) {
		a.BegunAt = at
	}
	if hasEffect(effects, models.EffectEstablish) {
		a.Established = true
	}
	if a.Subject && event.Kind == models.FactorEnrolled {
		terms := *a.Terms
		terms.Enrolled, a.Terms = true, &terms
	}
	proven := a.StepUp
	a.StepUp = nil // used up, or begun anew
	for _, effect := range effects {
		if effect.Kind == models.EffectProve && proven != nil {
			proven.Methods = append(proven.Methods, effect.Proof)
			a.StepUp = proven
		}
	}
	if hasEffect(effects, models.EffectEndAll) {
		a.State, a.Methods = models.Anonymous, nil
	}
	e := &a.Enrolled
	if hasEffect(effects, models.EffectEndAll) || hasEffect(effects, models.EffectForgetDevices) {
		e.Remembered = 0
	}
	switch event.Kind {
	case models.CodesIssued:
		e.Codes = 10
	case models.DeviceRemembered:
		e.Remembered++
	case models.FactorPassed:
		if event.Factor == models.Recovery {
			e.Codes--
		}
	case models.FactorEnrolled, models.FactorRemoved:
		on := event.Kind == models.FactorEnrolled
		switch event.Factor {
		case models.Passkey:
			e.Passkeys += map[bool]int{true: 1, false: -1}[on]
		case models.TOTP:
			e.TOTP = on
		case models.Face:
			e.Face = on
		}
	}
	return a
}
