package guard

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// refusal is an answer to whoever is not let in: a problem document (RFC 9457) with a code
// that stays.
type refusal struct {
	Type   string  `json:"type"`
	Title  string  `json:"title"`
	Status int     `json:"status"`
	Code   string  `json:"code"`
	Detail string  `json:"detail"`
	StepUp *StepUp `json:"step_up,omitempty"`

	challenge []string // of WWW-Authenticate, beside Bearer
}

// Error implements error.
func (r *refusal) Error() string { return r.Code + ": " + r.Detail }

// StepUp is what lets a client go on that is refused for want of a proof.
type StepUp struct {
	ACR    string `json:"acr,omitempty"`
	MaxAge int    `json:"max_age,omitempty"` // seconds
	// URL is where people prove it: for a session a page, for a token the endpoint that an app
	// sends them to with a request of its own.
	URL string `json:"url"`
}

// errNobody is for who shows nothing, or something that is over.
var errNobody = &refusal{Status: http.StatusUnauthorized, Code: "session_required", Detail: "sign in first"}

// invalidToken refuses a token (RFC 6750 section 3.1).
func invalidToken(why string) error {
	return &refusal{
		Status: http.StatusUnauthorized, Code: "session_required", Detail: why,
		challenge: []string{`error="invalid_token"`, fmt.Sprintf("error_description=%q", why)},
	}
}

// insufficient asks for more proof, or a younger one (RFC 9470 section 3).
func (g *Guard) insufficient(who Identity, need Need) error {
	r := &refusal{
		Status: http.StatusUnauthorized, Code: "insufficient_user_authentication", Detail: "this takes a stronger or a more recent sign-in",
		StepUp:    &StepUp{ACR: need.ACR, MaxAge: int(need.MaxAge / time.Second), URL: g.options.Issuer + "/oauth/authorize"},
		challenge: []string{`error="insufficient_user_authentication"`, `error_description="this takes a stronger or a more recent sign-in"`},
	}
	if who.session {
		r.StepUp.URL = g.options.Issuer + "/confirm"
	}
	if need.ACR != "" {
		r.challenge = append(r.challenge, fmt.Sprintf("acr_values=%q", need.ACR))
	}
	if need.MaxAge > 0 {
		r.challenge = append(r.challenge, fmt.Sprintf(`max_age="%d"`, r.StepUp.MaxAge))
	}
	return r
}

// insufficientScope names what would do (RFC 6750 section 3.1).
func insufficientScope(scopes []string) error {
	return &refusal{
		Status: http.StatusForbidden, Code: "insufficient_scope", Detail: "this app was not granted that",
		challenge: []string{`error="insufficient_scope"`, fmt.Sprintf("scope=%q", strings.Join(scopes, " "))},
	}
}

// outage says that Sallyport could not be asked. Its cause is for the log.
type outage struct{ cause error }

// Error implements error.
func (o *outage) Error() string { return fmt.Sprintf("sallyport can't be asked: %v", o.cause) }

func unreachable(cause error) error { return &outage{cause} }

// refuse answers whoever is not let in.
func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, need Need, err error) {
	var why *refusal
	if !errors.As(err, &why) {
		g.options.Log.ErrorContext(r.Context(), "a request can't be judged", "error", err)
		why = &refusal{Status: http.StatusServiceUnavailable, Code: "unavailable", Detail: "it can't be told just now who you are: try again shortly"}
		w.Header().Set("Retry-After", strconv.Itoa(int(askWithin/time.Second)))
	}
	// What is answered depends on who asks.
	w.Header().Set("Cache-Control", "no-store")
	if why.Status == http.StatusUnauthorized && g.options.StepUp != nil && r.Header.Get("Sec-Fetch-Mode") == "navigate" {
		g.options.StepUp(w, r, need)
		return
	}
	if why.Status == http.StatusUnauthorized || len(why.challenge) > 0 {
		params := append([]string{fmt.Sprintf("realm=%q", g.options.Issuer)}, why.challenge...)
		w.Header().Set("WWW-Authenticate", "Bearer "+strings.Join(params, ", "))
	}
	told := *why
	told.Type, told.Title = "about:blank", http.StatusText(why.Status)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(why.Status)
	_ = json.NewEncoder(w).Encode(told)
}
