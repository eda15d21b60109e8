package outbound

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// receiver counts what arrives at this machine.
func receiver(t *testing.T, answer http.HandlerFunc) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var arrived atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived.Add(1)
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server, &arrived
}

func fine(http.ResponseWriter, *http.Request) {}

// answers is a resolver that gives one answer after another, and the last for ever.
func answers(list ...string) func(context.Context, string, string) ([]netip.Addr, error) {
	var asked atomic.Int32
	return func(context.Context, string, string) (found []netip.Addr, err error) {
		n := min(int(asked.Add(1)), len(list))
		for _, text := range strings.Fields(list[n-1]) {
			found = append(found, netip.MustParseAddr(text))
		}
		return found, nil
	}
}

func get(client *http.Client, address string) error {
	response, err := client.Get(address)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	return err
}

var loopback = Allowed{netip.MustParsePrefix("127.0.0.1/32")}

func TestAttackTheNetworkWithinByItsAddress(t *testing.T) {
	t.Parallel()
	server, arrived := receiver(t, fine)
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	var connected atomic.Int32 // a handshake that fails has reached it all the same
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connected.Add(1)
		}
	}
	for _, scheme := range []string{"http", "https"} {
		for _, host := range []string{
			"127.0.0.1", "localhost", "0.0.0.0", "0", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "127.0.0.1.",
			"[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[0:0:0:0:0:ffff:7f00:0001]",
			"169.254.169.254", "[fd00:ec2::254]", "[fe80::1%25lo]",
		} {
			if err := get(Allowed(nil).Client(), scheme+"://"+net.JoinHostPort(strings.Trim(host, "[]"), port)+"/"); err == nil {
				t.Errorf("%s %s answered", scheme, host)
			}
			if err := get(Allowed(nil).Client(), scheme+"://"+host+":"+port+"/"); err == nil {
				t.Errorf("%s %s answered", scheme, host)
			}
		}
	}
	if n := connected.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
	// The same server is there for whom the configuration allows it.
	if err := get(loopback.Client(), server.URL); err != nil || arrived.Load() != 1 {
		t.Errorf("allowed: %v", err)
	}
}

// The name's owner answers with a public address first and with one of ours afterwards:
// what is dialled is what was judged, so the second answer is never asked for.
func TestAttackDNSRebinding(t *testing.T) {
	t.Parallel()
	server, arrived := receiver(t, fine)
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for name, lookup := range map[string]func(context.Context, string, string) ([]netip.Addr, error){
		"private at once":       answers("127.0.0.1"),
		"private beside public": answers("1.1.1.1 127.0.0.1"),
		"mapped":                answers("::ffff:127.0.0.1"),
		"none":                  answers(""),
	} {
		err := get(newClient(guard{nil, lookup}), "https://rebind.example:"+port+"/")
		if err == nil || name != "none" && !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	asked := 0
	g := guard{loopback, func(context.Context, string, string) ([]netip.Addr, error) {
		asked++
		if asked > 1 {
			return []netip.Addr{netip.MustParseAddr("127.0.0.2")}, nil
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}}
	conn, err := g.dial(t.Context(), "tcp", "rebind.example:"+port)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if to := conn.RemoteAddr().String(); asked != 1 || to != "127.0.0.1:"+port {
		t.Errorf("asked %d times, dialled %s", asked, to)
	}
	if _, err := g.dial(t.Context(), "tcp", "rebind.example:"+port); !errors.Is(err, ErrRefused) {
		t.Errorf("the second answer: %v", err)
	}
	if n := arrived.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

// Whatever the resolver was made to say, the connection itself is judged once more.
func TestTheDialerJudgesForItself(t *testing.T) {
	t.Parallel()
	server, _ := receiver(t, fine)
	conn, err := guard{}.dialer().DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if !errors.Is(err, ErrRefused) {
		t.Errorf("%v %v", conn, err)
	}
}

func TestAttackARedirectIntoTheNetworkWithin(t *testing.T) {
	t.Parallel()
	inside, reached := receiver(t, fine)
	for _, status := range []int{301, 302, 303, 307, 308} {
		outside, _ := receiver(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, inside.URL, status)
		})
		response, err := loopback.Client().Post(outside.URL, "application/json", strings.NewReader("{}"))
		if err != nil || response.StatusCode != status {
			t.Fatalf("%d: %v %v", status, response, err)
		}
		_ = response.Body.Close()
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

func TestThereIsNoProxy(t *testing.T) {
	proxy, passed := receiver(t, fine)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	transport := loopback.Client().Transport.(checked).next.(*http.Transport)
	if transport.Proxy != nil {
		t.Error("the environment says by what proxy to go")
	}
	server, arrived := receiver(t, fine)
	if err := get(loopback.Client(), server.URL); err != nil || arrived.Load() != 1 || passed.Load() != 0 {
		t.Errorf("%v, %d arrived, %d by the proxy", err, arrived.Load(), passed.Load())
	}
}

// Without TLS only what is allowed is talked to, also where a name leads elsewhere.
func TestWithoutTLSAllowedAddressesAlone(t *testing.T) {
	t.Parallel()
	client := newClient(guard{loopback, answers("1.1.1.1")})
	if err := get(client, "http://public.example/"); !errors.Is(err, ErrRefused) {
		t.Errorf("a public name: %v", err)
	}
	server, _ := receiver(t, fine)
	to, _ := url.Parse(server.URL)
	if err := get(newClient(guard{loopback, answers("127.0.0.1")}), "http://inside.example:"+to.Port()+"/"); err != nil {
		t.Errorf("an allowed name: %v", err)
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"https://app.example.com/hooks?x=1", "https://app.example.com:8443", "https://1.1.1.1/", "https://[2606:4700::1111]/", "https://127.0.0.1/", "http://127.0.0.1:9/", "http://inside.example/"} {
		if err := loopback.CheckURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "app.example.com", "/hooks", "https:app.example.com", "https://", "https://:443/", "ftp://app.example.com/", "file:///etc/passwd", "gopher://127.0.0.1/",
		"https://user@app.example.com/", "https://user:password@app.example.com/", "https://app.example.com/#x", "http://1.1.1.1/", "https://10.0.0.1/",
		"https://127.0.0.2/", "https://[::1]/", "https://127.1/", "https://0x7f000001/", "https://foo.0x7f/", "https://foo.1/", "https://1.2.3.4.5/", "https://a b/", "https://\x00/",
	} {
		if err := loopback.CheckURL(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if err := Allowed(nil).CheckURL("http://inside.example/"); err == nil {
		t.Error("http is taken where nothing is allowed")
	}
}
