package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/models"
)

func TestWebhooksAreManagedByTheCommandLine(t *testing.T) {
	i := newImporting(t)
	if _, report, err := i.run("csv", "email,username,password_hash\nada@example.com,Ada,"+djangoHash+"\n"); err != nil {
		t.Fatalf("%v\n%s", err, report)
	}
	out := filepath.Join(i.dir, "out")
	run := func(fails string, args ...string) string {
		t.Helper()
		err := printed(t, out, args...)
		if (err != nil) != (fails != "") || err != nil && !strings.Contains(err.Error(), fails) {
			t.Fatalf("%v: %v", args, err)
		}
		return i.read(out)
	}
	run("public address", "webhook", "add", "https://10.0.0.1/")
	run("no event is of", "webhook", "add", "https://app.example.com", "--type", "password_passed")
	id, secret, _ := strings.Cut(run("", "webhook", "add", "https://app.example.com/hooks", "--type", "admin.granted", "--type", "admin.revoked"), "\n")
	if !strings.HasPrefix(secret, "whsec_") {
		t.Fatalf("secret %q", secret)
	}
	run("", "admin", "grant", "Ada")
	if list := run("", "webhook", "list"); !strings.Contains(list, id) || !strings.Contains(list, "1 waiting") || strings.Contains(list, secret) {
		t.Errorf("listed %s", list)
	}
	if next := run("", "webhook", "rotate-secret", id); !strings.HasPrefix(next, "whsec_") || next == secret {
		t.Errorf("rotated to %s", next)
	}
	var d models.Delivery
	if text := run("", "webhook", "deliveries", id, "--state", "waiting"); json.Unmarshal([]byte(text), &d) != nil || d.Type != "admin.granted" {
		t.Errorf("deliveries %s", text)
	}
	run("waits to be sent", "webhook", "replay", string(d.ID))
	run("give an id", "webhook", "replay", "1")
	run("nothing here", "webhook", "deliveries", string(d.ID))

	run("", "admin", "revoke", "Ada")
	var m models.Message
	if text := run("", "events", "tail", "--since", "1h", "--once", "--type", "admin.revoked"); json.Unmarshal([]byte(text), &m) != nil || m.Type != "admin.revoked" {
		t.Errorf("tail %s", text)
	}
	if text := run("", "events", "tail", "--since", "1h", "--once"); strings.Count(text, "\n") != 1 || strings.Contains(text, "ada@") {
		t.Errorf("tail %s", text)
	}
	run("no event is of", "events", "tail", "--type", "x")
	run("", "webhook", "remove", id)
	run("nothing here", "webhook", "remove", id)
	if list := run("", "webhook", "list"); list != "" {
		t.Errorf("listed %s", list)
	}
}
