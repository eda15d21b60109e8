package forward

import (
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

// asked is a request to an app, as a proxy tells of it.
type asked struct {
	method string
	host   string // as it was sent
	target string // likewise: path and query
}

// byNginx reads what nginx's auth_request is told to send: the URL and the method.
func byNginx(c *fiber.Ctx) (a asked, err error) {
	address, err := one(c, "X-Original-URL")
	if err != nil {
		return a, err
	}
	if a.method, err = one(c, "X-Original-Method"); err != nil {
		return a, err
	}
	scheme, rest, ok := strings.Cut(address, "://")
	slash := strings.IndexByte(rest, '/')
	if !ok || slash < 0 || scheme != "https" && scheme != "http" {
		return a, models.Refuse(models.CodeProxyRefused, "the proxy has to send the whole address in X-Original-URL")
	}
	a.host, a.target = rest[:slash], rest[slash:]
	return a, nil
}

// byForward reads the headers that Caddy and Traefik send.
func byForward(c *fiber.Ctx) (a asked, err error) {
	if a.host, err = one(c, fiber.HeaderXForwardedHost); err != nil {
		return a, err
	}
	if a.target, err = one(c, "X-Forwarded-Uri"); err != nil {
		return a, err
	}
	a.method, err = one(c, "X-Forwarded-Method")
	return a, err
}

// byEnvoy reads Envoy's request, which is the app's own below a path of ours. The target
// is taken as it came, with its query.
func byEnvoy(c *fiber.Ctx) (a asked, err error) {
	if a.host, err = one(c, fiber.HeaderHost); err != nil {
		return a, err
	}
	a.target = strings.TrimPrefix(string(c.Request().Header.RequestURI()), "/authz/envoy")
	a.method = c.Method()
	return a, nil
}

// navigates tells whether a person waits for a page, who can be led to sign in. A script
// that asks for data can't.
func (a asked) navigates(c *fiber.Ctx) bool {
	if a.method != fiber.MethodGet && a.method != fiber.MethodHead || c.Get(fiber.HeaderXRequestedWith) != "" {
		return false
	}
	if mode := c.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(c.Get(fiber.HeaderAccept), "text/html")
}
