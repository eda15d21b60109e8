package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestAdminsAreMadeByTheCommandLine(t *testing.T) {
	i := newImporting(t)
	document := "email,username,password_hash\nada@example.com,Ada," + djangoHash + "\n"
	if _, report, err := i.run("csv", document); err != nil {
		t.Fatalf("%v\n%s", err, report)
	}
	out := filepath.Join(i.dir, "out")
	admin := func(args ...string) (string, error) {
		err := printed(t, out, append([]string{"admin"}, args...)...)
		return i.read(out), err
	}
	for _, step := range []struct {
		args  string
		told  string
		fails string
	}{
		{"list", "", ""},
		{"grant Ada", "Ada is an admin", ""},
		{"grant Ada", "", "nothing changes by that"},
		{"list", "Ada", ""},
		{"grant nobody", "", "nobody here has that user name"},
		{"revoke Ada", "Ada is no admin any more", ""},
		{"list", "", ""},
	} {
		told, err := admin(strings.Fields(step.args)...)
		if failed := err != nil; failed != (step.fails != "") || failed && !strings.Contains(err.Error(), step.fails) || !failed && told != step.told {
			t.Errorf("admin %s: told %q, error %v", step.args, told, err)
		}
	}
}
