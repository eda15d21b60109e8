package guard

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// mostAnswered is the longest answer that is read, in bytes.
const mostAnswered = 256 << 10

// introspect asks what an opaque token is (RFC 7662), at most once a second for each.
func (g *Guard) introspect(ctx context.Context, token string) (Identity, error) {
	return g.recent.ask(ctx, keyOf("token", token), func(ctx context.Context) (Identity, error) {
		var said struct {
			claims

			Active bool `json:"active"`
		}
		header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		// RFC 6749 section 2.3.1
		basic := http.Request{Header: header}
		basic.SetBasicAuth(url.QueryEscape(g.options.ClientID), url.QueryEscape(g.options.ClientSecret))
		status, err := g.call(ctx, http.MethodPost, "/oauth/introspect", header, strings.NewReader(url.Values{"token": {token}}.Encode()), &said)
		switch {
		case err != nil:
			return Identity{}, unreachable(err)
		case status != http.StatusOK:
			return Identity{}, unreachable(fmt.Errorf("introspection as %q was answered by %d", g.options.ClientID, status))
		case !said.Active:
			return Identity{}, errNobody
		}
		return g.accept(said.claims)
	})
}

// sessionBody is what is read of GET /v1/session.
type sessionBody struct {
	ID        string    `json:"id"`
	State     string    `json:"state"`
	ACR       string    `json:"acr"`
	AMR       []string  `json:"amr"`
	AuthTime  time.Time `json:"auth_time"`
	ExpiresAt time.Time `json:"expires_at"`
	Groups    []string  `json:"groups"`
	User      struct {
		ID string `json:"id"`
	} `json:"user"`
}

// askSession asks whose session a token is of, at most once a second for each. by is
// "Bearer", or the name of the cookie that it came in. A session that is not signed in
// with all that is asked of it is nobody's.
func (g *Guard) askSession(r *http.Request, by, token string) (Identity, error) {
	// The list of sessions shows where one was used. Sallyport believes it of programs that
	// it knows as its proxies.
	header := http.Header{"User-Agent": {r.UserAgent()}}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		header.Set("X-Forwarded-For", host)
	}
	if by == "Bearer" {
		header.Set("Authorization", "Bearer "+token)
	} else {
		header.Set("Cookie", by+"="+token)
	}
	return g.recent.ask(r.Context(), keyOf(by, token), func(ctx context.Context) (Identity, error) {
		var said sessionBody
		status, err := g.call(ctx, http.MethodGet, "/v1/session", header, nil, &said)
		switch {
		case err != nil:
			return Identity{}, unreachable(err)
		case status == http.StatusUnauthorized:
			return Identity{}, errNobody
		case status != http.StatusOK:
			return Identity{}, unreachable(fmt.Errorf("the session was answered by %d", status))
		case said.State != "authenticated" || said.User.ID == "":
			return Identity{}, errNobody
		}
		return Identity{
			Subject: said.User.ID, SessionID: said.ID, ACR: said.ACR, AMR: said.AMR, AuthTime: said.AuthTime,
			Groups: said.Groups, ExpiresAt: said.ExpiresAt, session: true,
		}, nil
	})
}

// call asks Sallyport and reads what a 200 holds into an answer.
func (g *Guard) call(ctx context.Context, method, path string, header http.Header, body io.Reader, into any) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, method, g.options.Issuer+path, body)
	if err != nil {
		return 0, err
	}
	if header != nil {
		request.Header = header
	}
	request.Header.Set("Accept", "application/json")
	response, err := g.options.HTTPClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return response.StatusCode, nil
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, mostAnswered))
	if err != nil {
		return 0, err
	}
	return response.StatusCode, json.Unmarshal(text, into)
}

// keyOf is what an answer is kept under: never the token itself.
func keyOf(kind, token string) [32]byte { return sha256.Sum256([]byte(kind + "\x00" + token)) }
