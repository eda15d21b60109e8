package kubernetes_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/pquerna/otp/totp"
	"github.com/sallyport/sallyport/models/postgres"
	"github.com/sallyport/sallyport/models/postgres/pgtest"
	"github.com/sallyport/sallyport/models/seal"
	"golang.org/x/oauth2"
)

const password = "correct horse battery"

// provider is the program itself behind a proxy that speaks TLS, for API servers take no
// other issuer.
type provider struct {
	t      *testing.T
	issuer string
	ca     []byte // PEM
	client *http.Client
	bin    string
	store  *postgres.Store // over the program's own records and keys
}

func program(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../../.run/bin/sallyport")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("SALLYPORT_REQUIRE_TESTDATA") == "1" {
			t.Fatal("the program is not built: make build")
		}
		t.Skip("the program is not built: make build")
	}
	return path
}

func start(t *testing.T) *provider {
	t.Helper()
	p := &provider{t: t, bin: program(t)}
	records := pgtest.New(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	behind := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	door := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: behind})
		r.Out.Host = r.In.Host
		r.SetXForwarded()
	}})
	certificate := p.certify()
	door.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	door.StartTLS()
	t.Cleanup(door.Close)
	_, port, _ := net.SplitHostPort(door.Listener.Addr().String())
	p.issuer = "https://localhost:" + port

	dir := t.TempDir()
	for name, value := range map[string]string{
		"LISTEN": behind, "PUBLIC_URL": p.issuer, "DATABASE_URL": records.URL, "ACCOUNTS_EMAIL_VERIFICATION": "off", "PROXIES_TRUSTED": "127.0.0.1",
		"KEYS_SEAL_FILE": filepath.Join(dir, "seal.json"), "KEYS_DIGEST_FILE": filepath.Join(dir, "digest.key"), "FACE_ENABLED": "false", "LOG_LEVEL": "error",
	} {
		t.Setenv("SALLYPORT_"+name, value)
	}
	p.run("keys", "generate", "--dir", dir)
	p.store = postgres.New(records.Pool, sealer(t, dir), time.Now)
	serve := exec.CommandContext(context.WithoutCancel(t.Context()), p.bin, "serve")
	serve.Stderr = t.Output()
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = serve.Process.Signal(os.Interrupt)
		_ = serve.Wait()
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(p.ca)
	p.client = &http.Client{
		Jar: jar, Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		answer, err := p.client.Get(p.issuer + "/healthz")
		if err == nil {
			_ = answer.Body.Close()
		}
		if err == nil && answer.StatusCode == http.StatusOK {
			return p
		}
		if time.Now().After(deadline) {
			t.Fatal("the program does not answer")
		}
	}
}

// certify makes a certificate of an authority that nobody else knows.
func (p *provider) certify() tls.Certificate {
	p.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		p.t.Fatal(err)
	}
	p.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func sealer(t *testing.T, dir string) *seal.Sealer {
	t.Helper()
	keys, err := os.ReadFile(filepath.Join(dir, "seal.json"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := seal.New(keys, seal.Random(32)) // it looks no name up, so that the digest's key is all the same
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a command of the program and gives what it says.
func (p *provider) run(args ...string) string {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), p.bin, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

// newClient makes a client and gives its secret.
func (p *provider) newClient(id string, more ...string) string {
	p.t.Helper()
	out := p.run(append([]string{"client", "create", id, "--name", id, "--first-party", "--redirect-uri", p.issuer + "/callback", "--scope", "openid,profile,groups"}, more...)...)
	_, secret, ok := strings.Cut(out, "client_secret: ")
	if !ok {
		p.t.Fatalf("no secret: %s", out)
	}
	secret, _, _ = strings.Cut(secret, "\n")
	return secret
}

// post sends JSON as a browser of ours.
func (p *provider) post(path string, body any) (answer struct{ Secret string }) {
	p.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.issuer+path, bytes.NewReader(text))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := p.client.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	said, _ := io.ReadAll(response.Body)
	if response.StatusCode >= 300 {
		p.t.Fatalf("%s: %d %s", path, response.StatusCode, said)
	}
	_ = json.Unmarshal(said, &answer)
	return answer
}

// register signs a new person in, by password and authenticator app.
func (p *provider) register(name string, groups ...string) {
	p.t.Helper()
	p.post("/v1/accounts", map[string]any{"email": name + "@example.com", "username": name, "password": password})
	secret := p.post("/v1/me/totp", map[string]any{}).Secret
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	p.post("/v1/me/totp/confirm", map[string]any{"code": code})
	for _, group := range groups {
		p.run("group", "add", group, name)
	}
}

// tokens signs in to a client by the library that Kubernetes uses itself.
func (p *provider) tokens(id, secret string) (idToken, access string) {
	p.t.Helper()
	ctx := oidc.ClientContext(p.t.Context(), p.client)
	found, err := oidc.NewProvider(ctx, p.issuer)
	if err != nil {
		p.t.Fatal(err)
	}
	config := oauth2.Config{ClientID: id, ClientSecret: secret, Endpoint: found.Endpoint(), RedirectURL: p.issuer + "/callback", Scopes: []string{"openid", "profile", "groups"}}
	verifier := oauth2.GenerateVerifier()
	answer, err := p.client.Get(config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)))
	if err != nil {
		p.t.Fatal(err)
	}
	_ = answer.Body.Close()
	back, err := answer.Location()
	if err != nil || back.Query().Get("code") == "" {
		p.t.Fatalf("no code: %d to %v; %v", answer.StatusCode, back, err)
	}
	got, err := config.Exchange(ctx, back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		p.t.Fatal(err)
	}
	idToken, _ = got.Extra("id_token").(string)
	return idToken, got.AccessToken
}
