package web

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

// TrustedProxies are the networks of which is believed for whom a request is, and for
// which app.
type TrustedProxies []netip.Prefix

// ParseTrustedProxies reads networks ("10.0.0.0/8") and addresses.
func ParseTrustedProxies(list []string) (TrustedProxies, error) {
	var proxies TrustedProxies
	for _, s := range list {
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			addr, err := netip.ParseAddr(s)
			if err != nil {
				return nil, fmt.Errorf("%q is neither an address nor a network", s)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		proxies = append(proxies, prefix)
	}
	return proxies, nil
}

func (t TrustedProxies) contains(addr netip.Addr) bool {
	for _, p := range t {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// FindClient notes where the request comes from. Behind a trusted proxy that
// is the last address in X-Forwarded-For that no trusted proxy has: whatever
// stands before it the client may have written himself.
func (d *Door) FindClient(c *fiber.Ctx) error {
	client := models.Client{IP: c.IP(), UserAgent: truncate(c.Get(fiber.HeaderUserAgent), 512)}
	if d.FromProxy(c) {
		// Some proxies add a line of their own below the client's.
		lines := bytes.Join(c.Request().Header.PeekAll(fiber.HeaderXForwardedFor), []byte(","))
		hops := strings.Split(string(lines), ",")
		for i := len(hops) - 1; i >= 0; i-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break
			}
			client.IP = hop.Unmap().String()
			if !d.Proxies.contains(hop.Unmap()) {
				break
			}
		}
	}
	c.Locals(keyClient, client)
	return c.Next()
}

// FromProxy tells whether the request was sent by a trusted proxy, which may say what it
// was asked for.
func (d *Door) FromProxy(c *fiber.Ctx) bool {
	addr, err := netip.ParseAddr(c.IP())
	return err == nil && d.Proxies.contains(addr.Unmap())
}

// Network is where a request comes from, as coarse as a household or an office.
func Network(c *fiber.Ctx) string { return network(Client(c).IP) }

// network is what is counted for an address: a /24 of IPv4, a /56 of IPv6,
// which one customer commonly has to himself.
func network(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	bits := 56
	if addr = addr.Unmap(); addr.Is4() {
		bits = 24
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return ip
	}
	return prefix.String()
}

func truncate(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "")
}
