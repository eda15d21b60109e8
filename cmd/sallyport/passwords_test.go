package main

import (
	"crypto/sha1"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// leakedFilter builds a filter of two passwords by the command.
func leakedFilter(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	list, filter := filepath.Join(dir, "leaked.txt"), filepath.Join(dir, "leaked.filter")
	lines := fmt.Sprintf("%X:12\r\n%x\n", sha1.Sum([]byte("hunter2")), sha1.Sum([]byte("letmein")))
	if err := os.WriteFile(list, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	if err := printed(t, out, "passwords", "build-filter", "--from", list, "--out", filter, "--rate", "1e-9"); err != nil {
		t.Fatal(err)
	}
	if told, err := os.ReadFile(out); err != nil || !strings.Contains(string(told), "2 leaked passwords") {
		t.Errorf("told %q %v", told, err)
	}
	return filter
}

func TestPasswordsAreLookedUpWhereTheConfigurationSays(t *testing.T) {
	t.Parallel()
	if c, problems := load(t, "passwords: {breached: off}\n", nil); len(problems) > 0 || c.Breached != breachedOff {
		t.Errorf("YAML's bare off: %+v %v", c, problems)
	}
	config, problems := load(t, "", map[string]string{"SALLYPORT_PASSWORDS_BREACHED": "filter", "SALLYPORT_PASSWORDS_FILTER_FILE": leakedFilter(t)})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	breaches, err := config.breaches()
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{"hunter2": true, "letmein": true, "correct horse battery": false} {
		if known, err := breaches.Known(t.Context(), password); known != want || err != nil {
			t.Errorf("%s: %v %v", password, known, err)
		}
	}
	for name, over := range map[string]map[string]string{
		"unknown": {"BREACHED": "maybe"}, "no file": {"BREACHED": "filter"}, "http": {"HIBP_URL": "http://example.com/range/"},
		"user": {"HIBP_URL": "https://a:b@example.com/"}, "no URL": {"HIBP_URL": "api"}, "query": {"HIBP_URL": "https://example.com/?x"},
	} {
		env := map[string]string{}
		for key, value := range over {
			env["SALLYPORT_PASSWORDS_"+key] = value
		}
		if _, problems := load(t, "", env); len(problems) != 1 || !strings.Contains(problems[0].Error(), "passwords.") {
			t.Errorf("%s: %v", name, problems)
		}
	}
	if _, problems := load(t, "", map[string]string{"SALLYPORT_PASSWORDS_HIBP_URL": "http://127.0.0.1:8000/range/"}); len(problems) > 0 {
		t.Errorf("a mirror on this machine: %v", problems)
	}
}

func TestDoctorReadsTheFilter(t *testing.T) {
	t.Parallel()
	whole, damaged := leakedFilter(t), leakedFilter(t)
	content, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)-40] ^= 1 // one bit of the filter
	if err := os.WriteFile(damaged, content, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		breached, file, says string
		want                 state
	}{
		"off": {"off", "", "are not looked up", fine}, "hibp": {"hibp", "", "https://api.pwnedpasswords.com/range/, which was not asked", fine},
		"whole": {"filter", whole, "2 leaked passwords", fine}, "damaged": {"filter", damaged, "doesn't sum up", broken}, "missing": {"filter", whole + "x", "no such file", broken},
	} {
		config, problems := load(t, "", map[string]string{
			"SALLYPORT_PASSWORDS_BREACHED": c.breached, "SALLYPORT_PASSWORDS_FILTER_FILE": c.file, "SALLYPORT_FACE_ENABLED": "false", "SALLYPORT_DATABASE_URL": nowhere,
		})
		if got := examine(t.Context(), config, problems).one(t, "passwords"); got.State != c.want || !strings.Contains(got.Text, c.says) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
