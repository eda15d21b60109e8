// Package outbound makes requests to addresses that somebody typed, such as those of
// webhooks, without ever reaching into the network that the server stands in.
package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// ErrRefused says that an address is not for us to talk to: it is not public, and the
// configuration doesn't allow it.
var ErrRefused = errors.New("the address is not a public one")

// Allowed are the networks that may be talked to although they are not public. Nil
// allows public addresses alone.
type Allowed []netip.Prefix

// ParseAllowed reads networks ("10.1.0.0/16") and addresses.
func ParseAllowed(list []string) (Allowed, error) {
	var allowed Allowed
	for _, s := range list {
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			var addr netip.Addr
			addr, err = netip.ParseAddr(s)
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		if err != nil || prefix.Addr().Is4In6() || strings.Contains(s, "%") { // a zone is of one machine
			return nil, fmt.Errorf("%q is neither an address nor a network", s)
		}
		allowed = append(allowed, prefix)
	}
	return allowed, nil
}

// lists tells whether an address is allowed by name.
func (a Allowed) lists(addr netip.Addr) bool {
	addr = addr.Unmap()
	for _, p := range a {
		if p.Contains(addr) { // never one with a zone
			return true
		}
	}
	return false
}

// takes tells whether an address may be talked to.
func (a Allowed) takes(addr netip.Addr) bool { return Public(addr) || a.lists(addr) }

// special are the IPv4 networks that are not public: IANA's registry of special-purpose
// addresses (RFC 6890) without those that it calls globally reachable, and multicast.
var special = networks(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32", // public by its number, and Azure's host to whoever runs there
)

// special6 are those within 2000::/3, outside of which no IPv6 address is public:
// protocols with Teredo, which carries an IPv4 address, documentation, and 6to4, which
// carries one as well.
var special6 = networks("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")

var (
	global = netip.MustParsePrefix("2000::/3")
	// nat64 carries an IPv4 address in its last 32 bits (RFC 6052): what a resolver of a
	// network without IPv4 answers with.
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

// Public tells whether an address is one of the public Internet, for whoever asks from
// wherever.
func Public(addr netip.Addr) bool {
	addr = addr.Unmap()
	switch {
	case !addr.IsValid() || addr.Zone() != "":
		return false
	case addr.Is4():
		return !within(special, addr)
	case nat64.Contains(addr):
		b := addr.As16()
		return Public(netip.AddrFrom4([4]byte(b[12:])))
	default:
		return global.Contains(addr) && !within(special6, addr)
	}
}

func within(list []netip.Prefix, addr netip.Addr) bool {
	for _, p := range list {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

func networks(list ...string) (prefixes []netip.Prefix) {
	for _, s := range list {
		prefixes = append(prefixes, netip.MustParsePrefix(s))
	}
	return prefixes
}
