// Package guard is middleware for Go programs whose users sign in at Sallyport: it finds
// out who asks, holds that to what a route needs, and answers everybody else in a way that
// clients can act on.
//
// Three things say who somebody is. An access token that Sallyport signed is verified by
// its keys; an opaque one is asked about (RFC 7662); and a program on Sallyport's own host,
// or one that apps hand their session to, asks whose session it is. What was asked about
// is believed for a second, a signed token until it ends.
//
//	g, err := guard.New(guard.Options{Issuer: "https://login.example.com", Audience: "notes"})
//	mux.Handle("/notes", g.Require(guard.Need{ACR: "mfa"})(notes))
//	...
//	who, _ := guard.From(r.Context())
//
// While Sallyport can't be asked nobody is let in and nobody is told to sign in: the answer
// is 503. Package fiberguard is the same for Fiber.
package guard

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Options says whose word is taken, and for whom.
type Options struct {
	// Issuer is Sallyport's public_url to the letter, such as https://login.example.com.
	Issuer string
	// Audience is what access tokens have to be for: the id of the client that they were
	// given to, or what its audiences name. Without one no token is taken.
	Audience string
	// Algorithms that signed tokens may have: RS256 and ES256 unless fewer are named.
	Algorithms []string
	// Leeway is how far clocks may be apart; 30 seconds by default.
	Leeway time.Duration
	// ClientID and ClientSecret are what this program asks about opaque tokens with. Without
	// them none is taken.
	ClientID, ClientSecret string
	// Sessions takes Sallyport's own sessions: by its cookie, which browsers send to programs
	// on the very same host, or by a session's bearer token. Whoever is handed a session can
	// do with it what its owner can.
	Sessions bool
	// StepUp leads a browser on that goes to a page without what it needs, instead of the
	// answer for programs: to sign in, or to prove more.
	StepUp func(w http.ResponseWriter, r *http.Request, need Need)
	// HTTPClient asks Sallyport. Redirects are not followed, whatever it says.
	HTTPClient *http.Client
	// Log hears why Sallyport couldn't be asked.
	Log *slog.Logger
	// Now is the clock.
	Now func() time.Time
}

// Need is what a route asks of whoever comes. The zero value takes everybody who is signed in.
type Need struct {
	// ACR is "mfa" (two factors) or "aal2" (two that NIST counts, which serve for "mfa" too).
	ACR string
	// MaxAge is how long ago they may have signed in; 0 for any time.
	MaxAge time.Duration
	// Scopes have all to be granted. Sessions have none.
	Scopes []string
	// Groups are those of which the person has to be in one. Tokens name them with the scope
	// "groups".
	Groups []string
}

// Guard is middleware. It is safe for concurrent use.
type Guard struct {
	options    Options
	algorithms []jose.SignatureAlgorithm
	keys       *keys
	recent     *recent
	crossSite  *http.CrossOriginProtection
}

// askWithin bounds one question to Sallyport.
const askWithin = 5 * time.Second

// New makes a guard. The error names what in the options can't work; Sallyport need not be
// there yet.
func New(o Options) (*Guard, error) {
	issuer, err := url.Parse(o.Issuer)
	switch {
	case err != nil || issuer.Host == "" || issuer.Path != "" || issuer.RawQuery != "" || issuer.User != nil:
		return nil, fmt.Errorf("issuer must be scheme and host, without a slash at its end, is %q", o.Issuer)
	case issuer.Scheme != "https" && (issuer.Scheme != "http" || !loopback(issuer.Hostname())):
		return nil, fmt.Errorf("issuer must be https, or on this machine, is %q", o.Issuer)
	case o.Audience == "" && !o.Sessions:
		return nil, errors.New("neither tokens (audience) nor sessions are taken: nobody could get in")
	case o.ClientID != "" && (o.ClientSecret == "" || o.Audience == ""):
		return nil, errors.New("asking about opaque tokens takes a client's id and secret, and an audience")
	case o.Leeway < 0 || o.Leeway > 5*time.Minute:
		return nil, fmt.Errorf("leeway must be up to 5m, is %s", o.Leeway)
	}
	if o.Leeway == 0 {
		o.Leeway = 30 * time.Second
	}
	if len(o.Algorithms) == 0 {
		o.Algorithms = []string{"RS256", "ES256"}
	}
	g := &Guard{options: o, crossSite: http.NewCrossOriginProtection()}
	for _, alg := range o.Algorithms {
		if !slices.Contains([]string{"RS256", "ES256"}, alg) {
			return nil, fmt.Errorf("sallyport signs by RS256 and ES256, not by %q", alg)
		}
		g.algorithms = append(g.algorithms, jose.SignatureAlgorithm(alg))
	}
	if g.options.Now == nil {
		g.options.Now = time.Now
	}
	if g.options.Log == nil {
		g.options.Log = slog.Default()
	}
	client := http.Client{}
	if o.HTTPClient != nil {
		client = *o.HTTPClient
	}
	client.Jar, client.CheckRedirect = nil, func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	g.options.HTTPClient = &client
	g.keys = &keys{guard: g}
	g.recent = &recent{now: g.options.Now, found: map[[32]byte]*entry{}}
	return g, nil
}

func loopback(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

// Require is middleware that lets through who has what is needed: From tells who it is.
// It panics where a need can't be met by anybody, as http.ServeMux does for bad patterns.
func (g *Guard) Require(need Need) func(http.Handler) http.Handler {
	if !slices.Contains([]string{"", "mfa", "aal2"}, need.ACR) || need.MaxAge < 0 {
		panic(fmt.Sprintf("guard: nobody could meet %+v", need))
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			who, err := g.identify(r)
			if err == nil {
				err = g.judge(who, need)
			}
			if err == nil {
				next.ServeHTTP(w, r.WithContext(with(r.Context(), who)))
				return
			}
			g.refuse(w, r, need, err)
		})
	}
}

// identify finds out who asks.
func (g *Guard) identify(r *http.Request) (Identity, error) {
	switch given := r.Header.Values("Authorization"); {
	case len(given) > 1:
		return Identity{}, invalidToken("two credentials at once")
	case len(given) == 1:
		scheme, token, ok := strings.Cut(given[0], " ")
		if ok && strings.EqualFold(scheme, "Bearer") {
			return g.byToken(r, strings.TrimSpace(token))
		}
	}
	if g.options.Sessions {
		return g.byCookie(r)
	}
	return Identity{}, errNobody
}

// byToken tells signed tokens by their dots, which what Sallyport draws hasn't.
func (g *Guard) byToken(r *http.Request, token string) (Identity, error) {
	if token == "" || len(token) > maxToken {
		return Identity{}, invalidToken("this is no token")
	}
	if strings.Contains(token, ".") {
		if g.options.Audience == "" {
			return Identity{}, invalidToken("no tokens are taken here")
		}
		return g.verify(r.Context(), token)
	}
	who, err := Identity{}, error(errNobody)
	if g.options.ClientID != "" {
		who, err = g.introspect(r.Context(), token)
	}
	if g.options.Sessions && errors.Is(err, errNobody) {
		who, err = g.askSession(r, "Bearer", token)
	}
	if errors.Is(err, errNobody) {
		err = invalidToken("this token is not valid here, or no longer")
	}
	return who, err
}

// byCookie takes a session's cookie, but not for a write that another site had the browser make.
func (g *Guard) byCookie(r *http.Request) (Identity, error) {
	name := "sallyport"
	if strings.HasPrefix(g.options.Issuer, "https://") {
		name = "__Host-sallyport"
	}
	cookies := r.CookiesNamed(name)
	if len(cookies) != 1 || cookies[0].Value == "" || len(cookies[0].Value) > maxToken {
		return Identity{}, errNobody
	}
	if g.crossSite.Check(r) != nil {
		return Identity{}, &refusal{Status: http.StatusForbidden, Code: "cross_site", Detail: "this request came from another site"}
	}
	return g.askSession(r, name, cookies[0].Value)
}

// judge holds somebody to what is needed.
func (g *Guard) judge(who Identity, need Need) error {
	age := g.options.Now().Sub(who.AuthTime)
	switch {
	case !meets(who.ACR, need.ACR), need.MaxAge > 0 && (who.AuthTime.IsZero() || age > need.MaxAge+g.options.Leeway):
		return g.insufficient(who, need)
	case slices.ContainsFunc(need.Scopes, func(s string) bool { return !slices.Contains(who.Scopes, s) }):
		return insufficientScope(need.Scopes)
	case len(need.Groups) > 0 && !slices.ContainsFunc(need.Groups, func(name string) bool { return slices.Contains(who.Groups, name) }):
		return &refusal{Status: http.StatusForbidden, Code: "group_required", Detail: "this is for members of another group"}
	}
	return nil
}

// meets tells whether a context is as good as what is asked for.
func meets(acr, want string) bool {
	return want == "" || acr == "aal2" || want == "mfa" && acr == "mfa"
}
