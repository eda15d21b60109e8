package main

import (
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/policy"
)

func TestRulesOfAppsAreReadWithTheirLines(t *testing.T) {
	t.Parallel()
	public, err := url.Parse("https://login.example.com")
	if err != nil {
		t.Fatal(err)
	}
	read := func(text string) error {
		_, err := policy.Parse("policy.yaml", []byte(text), func(string, string) models.Policy { return models.DefaultPolicy("dlib-v1") }, forwardJudge(Config{PublicURL: public}))
		return err
	}
	if err := read(documented(t, "yaml")); err != nil {
		t.Errorf("the documented rules: %v", err)
	}
	for text, want := range map[string]string{
		"forward_auth:\n  rules:\n    - host: a.example.com\n    - host: login.example.com\n":        "line 4: forward_auth.rules.2.host can't be the host of public_url",
		"forward_auth:\n  rules:\n    - host: a.example.com\n      acr: one\n":                       "line 4: forward_auth.rules.1.acr must be aal2 or mfa",
		"forward_auth:\n  rules:\n    - host: a.example.com\n    - {host: a.example.com, path: /}\n": "line 4: forward_auth.rules.2 is about the same host and path as rule 1",
		"forward_auth:\n  rules:\n    - host: a.example.com\n      role: x\n":                        "line 4: forward_auth.rules.1.role is not a key of the policy",
		"forward_auth:\n  rules:\n    - host: a.example.com\n      groups: [ok, \"no, no\"]\n":       "line 4: forward_auth.rules.1.groups \"no, no\" is no group's name",
	} {
		if err := read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
