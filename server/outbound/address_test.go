package outbound

import (
	"net/netip"
	"testing"
)

func TestPublicAddresses(t *testing.T) {
	t.Parallel()
	for text, public := range map[string]bool{
		"1.1.1.1": true, "93.184.216.34": true, "172.15.255.255": true, "172.32.0.1": true, "100.63.255.255": true, "100.128.0.1": true,
		"223.255.255.255": true, "198.17.255.255": true, "2606:4700:4700::1111": true, "2a00:1450:4001:80b::200e": true, "::ffff:1.1.1.1": true,
		"64:ff9b::1.1.1.1": true, // what a resolver makes of 1.1.1.1 where there is no IPv4

		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "100.64.0.1": false, "127.0.0.1": false, "127.255.255.254": false,
		"169.254.169.254": false, "169.254.170.2": false, "172.16.0.1": false, "172.31.255.255": false, "192.0.0.192": false, "192.0.2.1": false,
		"192.88.99.1": false, "192.168.1.1": false, "198.18.0.1": false, "198.19.255.255": false, "198.51.100.7": false, "203.0.113.7": false,
		"224.0.0.1": false, "239.255.255.250": false, "240.0.0.1": false, "255.255.255.255": false, "168.63.129.16": false,

		"::": false, "::1": false, "::127.0.0.1": false, "::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::ffff:0:127.0.0.1": false,
		"64:ff9b::127.0.0.1": false, "64:ff9b::10.0.0.1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::1.1.1.1": false,
		"100::1": false, "2001::1": false, "2001:0:1:2::3": false, "2001:20::1": false, "2001:db8::1": false, "2002:7f00:1::": false, "2002:a00:1::1": false,
		"3fff::1": false, "4000::1": false, "5f00::1": false, "fc00::1": false, "fd00:ec2::254": false, "fe80::1": false, "fe80::1%eth0": false,
		"fec0::1": false, "ff02::1": false, "2606:4700::1%eth0": false,
	} {
		if got := Public(netip.MustParseAddr(text)); got != public {
			t.Errorf("%s: public %v", text, got)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address is a public one")
	}
}

func TestWhatIsAllowedIsListedAlone(t *testing.T) {
	t.Parallel()
	allowed, err := ParseAllowed([]string{"10.1.0.0/16", "127.0.0.1", "fd00::/8"})
	if err != nil {
		t.Fatal(err)
	}
	for text, takes := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "10.2.0.1": false, "127.0.0.1": true, "127.0.0.2": false, "fd00::1": true, "fd00::1%eth0": false,
		"fe80::1": false, "1.1.1.1": true,
	} {
		if got := allowed.takes(netip.MustParseAddr(text)); got != takes {
			t.Errorf("%s: taken %v", text, got)
		}
	}
	for _, bad := range []string{"", "localhost", "10.0.0.0/33", "10.1", "fe80::1%eth0", "::ffff:10.0.0.0/104"} {
		if _, err := ParseAllowed([]string{bad}); err == nil {
			t.Errorf("%q is taken for a network", bad)
		}
	}
}

func FuzzPublic(f *testing.F) {
	for _, seed := range []string{"\x7f\x00\x00\x01", "\x01\x01\x01\x01", "\x00\x64\xff\x9b\x00\x00\x00\x00\x00\x00\x00\x00\x0a\x00\x00\x01", "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		addr, ok := netip.AddrFromSlice(raw)
		if !ok {
			return
		}
		public := Public(addr)
		if public && (addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified() || !addr.IsGlobalUnicast()) {
			t.Errorf("%s is taken for public", addr)
		}
		if !addr.Is4() {
			return
		}
		// However an IPv4 address is dressed, it is judged as itself, or refused.
		four := addr.As4()
		mapped := netip.AddrFrom16(addr.As16())
		translated := nat64.Addr().As16()
		copy(translated[12:], four[:])
		var compatible, sixToFour [16]byte
		copy(compatible[12:], four[:])
		copy(sixToFour[:], []byte{0x20, 0x02, four[0], four[1], four[2], four[3]})
		if Public(mapped) != public || Public(netip.AddrFrom16(translated)) != public {
			t.Errorf("%s: %v by itself, else mapped or translated", addr, public)
		}
		if Public(netip.AddrFrom16(compatible)) || Public(netip.AddrFrom16(sixToFour)) {
			t.Errorf("%s is public in an obsolete dress", addr)
		}
	})
}
