package guard_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/guard"
)

const issuer = "https://login.example.com"

// door plays Sallyport: it is asked without a network, and can be down.
type door struct {
	key    *ecdsa.PrivateKey
	kid    string
	down   atomic.Bool
	asked  atomic.Int32
	answer func(r *http.Request) (status int, body any)
	slow   time.Duration
}

func newDoor(t *testing.T) *door {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &door{key: key, kid: "one"}
}

// RoundTrip answers as Sallyport does.
func (d *door) RoundTrip(r *http.Request) (*http.Response, error) {
	d.asked.Add(1)
	if d.slow > 0 {
		select {
		case <-time.After(d.slow):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	w := httptest.NewRecorder()
	switch {
	case d.down.Load():
		w.WriteHeader(http.StatusBadGateway)
	case r.URL.Path == "/oauth/keys":
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: d.key.Public(), KeyID: d.kid, Algorithm: "ES256", Use: "sig"}}})
	default:
		status, body := d.answer(r)
		if status == http.StatusFound {
			w.Header().Set("Location", "https://evil.example/session")
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	return w.Result(), nil
}

// token signs one that lives for a time.
func (d *door) token(t *testing.T, kid string, lives time.Duration) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: d.key, KeyID: kid}}, (&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	text, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: issuer, Subject: "ada", Audience: jwt.Audience{"notes"}, IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(lives)),
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (d *door) guard(t *testing.T, o guard.Options) func(header ...string) *httptest.ResponseRecorder {
	t.Helper()
	o.Issuer, o.HTTPClient, o.Log = issuer, &http.Client{Transport: d}, slog.New(slog.DiscardHandler)
	g, err := guard.New(o)
	if err != nil {
		t.Fatal(err)
	}
	handler := g.Require(guard.Need{})(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	return func(header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/notes", nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Add(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
}

func want(t *testing.T, what string, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status {
		t.Errorf("%s: got %d, want %d: %s", what, w.Code, status, w.Body)
	}
	if status == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
		t.Errorf("%s: no Retry-After", what)
	}
}

// While Sallyport can't be asked nobody gets in that isn't known, and nobody is told to sign in.
func TestAnOutageLetsNobodyInAndSendsNobodyAway(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.down.Store(true)
	ask := d.guard(t, guard.Options{Audience: "notes", ClientID: "notes", ClientSecret: "s", Sessions: true})
	want(t, "signed", ask("Authorization", "Bearer "+d.token(t, "one", time.Minute)), 503)
	want(t, "opaque", ask("Authorization", "Bearer opaque"), 503)
	want(t, "cookie", ask("Cookie", "__Host-sallyport=x"), 503)
	want(t, "nobody", ask(), 401)
	want(t, "a cookie by the name it has on http", ask("Cookie", "sallyport=x"), 401)
}

// Answers that are none, and ways elsewhere, are an outage too.
func TestStrangeAnswersAreAnOutage(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]struct {
		status int
		body   any
	}{
		"a redirect": {302, nil}, "an error": {500, nil}, "too busy": {429, nil}, "refused": {403, nil}, "no object": {200, "hello"}, "a list": {200, []int{1}},
	} {
		d := newDoor(t)
		d.answer = func(r *http.Request) (int, any) {
			if r.URL.Host != "login.example.com" {
				t.Errorf("%s: asked at %s", name, r.URL)
			}
			return answer.status, answer.body
		}
		ask := d.guard(t, guard.Options{Audience: "notes", ClientID: "notes", ClientSecret: "s", Sessions: true})
		want(t, name, ask("Authorization", "Bearer opaque"), 503)
		want(t, name, ask("Cookie", "__Host-sallyport=x"), 503)
	}
}

// Known keys serve an hour of an outage; then nobody can be told any more.
func TestKeysOutliveAnOutageForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		ask := d.guard(t, guard.Options{Audience: "notes"})
		token := "Bearer " + d.token(t, "one", 3*time.Hour)
		want(t, "there", ask("Authorization", token), 200)
		d.down.Store(true)
		time.Sleep(59 * time.Minute)
		synctest.Wait()
		want(t, "known", ask("Authorization", token), 200)
		want(t, "unknown", ask("Authorization", "Bearer "+d.token(t, "two", time.Hour)), 503)
		time.Sleep(time.Minute)
		want(t, "too old", ask("Authorization", token), 503)
		d.down.Store(false)
		time.Sleep(keysAgain)
		want(t, "there again", ask("Authorization", token), 200)
	})
}

const keysAgain = 10 * time.Second

// A key that is new is found at once, and one that is gone no longer counts; whoever makes
// ids up has Sallyport asked once in a while.
func TestKeysRotate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		ask := d.guard(t, guard.Options{Audience: "notes"})
		old := "Bearer " + d.token(t, "one", time.Hour)
		want(t, "one", ask("Authorization", old), 200)
		time.Sleep(keysAgain)
		d.kid = "two"
		want(t, "two", ask("Authorization", "Bearer "+d.token(t, "two", time.Hour)), 200)
		want(t, "one, gone", ask("Authorization", old), 401)
		before := d.asked.Load()
		for range 1000 {
			want(t, "made up", ask("Authorization", "Bearer "+d.token(t, rand.Text(), time.Hour)), 401)
		}
		if asked := d.asked.Load() - before; asked > 1 {
			t.Errorf("asked %d times for ids that somebody made up", asked)
		}
	})
}

// Of a hundred requests at once with one token one asks, and for a second no other. A token
// that nobody knows is no dearer.
func TestOneOfManyAsks(t *testing.T) {
	t.Parallel()
	for name, active := range map[string]bool{"good": true, "unknown": false} {
		synctest.Test(t, func(t *testing.T) {
			d := newDoor(t)
			d.slow = 100 * time.Millisecond
			d.answer = func(*http.Request) (int, any) {
				now := time.Now()
				return 200, map[string]any{"active": active, "iss": issuer, "sub": "ada", "aud": "notes", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
			}
			ask := d.guard(t, guard.Options{Audience: "notes", ClientID: "notes", ClientSecret: "s"})
			status := map[bool]int{true: 200, false: 401}[active]
			var all sync.WaitGroup
			for range 100 {
				all.Go(func() { want(t, name, ask("Authorization", "Bearer opaque"), status) })
			}
			all.Wait()
			time.Sleep(899 * time.Millisecond)
			want(t, name, ask("Authorization", "Bearer opaque"), status)
			if asked := d.asked.Load(); asked != 1 {
				t.Errorf("%s: asked %d times within a second", name, asked)
			}
			time.Sleep(time.Millisecond)
			want(t, name, ask("Authorization", "Bearer opaque"), status)
			want(t, name, ask("Authorization", "Bearer opaque2"), status)
			if asked := d.asked.Load(); asked != 3 {
				t.Errorf("%s: asked %d times for two tokens and two seconds", name, asked)
			}
		})
	}
}

// An outage is not remembered, and an answer that takes too long is one.
func TestAnOutageIsAskedAboutAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		d.answer = func(*http.Request) (int, any) {
			return 200, map[string]any{"state": "authenticated", "acr": "mfa", "user": map[string]any{"id": "ada"}}
		}
		ask := d.guard(t, guard.Options{Sessions: true})
		d.slow = time.Minute
		began := time.Now()
		want(t, "slow", ask("Cookie", "__Host-sallyport=x"), 503)
		if waited := time.Since(began); waited > 5*time.Second {
			t.Errorf("waited %s", waited)
		}
		d.slow = 0
		want(t, "there again", ask("Cookie", "__Host-sallyport=x"), 200)
	})
}

// What can't work is told at the start, not at the first request.
func TestOptionsThatCannotWork(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]guard.Options{
		"no issuer":     {Audience: "a"},
		"a slash":       {Issuer: issuer + "/", Audience: "a"},
		"http":          {Issuer: "http://login.example.com", Audience: "a"},
		"takes nothing": {Issuer: issuer},
		"no secret":     {Issuer: issuer, Audience: "a", ClientID: "a"},
		"no audience":   {Issuer: issuer, Sessions: true, ClientID: "a", ClientSecret: "s"},
		"none":          {Issuer: issuer, Audience: "a", Algorithms: []string{"none"}},
		"HS256":         {Issuer: issuer, Audience: "a", Algorithms: []string{"RS256", "HS256"}},
		"leeway":        {Issuer: issuer, Audience: "a", Leeway: time.Hour},
	} {
		if _, err := guard.New(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	g, err := guard.New(guard.Options{Issuer: "http://localhost:8080", Audience: "a"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a context that nobody has is asked for")
		}
	}()
	g.Require(guard.Need{ACR: "all2"})
}

// The guard ranks contexts as Sallyport does.
func TestContextsRankAsTheyDoAtHome(t *testing.T) {
	t.Parallel()
	for _, has := range []models.ACR{models.ACRNone, models.ACROne, models.ACRRecovery, models.ACRDevice, models.ACRMFA, models.ACRAAL2} {
		for _, need := range []models.ACR{models.ACRMFA, models.ACRAAL2} {
			if got := guard.Meets(string(has), string(need)); got != has.Meets(need) {
				t.Errorf("%q for %q: %v", has, need, got)
			}
		}
	}
}
