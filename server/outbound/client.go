package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

const (
	answerWithin  = 10 * time.Second // of a whole request, its answer read
	connectWithin = 5 * time.Second
	headerBytes   = 64 << 10 // of an answer's header
)

// Client makes a client that talks to public addresses and those allowed alone. A name
// is looked up once, every address that it has is judged, and the very address that was
// judged is dialled, so that a second answer of the name's owner changes nothing.
// Redirects are answers like others, the environment's proxies are not used, and without
// TLS it talks to allowed addresses alone. Errors wrap ErrRefused where that was it.
func (a Allowed) Client() *http.Client { return newClient(guard{a, net.DefaultResolver.LookupNetIP}) }

// guard is what stands before every connection.
type guard struct {
	Allowed
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
}

func newClient(g guard) *http.Client {
	return &http.Client{
		Timeout:       answerWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: checked{g.Allowed, &http.Transport{
			Proxy:                  nil,
			DialContext:            g.dial,
			ForceAttemptHTTP2:      true,
			DisableCompression:     true, // a small answer stays small
			TLSHandshakeTimeout:    connectWithin,
			IdleConnTimeout:        30 * time.Second,
			MaxIdleConns:           20,
			MaxResponseHeaderBytes: headerBytes,
		}},
	}
}

// checked refuses requests by their URL alone.
type checked struct {
	allowed Allowed
	next    http.RoundTripper
}

// plainly marks the context of a request without TLS. Connections are kept by scheme, so
// what was dialled for one request serves others of its kind alone.
type plainly struct{}

// RoundTrip implements http.RoundTripper.
func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := c.allowed.CheckURL(r.URL.String()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if r.URL.Scheme == "http" {
		r = r.WithContext(context.WithValue(r.Context(), plainly{}, true))
	}
	return c.next.RoundTrip(r)
}

// CheckURL tells what is wrong with an address before anything is sent to it: it must be
// https with a host and without credentials. http is for allowed addresses, which names
// only turn out to be when they are looked up.
func (a Allowed) CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("can't be read as a URL")
	case u.Hostname() == "" || u.Opaque != "":
		return errors.New("must be scheme and host, such as https://app.example.com/hooks")
	case u.User != nil:
		return errors.New("must hold no user name or password")
	case u.Fragment != "":
		return errors.New("must have no fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || len(a) == 0):
		return errors.New("must be https")
	}
	host := u.Hostname()
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil && numeric(host):
		// 127.1, 2130706433, 0x7f.1: some resolvers read them as addresses.
		return fmt.Errorf("must have a name or a whole address: %w", ErrRefused)
	case err == nil && !a.takes(addr):
		return fmt.Errorf("must lead to a public address: %w", ErrRefused)
	case err == nil && u.Scheme == "http" && !a.lists(addr):
		return errors.New("must be https")
	}
	return nil
}

// numeric tells whether a host ends in a number, which makes it no name (WHATWG URL,
// "ends in a number").
func numeric(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	digits := "0123456789"
	if rest, ok := strings.CutPrefix(last, "0x"); ok {
		last, digits = rest+"0", digits+"abcdef"
	}
	return last != "" && strings.Trim(last, digits) == ""
}

// dial looks the host up, judges what it got and connects to the first address that
// answers. One that is refused among them refuses all: it is no mistake.
func (g guard) dial(ctx context.Context, network, hostport string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	plain := ctx.Value(plainly{}) != nil
	found, err := g.lookup(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	for _, addr := range found {
		if !g.takes(addr) || plain && !g.lists(addr) {
			return nil, fmt.Errorf("dial: %w", ErrRefused) // which one is nobody's business
		}
	}
	failed := error(&net.DNSError{Err: "no address", Name: host, IsNotFound: true})
	for _, addr := range found {
		conn, err := g.dialer().DialContext(ctx, network, net.JoinHostPort(addr.Unmap().String(), port))
		if err == nil {
			return conn, nil
		}
		failed = err
	}
	return nil, failed
}

// dialer judges once more what the kernel is about to connect to.
func (g guard) dialer() *net.Dialer {
	return &net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !g.takes(to.Addr()) {
			return ErrRefused
		}
		return nil
	}}
}
