package server_test

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
	"github.com/sallyport/sallyport/server/auth"
	"github.com/sallyport/sallyport/server/breach"
)

// leaks is a list of leaked passwords, or a failure to read it.
type leaks struct {
	known map[string]bool
	err   error
	asked atomic.Int32
}

func (l *leaks) Known(_ context.Context, password string) (bool, error) {
	l.asked.Add(1)
	return l.known[password], l.err
}

// asking makes the site look passwords up.
func (s *site) asking(b auth.Breaches) {
	log := slog.New(slog.NewTextHandler(s.log, nil))
	s.server = s.newServer(log, func(d *server.Deps) { d.Breaches = b })
}

func registration(name, password string) map[string]any {
	return map[string]any{"email": name + "@example.com", "username": name, "password": password}
}

const leaked = "tr0ub4dor and three"

func TestLeakedPasswordsAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	composed, decomposed := "caf\u00e9 au lait", "cafe\u0301 au lait"
	list := &leaks{known: map[string]bool{leaked: true, composed: true, "cafe\u0301 noir": true}}
	s.asking(list)
	// Lists are of what people typed; what is hashed here may be another form.
	for _, typed := range []string{leaked, composed, decomposed, "cafe\u0301 noir"} {
		a := s.browser().post("/v1/accounts", registration("eve", typed)).want(400, models.CodeInvalidRequest)
		if a.Body["field"] != "password" || a.Body["reason"] != "breached" {
			t.Errorf("%+q: got %s", typed, a.Raw)
		}
	}
	ada := s.withTOTP("ada")
	a := ada.post("/v1/me/password", map[string]any{"current": password, "new": leaked}).want(400, models.CodeInvalidRequest)
	if a.Body["field"] != "new" || a.Body["reason"] != "breached" {
		t.Errorf("got %s", a.Raw)
	}
	ada.elsewhere() // by the old password
	if s.uncheckedOf("ada") != 0 {
		t.Error("a check that went well is recorded as one that failed")
	}
}

// The right password with a leaked one in its place is no guess, however often.
func TestALeakedPasswordIsNoWrongOne(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.asking(&leaks{known: map[string]bool{leaked: true}})
	ada := s.withTOTP("ada")
	for range s.policies.Current().Limits.Password.Max + 1 {
		ada.post("/v1/me/password", map[string]any{"current": password, "new": leaked}).want(400)
	}
}

// Nobody is asked about what is refused anyway, nor for whoever comes too often or
// does not know the current password.
func TestNobodyIsAskedForNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	list := &leaks{}
	s.asking(list)
	s.force(func(p *models.Policy) { p.Limits.Registration.Max = 1 })
	s.browser().post("/v1/accounts", registration("ada", "password1")).want(400)
	ada := s.withTOTP("ada")
	asked := list.asked.Load()
	s.browser().post("/v1/accounts", registration("eve", password)).want(429)
	ada.post("/v1/me/password", map[string]any{"current": "a wrong one", "new": "a brand new password"}).want(422)
	s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
	if asked != 1 || list.asked.Load() != asked {
		t.Errorf("asked %d times, then %d", asked, list.asked.Load())
	}
}

// Where nobody can tell, people get on, and it is recorded: with the account, and
// in the log now and then.
func TestAListThatIsOutOfReachKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.asking(&leaks{err: errors.New("out of reach")})
	ada := s.withTOTP("ada")
	if n := s.uncheckedOf("ada"); n != 1 {
		t.Errorf("%d facts after registering", n)
	}
	ada.post("/v1/me/password", map[string]any{"current": "a wrong one", "new": "a brand new password"}).want(422)
	ada.post("/v1/me/password", map[string]any{"current": password, "new": "a brand new password"}).want(204)
	if n := s.uncheckedOf("ada"); n != 2 {
		t.Errorf("%d facts after changing the password", n)
	}
	logged := func() int { return strings.Count(s.log.String(), "without being looked up") }
	if logged() != 1 {
		t.Errorf("logged %d times within a minute", logged())
	}
	s.Clock.Advance(time.Minute)
	s.browser().post("/v1/accounts", registration("eve", password)).want(201)
	if logged() != 2 || !strings.Contains(s.log.String(), "since_last_told=2") {
		t.Errorf("logged %d times:\n%s", logged(), s.log)
	}
}

// uncheckedOf counts the facts that say a password of the account was not looked up.
func (s *site) uncheckedOf(username string) (n int) {
	s.t.Helper()
	err := s.Pool.QueryRow(s.t.Context(), `
		SELECT count(*)
		FROM events e
		JOIN users u ON u.id = e.user_id
		WHERE u.username = $1 AND e.fact = 'breach_check_failed' AND e.detail = '{"factor": "pwd"}'`, username).Scan(&n)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// The whole way, against a range API that answers, fails, and says nothing.
func TestHaveIBeenPwned(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	digest := fmt.Sprintf("%X", sha1.Sum([]byte(leaked)))
	var status atomic.Int32
	status.Store(http.StatusOK)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status.Load() == 0 {
			<-r.Context().Done()
			return
		}
		w.WriteHeader(int(status.Load()))
		fmt.Fprintf(w, "%s:0\r\n", strings.Repeat("A", 35))
		if r.URL.Path == "/range/"+digest[:5] {
			fmt.Fprintf(w, "%s:7\r\n", digest[5:])
		}
	}))
	defer api.Close()
	s.asking(breach.NewHIBP(api.URL + "/range/"))
	s.browser().post("/v1/accounts", registration("ada", leaked)).want(400, models.CodeInvalidRequest)
	s.browser().post("/v1/accounts", registration("ada", password)).want(201)
	for i, failing := range []int32{http.StatusTooManyRequests, 0} {
		status.Store(failing)
		s.browser().post("/v1/accounts", registration(fmt.Sprintf("eve%d", i), leaked)).want(201)
	}
	if s.uncheckedOf("ada") != 0 || s.uncheckedOf("eve0") != 1 || s.uncheckedOf("eve1") != 1 {
		t.Error("what was not looked up is not recorded, or what was is")
	}
	var details string
	if err := s.Pool.QueryRow(t.Context(), `SELECT string_agg(detail::text, ' ') FROM events`).Scan(&details); err != nil {
		t.Fatal(err)
	}
	for _, told := range []string{s.log.String(), details} {
		if strings.Contains(told, digest[:5]) || strings.Contains(told, leaked) {
			t.Errorf("tells of the password:\n%s", told)
		}
	}
}
