package server_test

import (
	"fmt"
	"testing"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
)

// crowded is a browser at a server of the site that has no place left for a
// hash, running or waiting: whatever comes to a hash there is shed.
func (s *site) crowded() *browser {
	return s.another(func(d *server.Deps) { d.HashParallel, d.HashQueue = 0, 0 })
}

// shed holds an answer to what a full server says.
func (a *answer) shed() {
	a.t.Helper()
	if a.want(503, models.CodeOverloaded).Header.Get("Retry-After") == "" {
		a.t.Errorf("%s: 503 does not say when to come again", a.what)
	}
}

func login(identifier string) map[string]any {
	return map[string]any{"identifier": identifier, "password": "a wrong password"}
}

// A name that nobody has must cost what a wrong password costs, or the time
// that an answer takes tells the two apart.
func TestAnUnknownNameCostsAHash(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.crowded().post("/v1/login", login("nobody")).shed() // where nobody has an account yet
	s.register("ada")
	for _, identifier := range []string{"ada", "nobody", "nobody@example.com"} {
		s.crowded().post("/v1/login", login(identifier)).shed()
	}
}

func TestALimitIsReachedBeforeAnythingIsHashed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.register("ada")
	s.force(func(p *models.Policy) { p.Limits.Password.Max = 1 })
	for _, identifier := range []string{"ada", "nobody"} {
		s.browser().post("/v1/login", login(identifier)).want(401)
		s.crowded().post("/v1/login", login(identifier)).want(429, models.CodeRateLimited)
	}
}

// Neither a row that is used up nor one that never was may answer sooner than
// one that is left.
func TestEveryRowOfRecoveryCodesCostsAHash(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	try := func(row int) *answer {
		tab := s.crowded()
		tab.cookies = ada.elsewhere().cookies
		return tab.post("/v1/verify/recovery", map[string]any{"code": fmt.Sprintf("%02d-ABCD-EFGH-IJKL-MNOP", row)})
	}
	try(1).shed() // before there are any
	ada.saveCodes()
	ada.elsewhere().post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200)
	for _, row := range []int{1, 2, 99} {
		try(row).shed()
	}
}
