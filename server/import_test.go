package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/auth"
)

// Of password, made by other programs: passlib and Django.
var foreign = map[string]string{
	"bcrypt": "$2b$04$.OgX3RzRoclZhP8zHcTwEukI0.tyn1Zv5tGwL8MjtRi6AW9ppXlM6",
	"scrypt": "$scrypt$ln=4,r=8,p=1$G4Ow9r7X2rsXojSGsLa2Fg$Zg/fDOZcSmzwkvc9r2AKu4grsRnKWI2COV0qVpoKblo",
	"pbkdf2": "$pbkdf2-sha512$10$tdZ6j3GulZKydq7Vek8pxQ$5mh5JVT8c1eqcoZIoOC8EyvfcqRd6OSXAuSxXyfKfCvjSSdyb5bC8Cq12Ier1eT5X8nFtSq/D3/bdxykoOReTg",
	"django": "pbkdf2_sha256$10$salty$atv1SSmDxsLzKCAXEgeEO/CgilkDRWwtydaokEaggLI=",
	"argon2": "$argon2i$v=19$m=64,t=1,p=2$3Lu3FgLAOCeEMKYUwpiT0g$LO/09PvhWXIJfTSngBw8tA",
}

// bring imports accounts, as the command does.
func (s *site) bring(accounts ...map[string]string) {
	s.t.Helper()
	var users []models.ImportedUser
	for _, columns := range accounts {
		u, err := auth.ReadImported(columns, false, s.Clock.Now())
		if err != nil {
			s.t.Fatal(err)
		}
		users = append(users, u)
	}
	outcomes, err := s.ImportUsers(s.t.Context(), users, false)
	if err != nil {
		s.t.Fatal(err)
	}
	for i, outcome := range outcomes {
		if outcome.Kind != models.ImportCreated {
			s.t.Fatalf("%v: %+v", accounts[i], outcome)
		}
	}
}

func (s *site) hashOf(username string) string {
	s.t.Helper()
	found, err := s.CredentialsByIdentifier(s.t.Context(), username)
	if err != nil {
		s.t.Fatal(err)
	}
	return found.PasswordHash
}

func TestTheFirstSignInHashesAnImportedPasswordAnew(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, hash := range foreign {
		s.bring(map[string]string{"email": name + "@example.com", "username": name, "password_hash": hash})
		s.browser().post("/v1/login", map[string]any{"identifier": name, "password": "a wrong password"}).want(401, models.CodeInvalidCredentials)
		if got := s.hashOf(name); got != hash {
			t.Errorf("%s: a wrong password changed the hash to %s", name, got)
		}
		for range 2 { // by the foreign hash, then by ours
			s.browser().post("/v1/login", map[string]any{"identifier": name, "password": password}).want(200).state(models.EnrolmentRequired, models.ACROne)
			if got := s.hashOf(name); !strings.HasPrefix(got, "$argon2id$v=19$m=8,t=1,p=1$") {
				t.Errorf("%s: the hash stays %s", name, got)
			}
		}
	}
}

// An authenticator app that was brought along is asked for, and nothing else may be
// enrolled in its place.
func TestAnImportedAuthenticatorAppIsAskedFor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := &person{browser: s.browser(), name: "ada", secret: "JBSWY3DPEHPK3PXP"}
	s.bring(map[string]string{"email": "ada@example.com", "username": "ada", "password_hash": foreign["bcrypt"], "totp_secret": ada.secret})
	ada.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200).state(models.SecondFactorRequired, models.ACROne)
	ada.post("/v1/me/totp", map[string]any{}).want(403, models.CodeSecondFactorRequired)
	ada.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200).state(models.Authenticated, models.ACRAAL2)
}

// What signing in costs must not tell whether there is an account, also where
// accounts have hashes of several schemes: an unknown name is checked against the
// hash of some account, so that each scheme is as frequent among unknown names as
// among accounts. Schemes are counted here, not seconds.
func TestUnknownNamesCostWhatAccountsCost(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const accounts, names = 400, 2000
	scheme := func(hash string) string { return strings.Join(strings.Split(hash, "$")[:2], "$") }
	have := map[string]int{}
	var people []map[string]string
	for i := range accounts {
		hash := []string{foreign["bcrypt"], foreign["bcrypt"], foreign["django"], foreign["argon2"]}[i%4]
		have[scheme(hash)]++
		people = append(people, map[string]string{"email": fmt.Sprintf("u%d@example.com", i), "username": fmt.Sprintf("u%d", i), "password_hash": hash})
	}
	s.bring(people...)
	drawn := map[string]int{}
	for i := range names {
		decoy, err := s.PasswordDecoy(t.Context(), s.Sealer.Digest("identifier", fmt.Sprintf("nobody%d", i)))
		if err != nil {
			t.Fatal(err)
		}
		drawn[scheme(decoy)]++
	}
	// The gaps between 400 random handles are uneven: the share of a quarter of them
	// has a standard deviation of some 2 %, and the draw adds 1 %.
	for name, n := range have {
		share, want := float64(drawn[name])/names, float64(n)/accounts
		if share < want-0.13 || share > want+0.13 {
			t.Errorf("%s: %.2f of unknown names, %.2f of accounts", name, share, want)
		}
	}
	// And that hash is the one that is checked: nothing else can fail when it can't be
	// read.
	login := func() *answer {
		return s.browser().post("/v1/login", map[string]any{"identifier": "nobody", "password": password})
	}
	login().want(401, models.CodeInvalidCredentials)
	if _, err := s.Pool.Exec(t.Context(), `UPDATE users SET password_hash = '$2b$04$damaged'`); err != nil {
		t.Fatal(err)
	}
	login().want(500)
}
