package hook_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// library verifies an arrival by the JavaScript library of Standard Webhooks.
func library(t *testing.T, a arrival, secret string) (string, error) {
	t.Helper()
	headers := map[string]string{}
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		headers[name] = a.header.Get(name)
	}
	given, err := json.Marshal(map[string]any{"secret": secret, "headers": headers, "body": string(a.body)})
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command("node", "helpers/verify-webhook.mjs")
	node.Dir, node.Stdin = "../../web/e2e", bytes.NewReader(given)
	out, err := node.Output()
	return string(out), err
}

func TestAttackAForgedDelivery(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("../../web/e2e/node_modules/standardwebhooks"); err != nil {
		if os.Getenv("SALLYPORT_REQUIRE_TESTDATA") == "1" {
			t.Fatal("web/e2e has no standardwebhooks: npm ci installs it")
		}
		t.Skip("web/e2e has no standardwebhooks: npm ci installs it")
	}
	s := newSite(t)
	r := s.receiver()
	s.user("ada")
	next, err := s.RotateWebhookSecret(t.Context(), models.Ref{}, r.id, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.happen("ada", 1)
	s.settle()
	a := r.taken[0]
	for _, secret := range []string{r.secret, next} {
		if text, err := library(t, a, secret); err != nil || !strings.Contains(text, `"admin.granted"`) {
			t.Errorf("%s, %v", text, err)
		}
	}
	for name, forge := range map[string]func(*arrival){
		"another body":   func(a *arrival) { a.body = bytes.Replace(a.body, []byte("granted"), []byte("revoked"), 1) },
		"another id":     func(a *arrival) { a.header.Set("webhook-id", string(r.id)) },
		"another time":   func(a *arrival) { a.header.Set("webhook-timestamp", "1764201600") },
		"another secret": func(a *arrival) { a.header.Set("webhook-signature", "v1,"+strings.Repeat("A", 43)+"=") },
		"a replay after an hour": func(a *arrival) {
			s.Clock.Advance(-time.Hour)
			s.happen("ada", 1)
			s.settle()
			*a = r.taken[len(r.taken)-1]
		},
	} {
		forged := a
		forged.header = a.header.Clone()
		forge(&forged)
		if text, err := library(t, forged, r.secret); err == nil {
			t.Errorf("%s was taken: %s", name, text)
		}
	}
}
