package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/sallyport/sallyport/models/postgres/pgtest"
)

// app signs accounts in at a running server, as native apps do.
type app struct {
	b        testing.TB
	url      string
	client   *http.Client
	accounts []*account
	next     int // of accounts to be signed in
}

type account struct {
	name, secret string
	step         int64 // the newest time step whose code was used
}

const (
	appPassword = "correct horse battery"
	totpPeriod  = 30 // seconds
)

// generous are limits that one client with many accounts does not meet.
const generous = `limits:
  registration: {max: 10000, window: 1h}
  login: {max: 10000, window: 1m}
  global: {max: 100000, window: 1m}
`

// startServer runs `sallyport serve` in this process, without face, on a Postgres
// schema of its own, and gives it accounts with authenticator apps.
func startServer(b *testing.B, accounts int) *app {
	b.Helper()
	address := configure(b)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- run(b.Context(), []string{"serve"}, null) }()
	b.Cleanup(func() {
		if err := <-stopped; err != nil {
			b.Error(err)
		}
	})
	a := &app{b: b, url: "http://" + address, client: &http.Client{Timeout: time.Minute}}
	a.awaitServer()
	for i := range accounts {
		a.register(fmt.Sprint("person", i))
	}
	return a
}

// configure sets the environment of a server without face that has a Postgres schema
// and keys of its own, and gives the address that it is to listen on.
func configure(b testing.TB) (address string) {
	b.Helper()
	fixture := pgtest.New(b)
	keys := b.TempDir()
	policy := filepath.Join(keys, "policy.yaml")
	if err := os.WriteFile(policy, []byte(generous), 0o600); err != nil {
		b.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address = listener.Addr().String()
	if err := listener.Close(); err != nil {
		b.Fatal(err)
	}
	for name, value := range map[string]string{
		"LISTEN": address, "PUBLIC_URL": "http://localhost:8080", "DATABASE_URL": fixture.URL, "ACCOUNTS_EMAIL_VERIFICATION": "off",
		"KEYS_SEAL_FILE": filepath.Join(keys, sealFile), "KEYS_DIGEST_FILE": filepath.Join(keys, digestFile),
		"POLICY_FILE": policy, "FACE_ENABLED": "false", "LOG_LEVEL": "error",
	} {
		b.Setenv("SALLYPORT_"+name, value)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	if err := run(b.Context(), []string{"keys", "generate", "--dir", keys}, null); err != nil {
		b.Fatal(err)
	}
	return address
}

// awaitServer asks until the server answers.
func (a *app) awaitServer() {
	a.b.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		answer, err := a.client.Get(a.url + "/healthz")
		if err == nil {
			_ = answer.Body.Close()
			return
		}
	}
	a.b.Fatal("the server does not answer")
}

// post sends JSON and gives the members of the answer that tests look at.
func (a *app) post(path, token string, body any, want int) (answer struct{ Token, Secret, State string }) {
	a.b.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		a.b.Fatal(err)
	}
	request, err := http.NewRequestWithContext(a.b.Context(), http.MethodPost, a.url+path, bytes.NewReader(text))
	if err != nil {
		a.b.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := a.client.Do(request)
	if err != nil {
		a.b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != want {
		a.b.Fatalf("%s: status %d, want %d", path, response.StatusCode, want)
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		a.b.Fatal(err)
	}
	return answer
}

// code is for a time step that was not used yet, among the three that are good now.
func (acc *account) code(b testing.TB) string {
	b.Helper()
	now := time.Now().Unix() / totpPeriod
	acc.step = max(acc.step+1, now-1)
	if acc.step > now+1 {
		b.Fatalf("%s signs in too often for its codes: more accounts are needed", acc.name)
	}
	code, err := totp.GenerateCode(acc.secret, time.Unix(acc.step*totpPeriod, 0))
	if err != nil {
		b.Fatal(err)
	}
	return code
}

func (a *app) register(name string) {
	a.b.Helper()
	made := a.post("/v1/accounts", "", map[string]any{
		"email": name + "@example.com", "username": name, "password": appPassword, "transport": "bearer",
	}, http.StatusCreated)
	begun := a.post("/v1/me/totp", made.Token, struct{}{}, http.StatusOK)
	acc := &account{name: name, secret: begun.Secret}
	a.post("/v1/me/totp/confirm", made.Token, map[string]any{"code": acc.code(a.b)}, http.StatusOK)
	a.accounts = append(a.accounts, acc)
}

// signIn signs the next account in and tells how long each of the two doors took.
func (a *app) signIn() (password, code time.Duration) {
	a.b.Helper()
	acc := a.accounts[a.next%len(a.accounts)]
	a.next++
	start := time.Now()
	opened := a.post("/v1/login", "", map[string]any{"identifier": acc.name, "password": appPassword, "transport": "bearer"}, http.StatusOK)
	password = time.Since(start)
	start = time.Now()
	passed := a.post("/v1/verify/totp", opened.Token, map[string]any{"code": acc.code(a.b)}, http.StatusOK)
	code = time.Since(start)
	if passed.State != "authenticated" {
		a.b.Fatalf("%s is %q after both doors", acc.name, passed.State)
	}
	return password, code
}
