// Package fiberguard is package guard for Fiber.
package fiberguard

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/server/guard"
)

// Require lets through who has what is needed: guard.From(c.UserContext()) tells who it is.
func Require(g *guard.Guard, need guard.Need) fiber.Handler {
	passed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.(*answer).passed = r })
	require := g.Require(need)(passed)
	return func(c *fiber.Ctx) error {
		r, err := request(c)
		if err != nil {
			return err
		}
		a := &answer{header: http.Header{}, status: http.StatusOK}
		require.ServeHTTP(a, r)
		if a.passed != nil {
			c.SetUserContext(a.passed.Context())
			return c.Next()
		}
		for name, values := range a.header {
			c.Set(name, strings.Join(values, ", "))
		}
		return c.Status(a.status).Send(a.body)
	}
}

// request copies what a guard looks at: what fasthttp lends is overwritten once the request
// is over, and a question to Sallyport may outlive it.
func request(c *fiber.Ctx) (*http.Request, error) {
	to, err := url.ParseRequestURI(strings.Clone(c.OriginalURL()))
	if err != nil {
		return nil, fiber.ErrBadRequest
	}
	header := http.Header{}
	for name, values := range c.GetReqHeaders() {
		for _, value := range values {
			header.Add(strings.Clone(name), strings.Clone(value))
		}
	}
	r := &http.Request{
		Method: strings.Clone(c.Method()), URL: to, Host: strings.Clone(string(c.Request().Host())), Header: header,
		RemoteAddr: c.Context().RemoteAddr().String(),
	}
	return r.WithContext(c.UserContext()), nil
}

// answer keeps what the guard says, until it is known whether it let the request through.
type answer struct {
	passed *http.Request
	header http.Header
	status int
	body   []byte
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *answer) Write(text []byte) (int, error) {
	a.body = append(a.body, text...)
	return len(text), nil
}
