package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/models"
)

func TestNewPasswords(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for typed, reason := range map[string]string{
		"short":                    "too_short",
		strings.Repeat("x1", 129):  "too_long",
		"password1":                "common",
		"PASSWORD123":              "common",
		"dragondragon":             "common",
		"abababab":                 "common",
		"grace-hopper":             "own_name",
		"Grace-Hopper@example.com": "own_email",
		"sallyport":                "site_name",
		"with\nnewline":            "control_character",
		"ﬀﬀﬀ":                      "", // six letters by NFKC: too short
	} {
		a := s.browser().post("/v1/accounts", map[string]any{"email": "grace-hopper@example.com", "username": "grace-hopper", "password": typed})
		if reason == "" {
			reason = "too_short"
		}
		a.want(400, models.CodeInvalidRequest)
		if a.Body["field"] != "password" || a.Body["reason"] != reason {
			t.Errorf("%q: got %s, want %s", typed, a.Raw, reason)
		}
	}
	// No composition rules, and any script counts by code points.
	for i, fine := range []string{"aaaa bbbb cccc", "mañana será", "пароль длинный", "🐢🐇🐸🐌🐞🦋🐝🐛"} {
		s.browser().post("/v1/accounts", map[string]any{"email": fmt.Sprintf("u%d@example.com", i), "username": fmt.Sprintf("u%d", i), "password": fine}).want(201)
	}
}

func TestTheSamePasswordOnAnotherKeyboard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	composed, decomposed := "caf\u00e9 au lait", "cafe\u0301 au lait"
	s.browser().post("/v1/accounts", map[string]any{"email": "a@example.com", "username": "ada", "password": composed}).want(201)
	s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": decomposed}).want(200)
}

// What may be set may be used: both are counted in the form that is hashed.
func TestALongPasswordTypedDecomposed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	long := strings.Repeat("e\u0301a\u0300", 100) // 400 code points typed, 200 composed
	s.browser().post("/v1/accounts", map[string]any{"email": "a@example.com", "username": "ada", "password": long + " word"}).want(201)
	s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": long + " word"}).want(200)
}

func TestRegistrationRefusals(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.register("ada")
	body := func(change ...string) map[string]any {
		m := map[string]any{"email": "new@example.com", "username": "new", "password": password}
		for i := 0; i < len(change); i += 2 {
			m[change[i]] = change[i+1]
		}
		return m
	}
	for _, c := range []struct {
		body   map[string]any
		status int
		field  string
	}{
		{body("email", "ADA@example.com"), 409, "email"},
		{body("username", "Ada"), 409, "username"},
		{body("email", "no-at"), 400, "email"},
		{body("email", "two@@example.com"), 400, "email"},
		{body("email", "Ada <a@example.com>"), 400, "email"},
		{body("username", "with@at"), 400, "username"},
		{body("username", "x"), 400, "username"},
		{body("username", "-dash"), 400, "username"},
		{body("display_name", strings.Repeat("x", 65)), 400, "display_name"},
		{body("surprise", "x"), 400, "surprise"},
		{body("transport", "carrier-pigeon"), 400, "transport"},
	} {
		a := s.browser().post("/v1/accounts", c.body).want(c.status)
		if a.Body["field"] != c.field {
			t.Errorf("%v: field %v, want %s", c.body, a.Body["field"], c.field)
		}
	}
}

func TestRegistrationIsLimitedPerNetwork(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(func(p *models.Policy) { p.Limits.Registration.Max = 2 })
	s.register("ada")
	s.register("eve")
	s.browser().post("/v1/accounts", map[string]any{"email": "x@example.com", "username": "xx", "password": password}).want(429, models.CodeRateLimited)
}
