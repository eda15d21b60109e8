package mfa

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// TestGoldenTable prints every transition and holds ARCHITECTURE.md to it.
// Run with SALLYPORT_UPDATE_GOLDEN=1 to write the table there.
func TestGoldenTable(t *testing.T) {
	t.Parallel()
	const file, begin, end = "../../ARCHITECTURE.md", "<!-- transitions -->\n", "<!-- /transitions -->"
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(doc), begin)
	old, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the transition table", file)
	}
	table := goldenTable()
	if os.Getenv("SALLYPORT_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(head+begin+table+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != table {
		t.Errorf("the machine and the table in ARCHITECTURE.md differ; the machine says:\n%s", table)
	}
}

func goldenTable() string {
	var b strings.Builder
	b.WriteString("| state | event | next | acr | effects |\n|---|---|---|---|---|\n")
	for _, state := range []models.State{models.Anonymous, models.SecondFactorRequired, models.EnrolmentRequired, models.Recovering, models.Resetting, models.Authenticated, models.TransactionFactorRequired, models.TransactionEnrolmentRequired, models.TransactionPassed} {
		for _, kind := range eventKinds {
			if _, ok := transitions[key{state, kind}]; !ok {
				continue
			}
			if kind == models.TransactionOpened {
				writeTransactions(&b)
				continue
			}
			for _, event := range variants(kind) {
				writeRow(&b, comingBack(attemptIn(state), kind), event)
				if frozenRow(event) {
					frozen := attemptIn(state)
					frozen.Freeze = models.Freeze{Until: now.Add(time.Hour), Since: now.Add(-time.Hour)}
					event.Since = now.Add(-2 * time.Hour)
					writeRow(&b, frozen, event)
				}
				if attemptIn(state).Subject {
					strict := attemptIn(state)
					strict.Terms.ACR = models.ACRAAL2
					writeRow(&b, strict, event)
				}
				if state == models.TransactionEnrolmentRequired || state == models.TransactionPassed {
					late := attemptIn(state)
					late.Established, late.Terms.Enrolled = true, false
					writeRow(&b, late, event)
				}
				if state == models.Authenticated && deviceRow(event) {
					writeRow(&b, onDevice(), event)
				}
				if state == models.EnrolmentRequired && frozenRow(event) {
					unproven := attemptIn(state)
					unproven.MustVerify = true
					writeRow(&b, unproven, event)
				}
				if kind == models.PasswordPassed {
					fresh := attemptIn(state)
					fresh.Established, fresh.Enrolled = false, models.Enrolled{}
					writeRow(&b, fresh, event)
				}
			}
		}
	}
	return b.String()
}

// writeTransactions shows how a transaction is opened.
func writeTransactions(b *strings.Builder) {
	held, first := attemptIn(models.Anonymous), attemptIn(models.TransactionEnrolmentRequired)
	held.Subject, held.Terms = true, &models.Terms{EndsAt: now.Add(time.Hour)}
	first.State = models.Anonymous
	none, account := first, held
	none.Terms = held.Terms
	account.Subject = false
	for _, row := range []struct {
		name string
		a    models.Attempt
	}{{" (has a factor)", held}, {" (has none, and is vouched for)", first}, {" (has none)", none}, {" (an account)", account}} {
		writeNamed(b, row.a, models.Event{Kind: models.TransactionOpened}, string(models.TransactionOpened)+row.name)
	}
}

// deviceRow tells for which events the table shows what becomes of them in a session on a
// remembered device.
func deviceRow(event models.Event) bool {
	switch event.Kind {
	case models.FactorPassed:
		return event.Factor == models.TOTP || event.Factor == models.Face
	default:
		return event.Kind == models.PasswordPassed || event.Kind == models.DeviceRemembered
	}
}

// frozenRow tells for which events the table shows what becomes of them in an account
// that is frozen, by a factor that is older than the fact that was denied. Others of
// the kind go the same way.
func frozenRow(event models.Event) bool {
	switch event.Kind {
	case models.PasskeySignIn:
		return event.UV
	case models.FactorPassed:
		return event.Factor == models.TOTP || event.Factor == models.Face || event.Factor == models.Device
	case models.FactorEnrolled:
		return event.Factor == models.TOTP
	default:
		return event.Kind == models.CodesIssued || event.Kind == models.DeviceRemembered
	}
}

// variants are the events of one kind that the machine tells apart.
func variants(kind models.EventKind) []models.Event {
	with := func(f models.Factor, uv bool) models.Event { return models.Event{Kind: kind, Factor: f, UV: uv} }
	switch kind {
	case models.PasskeySignIn:
		return []models.Event{with(models.Passkey, true), with(models.Passkey, false)}
	case models.FactorPassed:
		return []models.Event{with(models.Passkey, true), with(models.Passkey, false), with(models.TOTP, false), with(models.Face, false), with(models.Recovery, false), recognised}
	case models.FactorEnrolled:
		return []models.Event{with(models.Passkey, true), with(models.TOTP, false), with(models.Face, false)}
	case models.FactorRemoved:
		return []models.Event{with(models.TOTP, false)}
	default:
		return []models.Event{{Kind: kind}}
	}
}

func writeRow(b *strings.Builder, a models.Attempt, event models.Event) {
	name := string(event.Kind)
	switch {
	case event.Factor == models.Passkey && event.UV:
		name += " (passkey, UV)"
	case event.Factor == models.Passkey:
		name += " (passkey, no UV)"
	case event.Factor != "":
		name += " (" + string(event.Factor) + ")"
	case event.Kind == models.PasswordPassed && a.Established:
		name += " (has had a factor)"
	case event.Kind == models.PasswordPassed:
		name += " (never had a factor)"
	}
	if models.ByDevice(a.Methods) {
		name += ", on a remembered device"
	}
	if !a.Freeze.Until.IsZero() {
		name += ", frozen"
	}
	if a.MustVerify {
		name += ", address unproven"
	}
	if a.Terms != nil && a.Terms.ACR != "" {
		name += ", for " + string(a.Terms.ACR)
	}
	if a.Terms != nil && a.Established && event.Kind == models.FactorEnrolled && !a.Terms.Enrolled {
		name += ", with a factor of before"
	}
	writeNamed(b, a, event, name)
}

func writeNamed(b *strings.Builder, a models.Attempt, event models.Event, name string) {
	after, effects, err := Next(policy, a, event, now)
	if err != nil {
		var refusal *models.Error
		if !errors.As(err, &refusal) {
			panic(err)
		}
		note := string(refusal.Code)
		if refusal.Reason != "" {
			note += " (" + refusal.Reason + ")"
		}
		fmt.Fprintf(b, "| %s | %s | refused | | %s |\n", a.State, name, note)
		return
	}
	var does []string
	for _, e := range effects {
		does = append(does, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s", e.Kind, e.Fact, e.Factor)), " "))
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", a.State, name, after.State, models.ACROf(after.Methods), strings.Join(does, ", "))
}
