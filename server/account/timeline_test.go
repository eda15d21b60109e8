package account

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/models"
)

// A fact is recorded by one of these forms; see record in models/postgres and
// models/mfa.
var recorded = regexp.MustCompile(`(?:record(?:Transaction)?\((?:[^"\n]*[^"\n{])?|guarded\([^"\n]*|Fact:\s*|fact(?: :=|:=| =) )"([a-z_]+)"|\.user_id::uuid, '([a-z_]+)'`)

// facts are all that the sources record.
func facts(t *testing.T) map[string]bool {
	t.Helper()
	facts := map[string]bool{}
	for _, root := range []string{"../../models", ".."} {
		err := fs.WalkDir(os.DirFS(root), ".", func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := fs.ReadFile(os.DirFS(root), path)
			for _, found := range recorded.FindAllStringSubmatch(string(source), -1) {
				facts[found[1]+found[2]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return facts
}

func TestTheTimelineHasWordsForEveryFact(t *testing.T) {
	t.Parallel()
	facts := facts(t)
	for fact := range facts {
		if _, ok := timeline[fact]; !ok && !slices.Contains(ofNobody, fact) {
			t.Errorf("the timeline has no words for %s", fact)
		}
	}
	for fact := range timeline {
		if !facts[fact] {
			t.Errorf("nobody records %s", fact)
		}
	}
}

// withheld are the facts that no webhook is told, and why.
var withheld = map[string][]string{
	"half of a sign-in, or a proof within one that stands": {"password_passed", "factor_passed", "stepped_up", "password_reset_begun"},
	"asked for, and nothing came of it yet": {
		"password_reset_offered", "recovery_asked", "recovery_waiting", "recovery_ready", "email_change_asked", "second_email_asked",
		"email_claimed", "assisted_opened", "assisted_approved", "deletion_begun",
	},
	"between the account and this site": {
		"breach_check_failed", "device_key_added", "device_key_removed", "first_device", "second_email_added", "second_email_removed", "exported",
		"face_consent_given", "face_consent_withdrawn", "face_refused", "face_purge_ahead", "group_joined", "group_left",
	},
	"between the account and one app, which no other app needs to know": {
		"app_signed_in", "app_entered", "device_signed_in", "app_allowed", "app_withdrawn", "app_confirmed", "code_reused", "refresh_token_reused",
	},
	"between an app and its own user, of whom no account is here": {
		"transaction_begun", "transaction_opened", "transaction_passed", "transaction_denied", "transaction_redeemed", "transaction_failed", "subject_erased",
	},
	"of the site": {
		"user_imported", "face_cohort_activated", "webhook_added", "webhook_changed", "webhook_removed", "webhook_secret_rotated", "webhook_gone",
		"client_added", "client_changed", "client_removed", "client_secret_rotated",
	},
}

// Whoever adds a fact decides whether it leaves the server.
func TestEveryFactIsPublishedOrWithheld(t *testing.T) {
	t.Parallel()
	facts, decided := facts(t), map[string]int{}
	for _, fact := range models.PublishedFacts() {
		decided[fact]++
	}
	for _, list := range withheld {
		for _, fact := range list {
			decided[fact]++
		}
	}
	for fact := range facts {
		if decided[fact] != 1 {
			t.Errorf("%s: it is to be in one of models.published and withheld, and is in %d", fact, decided[fact])
		}
	}
	for fact := range decided {
		if !facts[fact] {
			t.Errorf("nobody records %s", fact)
		}
	}
}

func TestAFactIsPutIntoWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		event models.AuditEvent
		words string
	}{
		{models.AuditEvent{Fact: "signed_in", Detail: map[string]any{"factor": "passkey"}}, "You confirmed it’s you by a passkey."},
		{models.AuditEvent{Fact: "recovery_code_used", Detail: map[string]any{"left": 3.0}}, "It won’t work again. You have 3 left."},
		{models.AuditEvent{Fact: "second_factor_failed"}, "They tried a second step, and did not get in."},
		{models.AuditEvent{Fact: "never_heard_of"}, "We call it “never heard of”."},
	} {
		if _, words := describe(c.event); words != c.words {
			t.Errorf("%s: got %q, want %q", c.event.Fact, words, c.words)
		}
	}
}
