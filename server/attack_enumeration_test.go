package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
)

// Enumeration by status, body and header: whether a name is somebody's shows in no
// part of any answer that a stranger gets before the password has passed.
func TestAttackEnumerationByAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.ready("ada")
	ada.saveCodes()
	s.register("bea") // without a second factor
	for name, ask := range map[string]func(b *browser, who string) *answer{
		"wrong password": func(b *browser, who string) *answer { return b.post("/v1/login", login(who)) },
		"as an app": func(b *browser, who string) *answer {
			return b.post("/v1/login", map[string]any{"identifier": who, "password": "a wrong password", "transport": "bearer"})
		},
		"empty password": func(b *browser, who string) *answer {
			return b.post("/v1/login", map[string]any{"identifier": who, "password": ""})
		},
		"endless password": func(b *browser, who string) *answer {
			return b.post("/v1/login", map[string]any{"identifier": who, "password": strings.Repeat("x", 300)})
		},
		"passkey for a name": func(b *browser, who string) *answer {
			return b.post("/v1/login/passkey/options", map[string]any{"identifier": who})
		},
		"advice": func(b *browser, who string) *answer {
			return b.post("/v1/password/advice", map[string]any{"password": "a wrong password", "username": who})
		},
		"until it is limited": func(b *browser, who string) *answer {
			for range 12 {
				b.post("/v1/login", login(who))
			}
			return b.post("/v1/login", login(who))
		},
	} {
		var nobodys *answer
		for i, who := range []string{"nobody", "ada", "bea", "nobody2", "ada@example.com", "nobody@example.com"} {
			a := ask(s.browser().from(fmt.Sprintf("10.%d.%d.1", len(name), i)), who)
			if nobodys == nil {
				nobodys = a
			}
			for _, h := range []string{"Date", "Content-Length"} {
				a.Header.Del(h)
			}
			if diff := cmp.Diff(nobodys.Header, a.Header); a.Status != nobodys.Status || string(a.Raw) != string(nobodys.Raw) || diff != "" {
				t.Errorf("%s: %q is told from nobody: %d %s\n%d %s\n%s", name, who, a.Status, a.Raw, nobodys.Status, nobodys.Raw, diff)
			}
		}
		s.Clock.Advance(24 * time.Hour) // for the next, everything is open again
	}
}

// Passkey options before the password tell of no account: they name no credential.
func TestAttackEnumerationByPasskeyOptions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.ready("ada")
	a := s.browser().post("/v1/login/passkey/options", map[string]any{}).want(200)
	public := a.Body["publicKey"].(map[string]any)
	if allowed, there := public["allowCredentials"]; there && len(allowed.([]any)) > 0 {
		t.Errorf("the options name credentials: %v", allowed)
	}
	// Registration options name the person's own passkeys alone, behind the password.
	eve := s.ready("eve")
	own := eve.post("/v1/me/passkeys/options", map[string]any{}).want(200).Body["publicKey"].(map[string]any)
	if excluded, _ := own["excludeCredentials"].([]any); len(excluded) != 1 {
		t.Errorf("%d credentials are excluded, eve has 1", len(excluded))
	}
}

// Enumeration by time (note-mark CVE-2026-40263; FACTS: Supabase 52 ms against 1,
// Hanko 201 against 2, Kratos 205 against 3): 200 pairs of names, one somebody's and
// one nobody's, asked for by turns so that a busy machine slows both.
func TestAttackEnumerationByTime(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(func(p *models.Policy) {
		wide := models.Limit{Max: 10_000, Window: models.Duration(time.Hour)}
		p.Limits.Login, p.Limits.Global, p.Limits.Password = wide, wide, wide
		p.Limits.Registration, p.Limits.InARow.Free, p.Limits.InARow.DisableAfter = wide, 1000, 1000
		p.Limits.Sources.Names, p.Limits.Sources.Sprayed = 10_000, 10_000
	})
	// Hashes that take some milliseconds, far longer than the rest of a request.
	b := s.another(func(d *server.Deps) { d.Argon2.MemoryKiB, d.Argon2.Time = 2048, 2 })
	const accounts, pairs = 20, 200
	for i := range accounts {
		b.clone().post("/v1/accounts", map[string]any{"email": fmt.Sprintf("known%d@example.com", i), "username": fmt.Sprintf("known%d", i), "password": password}).want(201)
	}
	took := func(who string) time.Duration {
		tab := b.clone()
		tab.cookies = map[string]string{}
		began := time.Now()
		tab.post("/v1/login", login(who)).want(401)
		return time.Since(began)
	}
	differences, all := make([]time.Duration, 0, pairs), make([]time.Duration, 0, 2*pairs)
	for i := range pairs {
		var known, unknown time.Duration
		// Who is asked for first changes, or the second would find warm caches.
		if i%2 == 0 {
			known, unknown = took(fmt.Sprintf("known%d", i%accounts)), took(fmt.Sprintf("nobody%d", i%accounts))
		} else {
			unknown, known = took(fmt.Sprintf("nobody%d", i%accounts)), took(fmt.Sprintf("known%d", i%accounts))
		}
		differences, all = append(differences, known-unknown), append(all, known, unknown)
	}
	slices.Sort(differences)
	slices.Sort(all)
	// The median of the paired differences, against the median time of a request. One
	// side without its hash would differ by nearly all of it; chance, on a machine that
	// has other things to do, by a hundredth or two.
	middle, typical := differences[pairs/2], all[pairs]
	t.Logf("a request takes %v, the median difference is %v", typical, middle)
	if middle.Abs() > typical/5 {
		t.Errorf("known and unknown names differ by %v of %v", middle, typical)
	}
}
