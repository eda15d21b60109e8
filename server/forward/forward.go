// Package forward answers proxies that ask whether a request may go on to an app, and
// brings browsers from Sallyport to the hosts of such apps. docs/forward-auth.md says how
// proxies are set up.
package forward

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// Store is what this part needs of the records.
type Store interface {
	SessionByHost(ctx context.Context, token models.TokenHash, host string) (models.Session, error)
	IssueHostCode(ctx context.Context, by models.Session, code models.HostCode) error
	EnterHost(ctx context.Context, code, binding models.TokenHash, host string) (session models.Session, token, to string, err error)
}

// Signer signs claims as a compact JWT (RFC 7519).
type Signer interface {
	Sign(ctx context.Context, claims any) (string, error)
}

// Handlers answers the requests of this part.
type Handlers struct {
	*web.Door
	Store  Store
	Signer Signer

	warned atomic.Int64 // when it was last logged that a proxy is not trusted, in Unix seconds
}

// below is what proxies hand to Sallyport on the hosts of apps.
const below = "/.sallyport/"

// origin is an app's (RFC 6454 section 6.2). Apps are served as Sallyport is: by https,
// but where everything is tried out on localhost.
func (h *Handlers) origin(host string) string {
	scheme, _, _ := strings.Cut(h.Origin, "://")
	return scheme + "://" + host
}

// app reads the name of a host that rules name. Sallyport's own is no app's: an app there
// could do whatever its pages do.
func (h *Handlers) app(text string) (string, error) {
	host, ok := models.ForwardHost(text)
	_, own, _ := strings.Cut(h.Origin, "://")
	if own, _ = models.ForwardHost(own); !ok || host == own || !h.Policies.Current().Forward.Names(host) {
		return "", unknown()
	}
	return host, nil
}

// rule is the one that judges a request target (RFC 9112 section 3.2.1) at an app.
func (h *Handlers) rule(host, target string) (models.ForwardRule, error) {
	path, ok := models.PathOf(target)
	if !ok {
		return models.ForwardRule{}, models.Refuse(models.CodeAmbiguousPath, "this address can be read in several ways: write it plainly")
	}
	if strings.HasPrefix(strings.ToLower(path)+"/", below) {
		return models.ForwardRule{}, models.Refuse(models.CodeProxyRefused, "the proxy has to hand "+below+" to sallyport")
	}
	rule, ok := h.Policies.Current().Forward.Rule(host, path)
	if !ok {
		return models.ForwardRule{}, unknown()
	}
	return rule, nil
}

func unknown() error { return models.Refuse(models.CodeAppUnknown, "no rule names this app") }

// trusted refuses what no trusted proxy sent, and says in the log what would change that.
func (h *Handlers) trusted(c *fiber.Ctx) error {
	if h.FromProxy(c) {
		return nil
	}
	now := h.Now().Unix()
	if before := h.warned.Load(); now-before >= 60 && h.warned.CompareAndSwap(before, now) {
		h.Log.Warn("a proxy asked about an app and is not trusted: name its address in proxies.trusted", "address", c.IP())
	}
	return models.Refuse(models.CodeProxyRefused, "this is for proxies that are trusted")
}

// one gives a header that has to be there exactly once: of two, proxies and we could
// believe different ones.
func one(c *fiber.Ctx, name string) (string, error) {
	lines := c.Request().Header.PeekAll(name)
	if len(lines) != 1 {
		return "", models.Refuse(models.CodeProxyRefused, "the proxy has to send "+name+" once")
	}
	return string(lines[0]), nil
}
