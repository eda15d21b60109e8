package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
	"github.com/sallyport/sallyport/server/auth"
)

// challenged is a site whose bot check is asked for, and what it asked.
func challenged(t *testing.T, provider models.BotProvider) (*site, map[string]any) {
	s := newSite(t)
	s.force(func(p *models.Policy) {
		p.BotCheck = models.BotCheckPolicy{Provider: provider, After: 2, MaxNumber: 1000}
		p.Limits.InARow.Free = 20
	})
	// From elsewhere: registrations count for their network.
	s.browser().from("198.51.100.1").post("/v1/accounts", map[string]any{"email": "ada@example.com", "username": "ada", "password": password}).want(201)
	for range 2 {
		s.browser().post("/v1/login", login("ada")).want(401)
	}
	a := s.browser().post("/v1/login", login("ada")).want(403, models.CodeBotCheckRequired)
	return s, a.Body["bot_check"].(map[string]any)
}

// solve does the work as ALTCHA's clients do.
func solve(t *testing.T, challenge map[string]any) map[string]any {
	t.Helper()
	for number := range 1001 {
		sum := sha256.Sum256([]byte(challenge["salt"].(string) + strconv.Itoa(number)))
		if hex.EncodeToString(sum[:]) == challenge["challenge"] {
			return map[string]any{
				"algorithm": "SHA-256", "challenge": challenge["challenge"], "number": number,
				"salt": challenge["salt"], "signature": challenge["signature"], "took": 12,
			}
		}
	}
	t.Fatal("there is no solution")
	return nil
}

func proof(t *testing.T, solution map[string]any) string {
	t.Helper()
	doc, err := json.Marshal(solution)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(doc)
}

func loginWith(proof string) map[string]any {
	return map[string]any{"identifier": "ada", "password": password, "bot_check": proof}
}

func TestAProofOfWorkLetsOneRequestThrough(t *testing.T) {
	t.Parallel()
	s, challenge := challenged(t, models.BotALTCHA)
	good := proof(t, solve(t, challenge))
	tabs := make([]*browser, 100)
	for i := range tabs {
		tabs[i] = s.browser()
	}
	counts := parallel(100, func(i int) *answer { return tabs[i].post("/v1/login", loginWith(good)) })
	if counts[200] != 1 || counts[403] != 99 {
		t.Errorf("answers %v: one solution is one request", counts)
	}
}

// Everything about a solution must be as it was given out.
func TestAProofOfWorkCannotBeForged(t *testing.T) {
	t.Parallel()
	s, challenge := challenged(t, models.BotALTCHA)
	good := solve(t, challenge)
	change := func(with map[string]any) string {
		forged := map[string]any{}
		for key, value := range good {
			forged[key] = value
		}
		for key, value := range with {
			forged[key] = value
		}
		return proof(t, forged)
	}
	salt, number := good["salt"].(string), good["number"].(int)
	own := sha256.Sum256([]byte(salt + "1"))
	text := strconv.Itoa(number)
	rest, _ := strconv.Atoi(text[1:]) // 0 after a single digit, which is wrong as well
	for name, forged := range map[string]string{
		"no base64":           "%%%",
		"no JSON":             base64.StdEncoding.EncodeToString([]byte("{")),
		"another number":      change(map[string]any{"number": number + 1}),
		"a negative number":   change(map[string]any{"number": -1}),
		"another algorithm":   change(map[string]any{"algorithm": "SHA-1"}),
		"another signature":   change(map[string]any{"signature": strings.Repeat("0", 64)}),
		"no signature":        change(map[string]any{"signature": ""}),
		"a challenge of mine": change(map[string]any{"challenge": hex.EncodeToString(own[:]), "number": 1}),
		"a later end":         change(map[string]any{"salt": strings.Replace(salt, "expires=1", "expires=9", 1)}),
		"no end":              change(map[string]any{"salt": salt[:24]}),
		"digits moved":        change(map[string]any{"salt": salt + text[:1], "number": rest}),
	} {
		if a := s.browser().post("/v1/login", loginWith(forged)); a.Status != 403 {
			t.Errorf("%s: got %d", name, a.Status)
		}
	}
	s.browser().post("/v1/login", loginWith(strings.Repeat("A", 2049))).want(400, models.CodeInvalidRequest)
	s.Clock.Advance(5 * time.Minute)
	for range 2 { // the bucket has drained some
		s.browser().post("/v1/login", login("ada"))
	}
	s.browser().post("/v1/login", loginWith(proof(t, good))).want(403, models.CodeBotCheckRequired)
	fresh := s.browser().post("/v1/login", login("ada")).want(403).Body["bot_check"].(map[string]any)
	s.browser().post("/v1/login", loginWith(proof(t, solve(t, fresh)))).want(200)
}

// The check is for a name and for a network; a known device is spared it.
func TestWhoIsAskedForAProof(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	s.force(func(p *models.Policy) {
		p.BotCheck = models.BotCheckPolicy{Provider: models.BotALTCHA, After: 3, MaxNumber: 1000}
	})
	for i := range 3 {
		s.browser().from(fmt.Sprintf("10.0.%d.1", i)).post("/v1/login", login("ada")).want(401)
		s.browser().from("192.0.2.1").post("/v1/login", login(fmt.Sprint("nobody", i))).want(401)
	}
	s.browser().from("10.9.9.1").post("/v1/login", login("ada")).want(403, models.CodeBotCheckRequired)
	s.browser().from("192.0.2.1").post("/v1/login", login("another")).want(403, models.CodeBotCheckRequired)
	account := map[string]any{"email": "bea@example.com", "username": "bea", "password": password}
	asked := s.browser().from("192.0.2.1").post("/v1/accounts", account).want(403, models.CodeBotCheckRequired)
	account["bot_check"] = proof(t, solve(t, asked.Body["bot_check"].(map[string]any)))
	s.browser().from("192.0.2.1").post("/v1/accounts", account).want(201)
	ada.from("192.0.2.1").post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
	// Somebody else, from elsewhere, is not asked, and a right password is no failure.
	for range 5 {
		s.browser().from("198.51.100.1").post("/v1/login", map[string]any{"identifier": "ada@example.com", "password": password}).want(200)
	}
}

// TestSiteverify plays a service with Turnstile's API.
func TestSiteverify(t *testing.T) {
	t.Parallel()
	var out bool
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if out {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		good := r.Method == http.MethodPost && r.FormValue("secret") == "shh" && r.FormValue("response") == "token" && r.FormValue("remoteip") == "192.0.2.1"
		_, _ = fmt.Fprintf(w, `{"success":%v,"error-codes":[]}`, good)
	}))
	t.Cleanup(service.Close)
	s, challenge := challenged(t, models.BotSiteverify)
	b := s.another(func(d *server.Deps) {
		d.Siteverify = auth.Siteverify{URL: service.URL, SiteKey: "key", Secret: "shh"}
	}).from("192.0.2.1")
	if challenge["provider"] != "siteverify" {
		t.Errorf("asked for %v", challenge)
	}
	if asked := b.post("/v1/login", login("ada")).want(403).Body["bot_check"].(map[string]any); asked["site_key"] != "key" {
		t.Errorf("asked for %v", asked)
	}
	b.post("/v1/login", loginWith("another token")).want(403, models.CodeBotCheckRequired)
	b.post("/v1/login", loginWith("token")).want(200)
	// Somebody else's outage keeps nobody out: the limits hold as before.
	delete(b.cookies, "sallyport")
	out = true
	b.post("/v1/login", login("ada")).want(403)
	b.post("/v1/login", loginWith("another token")).want(200)
}
