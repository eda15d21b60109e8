package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// documented is the first block of a language in docs/forward-auth.md, so that what
// people copy is what is tried.
func documented(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/forward-auth.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\n```"+language+"\n")
	block, _, closed := strings.Cut(rest, "\n```\n")
	if !ok || !closed {
		t.Fatalf("docs/forward-auth.md has no block of %s", language)
	}
	return block + "\n"
}

// adapt replaces parts of a documented configuration, each of which has to be there.
func adapt(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the documented configuration has no %q", pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

// proxyProgram skips where a proxy isn't, and fails where nothing may be skipped.
func proxyProgram(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if _, err := os.Stat("/usr/sbin/" + name); err == nil {
		return "/usr/sbin/" + name
	}
	if os.Getenv("SALLYPORT_REQUIRE_TESTDATA") == "1" {
		t.Fatalf("%s is not installed: make test installs it", name)
	}
	t.Skipf("%s is not installed: make test installs it", name)
	return ""
}

func launch(t *testing.T, name string, args ...string) {
	t.Helper()
	// Not killed when the test ends: nginx's workers would outlive it.
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_DATA_HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
}

// behind is an app behind a proxy that asks Sallyport.
type behind struct {
	t      *testing.T
	port   string // of the proxy
	app    string // the app's origin
	door   string // Sallyport's
	client *http.Client
}

// echo is what the app heard.
type echo struct {
	Path   string
	Header http.Header
}

// guardedApp starts Sallyport, an app, and between them what proxy starts.
func guardedApp(t *testing.T, proxy func(t *testing.T, port, sallyport, app string)) *behind {
	t.Helper()
	address, port := configure(t), freePort(t)
	_, own, _ := net.SplitHostPort(address)
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	rules := adapt(t, documented(t, "yaml"), "app.example.com", "app.localhost:"+port) +
		"    - {host: \"open.localhost:" + port + "\", public: true}\n"
	if err := os.WriteFile(policy, []byte(generous+rules), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SALLYPORT_POLICY_FILE", policy)
	t.Setenv("SALLYPORT_PROXIES_TRUSTED", "127.0.0.1")
	t.Setenv("SALLYPORT_PUBLIC_URL", "http://localhost:"+own)
	process(t, address)

	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			talk(w)
			return
		}
		_ = json.NewEncoder(w).Encode(echo{r.RequestURI, r.Header})
	}))
	t.Cleanup(app.Close)
	proxy(t, port, address, strings.TrimPrefix(app.URL, "http://"))

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	dialer := &net.Dialer{}
	b := &behind{t: t, port: port, app: "http://app.localhost:" + port, door: "http://localhost:" + own, client: &http.Client{
		Timeout: time.Minute, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, _ := net.SplitHostPort(address)
			return dialer.DialContext(ctx, network, "127.0.0.1:"+port)
		}},
	}}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = conn.Close()
			return b
		}
		if time.Now().After(deadline) {
			t.Fatal("the proxy does not answer")
		}
	}
}

// talk takes a connection over and says back what it hears, line by line.
func talk(w http.ResponseWriter) {
	conn, lines, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "heard "+line)
	}
}

var (
	page   = map[string]string{"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
	script = map[string]string{"Accept": "application/json", "Sec-Fetch-Mode": "cors"}
)

// do sends a request and gives status, where it leads, and what the app heard.
func (b *behind) do(method, address string, header map[string]string, body string) (int, string, echo) {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var heard echo
	if response.StatusCode == http.StatusOK {
		_ = json.NewDecoder(response.Body).Decode(&heard) // Sallyport's own answers are other JSON
	}
	return response.StatusCode, response.Header.Get("Location"), heard
}

// follow opens a page and goes where it leads, until something is shown.
func (b *behind) follow(address string) (int, string, echo) {
	b.t.Helper()
	for range 10 {
		status, to, heard := b.do(http.MethodGet, address, page, "")
		if status < 300 || status >= 400 {
			return status, address, heard
		}
		base, err := url.Parse(address)
		if err != nil {
			b.t.Fatal(err)
		}
		next, err := base.Parse(to)
		if err != nil {
			b.t.Fatal(err)
		}
		address = next.String()
	}
	b.t.Fatalf("led on and on, at last to %s", address)
	return 0, "", echo{}
}

// call uses the v1 surface as a page of Sallyport does, with its cookies.
func (b *behind) call(method, path string, body any, want int) (answer struct{ Secret string }) {
	b.t.Helper()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			b.t.Fatal(err)
		}
	}
	request, err := http.NewRequestWithContext(b.t.Context(), method, b.door+path, bytes.NewReader(text))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != want {
		b.t.Fatalf("%s: %d", path, response.StatusCode)
	}
	_ = json.NewDecoder(response.Body).Decode(&answer) // some have no body
	return answer
}

// raw sends a request as it is written, which clients would tidy up, and gives its status.
func (b *behind) raw(lines ...string) (int, net.Conn, *bufio.Reader) {
	b.t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+b.port)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		b.t.Fatal(err)
	}
	fmt.Fprintf(conn, "%s\r\n\r\n", strings.Join(lines, "\r\n"))
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return response.StatusCode, conn, reader
}

// cookies are those that the browser has at the app, as a header.
func (b *behind) cookies() string {
	at, err := url.Parse(b.app)
	if err != nil {
		b.t.Fatal(err)
	}
	var list []string
	for _, c := range b.client.Jar.Cookies(at) {
		list = append(list, c.Name+"="+c.Value)
	}
	return "Cookie: " + strings.Join(list, "; ")
}

func nginx(t *testing.T, port, sallyport, app string) {
	t.Helper()
	dir := t.TempDir()
	server := adapt(t, documented(t, "nginx"),
		"listen 443 ssl;", "listen 127.0.0.1:"+port+";", "server_name app.example.com;", "server_name app.localhost open.localhost;",
		"    ssl_certificate     /etc/ssl/app.example.com.pem;\n", "", "    ssl_certificate_key /etc/ssl/app.example.com.key;\n", "",
		"https://$host$request_uri", "https://$host:"+port+"$request_uri", "X-Forwarded-Host $host;", "X-Forwarded-Host $host:"+port+";",
		"127.0.0.1:3000", app, "127.0.0.1:8080", sallyport)
	config := "daemon off; pid " + dir + "/pid; error_log stderr crit; worker_processes 1; events {}\nhttp {\naccess_log off;\n"
	if os.Getuid() == 0 { // its workers would be nobody, whom the test's folder is closed to
		config = "user root; " + config
	}
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		config += kind + "_temp_path " + dir + "/" + kind + ";\n"
	}
	if err := os.WriteFile(dir+"/nginx.conf", []byte(config+server+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	launch(t, proxyProgram(t, "nginx"), "-e", "stderr", "-p", dir, "-c", dir+"/nginx.conf")
}

func caddy(t *testing.T, port, sallyport, app string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "Caddyfile")
	site := adapt(t, documented(t, "caddyfile"),
		"app.example.com {", "http://app.localhost:"+port+", http://open.localhost:"+port+" {", "127.0.0.1:3000", app, "127.0.0.1:8080", sallyport)
	if err := os.WriteFile(file, []byte("{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n\tlog {\n\t\tlevel ERROR\n\t}\n}\n"+site), 0o600); err != nil {
		t.Fatal(err)
	}
	launch(t, proxyProgram(t, "caddy"), "run", "--config", file, "--adapter", "caddyfile")
}

func TestAttackAnAppBehindNginx(t *testing.T) {
	proxyProgram(t, "nginx")
	guardedApp(t, nginx).tried()
}

func TestAttackAnAppBehindCaddy(t *testing.T) {
	proxyProgram(t, "caddy")
	guardedApp(t, caddy).tried()
}

// tried goes through what people and attackers do.
func (b *behind) tried() {
	t := b.t
	want := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	status := func(what, path string, header map[string]string, expected int) echo {
		t.Helper()
		got, _, heard := b.do(http.MethodGet, b.app+path, header, "")
		want(what, got, expected)
		return heard
	}
	spoofed := map[string]string{
		"X-Forwarded-Host": "open.localhost:" + b.port, "X-Forwarded-Uri": "/public", "X-Forwarded-Method": "GET", "X-Original-URL": "https://open.localhost:" + b.port + "/public",
		"X-Original-Method": "GET", "X-Forwarded-For": "127.0.0.1", "Accept": "application/json", "Sallyport-Location": "https://evil.example/",
	}
	identities := []string{"Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email", "Sallyport-Acr", "Sallyport-Assertion"}
	for _, name := range identities {
		spoofed[name] = "admin"
	}
	nobody := func(what string, heard echo) {
		t.Helper()
		for _, name := range identities {
			if got := strings.Join(heard.Header.Values(name), ""); got != "" {
				t.Errorf("%s: the app heard %s: %s", what, name, got)
			}
		}
	}

	// Signed out.
	if heard := status("a public path", "/public/a%20b?x=%2f", script, 200); heard.Path != "/public/a%20b?x=%2f" {
		t.Errorf("the app was asked for %q", heard.Path)
	}
	nobody("a spoofed public path", status("a spoofed public path", "/public", spoofed, 200))
	status("a script", "/data", script, 401)
	status("spoofed headers", "/data", spoofed, 401)
	got, to, _ := b.do(http.MethodGet, b.app+"/notes?x=1", page, "")
	want("a page", got, 302)
	if want := b.app + "/.sallyport/start?rd=%2Fnotes%3Fx%3D1"; to != want {
		t.Errorf("led to %s, not %s", to, want)
	}
	got, _, _ = b.do(http.MethodPost, b.app+"/form", page, "a=b")
	want("a form", got, 401)
	for _, target := range []string{"/public/../data", "/public/..%2fdata", "/public/%2e%2e/data", "/public//data", "/public/..;/data", "/public/%252e%252e/data", "/public/%5c../data"} {
		got, _, _ := b.raw("GET "+target+" HTTP/1.1", "Host: app.localhost:"+b.port)
		want(target, got, 403)
	}
	// The host of the request line is the one that counts, to the proxy and to us.
	got, _, _ = b.raw("GET "+b.app+"/data HTTP/1.1", "Host: open.localhost:"+b.port)
	want("another host in Host", got, 401)

	// The password alone.
	credentials := map[string]any{"email": "ada@example.com", "username": "ada", "password": appPassword}
	b.call(http.MethodPost, "/v1/accounts", credentials, 201)
	acc := &account{name: "ada", secret: b.call(http.MethodPost, "/v1/me/totp", struct{}{}, 200).Secret}
	b.call(http.MethodPost, "/v1/me/totp/confirm", map[string]any{"code": acc.code(t)}, 200)
	b.call(http.MethodDelete, "/v1/session", nil, 204)
	b.call(http.MethodPost, "/v1/login", map[string]any{"identifier": "ada", "password": appPassword}, 200)
	got, at, _ := b.follow(b.app + "/notes")
	want("half signed in", got, 200)
	if !strings.HasPrefix(at, b.door+"/verify?next=%2Fforward%2Fcontinue") {
		t.Errorf("half signed in, led to %s", at)
	}
	status("half signed in", "/data", script, 401)

	// Both factors.
	b.call(http.MethodPost, "/v1/verify/totp", map[string]any{"code": acc.code(t)}, 200)
	got, at, heard := b.follow(b.app + "/notes?x=1")
	want("signed in", got, 200)
	if at != b.app+"/notes?x=1" || heard.Header.Get("Remote-User") != "ada" || heard.Header.Get("Sallyport-Acr") != "aal2" {
		t.Errorf("signed in, at %s: %v", at, heard.Header)
	}
	status("level 2", "/strong", script, 200)
	status("the wrong group", "/staff", page, 403)
	if got, _, _ := b.follow(b.app + "/staff"); got != 403 {
		t.Errorf("the wrong group: %d", got)
	}
	if heard := status("spoofed headers", "/data", spoofed, 200); heard.Header.Get("Remote-User") != "ada" || strings.Contains(fmt.Sprint(heard.Header["Remote-Groups"], heard.Header["Remote-Email"]), "admin") {
		t.Errorf("the app heard %v", heard.Header)
	}
	nobody("a spoofed public path", status("a spoofed public path", "/public", spoofed, 200))
	got, _, _ = b.do(http.MethodPost, b.app+"/form", map[string]string{"Content-Encoding": "gzip", "Sec-Fetch-Site": "cross-site"}, strings.Repeat("x", 200_000))
	want("a large upload from another site", got, 200)
	got, _, _ = b.do(http.MethodGet, strings.Replace(b.app, "app.", "open.", 1)+"/", script, "")
	want("another app", got, 200)

	// A WebSocket through the proxy.
	upgrade := []string{"GET /socket HTTP/1.1", "Host: app.localhost:" + b.port, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}
	got, _, _ = b.raw(upgrade...)
	want("a stranger's socket", got, 401)
	got, conn, lines := b.raw(append(upgrade, b.cookies())...)
	want("a socket", got, 101)
	fmt.Fprintln(conn, "hello")
	if line, err := lines.ReadString('\n'); err != nil || line != "heard hello\n" {
		t.Errorf("the socket said %q, %v", line, err)
	}

	// The session ends in the middle.
	b.call(http.MethodDelete, "/v1/session", nil, 204)
	status("signed out", "/data", script, 401)
	status("signed out", "/notes", page, 302)
}
