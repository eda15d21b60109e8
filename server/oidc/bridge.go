package oidc

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/rs/cors"
	"github.com/sallyport/sallyport/server/web"
)

// crossOrigin lets scripts of any origin talk to what apps talk to: none of it looks at a
// cookie, and who asks shows who they are by what they send.
var crossOrigin = &cors.Options{
	AllowedOrigins: []string{"*"}, AllowedMethods: []string{http.MethodGet, http.MethodPost},
	AllowedHeaders: []string{"Authorization", "Content-Type"},
}

// bridge hands a request to the net/http handler of the library. All that it keeps is
// copied first, for fasthttp's buffers are used again. A query is refused: secrets in
// addresses end in logs.
func (h *Handlers) bridge(c *fiber.Ctx) error {
	body, err := io.ReadAll(web.BodyReader(c))
	if err != nil {
		return err
	}
	if len(c.Request().URI().QueryString()) > 0 {
		return c.Status(http.StatusBadRequest).JSON(fiber.Map{"error": "invalid_request", "error_description": "send parameters in the body"})
	}
	r, err := http.NewRequestWithContext(c.UserContext(), strings.Clone(c.Method()), h.Origin+strings.Clone(c.Path()), bytes.NewReader(body))
	if err != nil {
		return err
	}
	c.Request().Header.VisitAll(func(name, value []byte) { r.Header.Add(string(name), string(value)) })
	r.Header.Del("Cookie")
	answer := &recorder{header: http.Header{}, status: http.StatusOK}
	h.machine.ServeHTTP(answer, r)
	for name, values := range answer.header {
		c.Response().Header.Del(name)
		for _, value := range values {
			c.Response().Header.Add(name, value)
		}
	}
	if answer.status == http.StatusBadRequest && bytes.Contains(answer.body.Bytes(), []byte(`"invalid_client"`)) {
		answer.status = http.StatusUnauthorized // RFC 6749 section 5.2
	}
	if answer.status == http.StatusUnauthorized {
		scheme := `Basic realm="sallyport"`
		if c.Path() == PathUserinfo {
			scheme = `Bearer error="invalid_token"`
		}
		c.Set(fiber.HeaderWWWAuthenticate, scheme)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Status(answer.status).Send(answer.body.Bytes())
}

// recorder keeps an answer until it is whole.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
