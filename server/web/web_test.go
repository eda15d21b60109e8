package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

func FuzzSafeNext(f *testing.F) {
	for _, seed := range []string{"/chat", "//evil.example", "/\\evil.example", "/%2f/evil.example", "https://evil.example", "/a?b=c#d", "/\t/evil.example", "javascript:alert(1)", "/.//evil.example", "/x/..//evil.example", "/%2e//evil.example", "/.%2f/evil.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, next string) {
		safe := SafeNext(next)
		if safe == "" {
			return
		}
		base, _ := url.Parse("https://here.example/login")
		// A browser drops tabs and line breaks and reads \ as /.
		seen := strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(safe)
		target, err := base.Parse(seen)
		// Used again as it was resolved, as scripts do, it must stay here too.
		if again, err := base.Parse(target.EscapedPath()); err != nil || again.Host != "here.example" {
			t.Errorf("%q leads to %v in the end, %v", next, again, err)
		}
		if err != nil || target.Host != "here.example" || target.Scheme != "https" || strings.HasPrefix(seen, "//") {
			t.Errorf("%q leads to %v %v", next, target, err)
		}
	})
}

func TestClientBehindProxies(t *testing.T) {
	t.Parallel()
	// fiber's test requests come from 0.0.0.0.
	trusted, err := ParseTrustedProxies([]string{"0.0.0.0", "10.0.0.0/8", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		proxies   TrustedProxies
		forwarded string
		want      string
	}{
		{nil, "203.0.113.9", "0.0.0.0"}, // nobody is believed
		{trusted, "", "0.0.0.0"},
		{trusted, "203.0.113.9", "203.0.113.9"},
		{trusted, "198.51.100.1, 203.0.113.9", "203.0.113.9"}, // the first is the client's own word
		{trusted, "203.0.113.9, 10.1.2.3", "203.0.113.9"},
		{trusted, "203.0.113.9, 2001:db8::1", "203.0.113.9"},
		{trusted, "nonsense", "0.0.0.0"},
		{trusted, "198.51.100.1\n203.0.113.9", "203.0.113.9"}, // a proxy that adds a line of its own
	} {
		d := &Door{Proxies: c.proxies}
		app := fiber.New()
		got := ""
		app.Get("/", d.FindClient, func(c *fiber.Ctx) error {
			got = Client(c).IP
			return nil
		})
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.Header["X-Forwarded-For"] = strings.Split(c.forwarded, "\n")
		if _, err := app.Test(request); err != nil {
			t.Fatal(err)
		}
		if got != c.want {
			t.Errorf("%q: got %s, want %s", c.forwarded, got, c.want)
		}
	}
	if _, err := ParseTrustedProxies([]string{"nowhere"}); err == nil {
		t.Error("took a name for a network")
	}
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	for ip, want := range map[string]string{
		"192.0.2.77": "192.0.2.0/24", "::ffff:192.0.2.77": "192.0.2.0/24",
		"2001:db8:1:2ff::1": "2001:db8:1:200::/56", "2001:db8:1:2aa::9": "2001:db8:1:200::/56", "x": "x",
	} {
		if got := network(ip); got != want {
			t.Errorf("%s: got %s, want %s", ip, got, want)
		}
	}
}

func TestEveryCodeHasAStatus(t *testing.T) {
	t.Parallel()
	for code, status := range statuses {
		if status < 400 || status > 599 {
			t.Errorf("%s: %d", code, status)
		}
	}
	if statuses[models.CodeUnavailable] != 503 || statuses[models.CodeInternal] != 500 {
		t.Error("out of reach and internal are told apart by status")
	}
}
