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
var recorded = regexp.MustCompile(`(?:record\((?:[^"\n]*[^"\n{])?|guarded\([^"\n]*|Fact:\s*|fact(?: :=|:=| =) )"([a-z_]+)"|\.user_id::uuid, '([a-z_]+)'`)

func TestTheTimelineHasWordsForEveryFact(t *testing.T) {
	t.Parallel()
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
