package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// spa is the sample app beside a real Sallyport, and a browser.
type spa struct {
	t      *testing.T
	origin string
	door   string
	client *http.Client
}

func newSPA(t *testing.T) *spa {
	t.Helper()
	const secret = "the secret of the sample, which nobody else has"
	address, port := configure(t), freePort(t)
	s := &spa{t: t, origin: "http://localhost:" + port, door: "http://localhost:" + address[strings.LastIndex(address, ":")+1:]}
	clients := filepath.Join(t.TempDir(), "clients.yaml")
	text := fmt.Sprintf("clients:\n  - {id: spa, name: Sample, first_party: true, token_format: jwt, redirect_uris: [%q], scopes: [openid, profile, offline_access], secret_sha256: [%x]}\n",
		s.origin+"/callback", sha256.Sum256([]byte(secret)))
	if err := os.WriteFile(clients, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SALLYPORT_CLIENTS_FILE", clients)
	t.Setenv("SALLYPORT_PUBLIC_URL", s.door)
	process(t, address)

	program := filepath.Join(t.TempDir(), "spa")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../docs/samples/spa")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv("ISSUER", s.door)
	t.Setenv("ORIGIN", s.origin)
	t.Setenv("CLIENT_ID", "spa")
	t.Setenv("CLIENT_SECRET", secret)
	launch(t, program)
	awaitPort(t, port)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.client = &http.Client{Timeout: time.Minute, Jar: jar}
	return s
}

func awaitPort(t *testing.T, port string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", "localhost:"+port)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the sample does not answer")
		}
	}
}

// ask sends a request and reads what comes back, of JSON its fields.
func (s *spa) ask(client *http.Client, method, address string, header map[string]string, body string) (int, map[string]any) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	var said map[string]any
	_ = json.Unmarshal(text, &said) // pages have none
	return response.StatusCode, said
}

// cookie is what the browser keeps for the sample; scripts can't read it.
func (s *spa) cookie(name string) string {
	at, err := url.Parse(s.origin)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range s.client.Jar.Cookies(at) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// signIn makes an account with an authenticator app, and brings it to the sample.
func (s *spa) signIn() {
	s.t.Helper()
	asJSON := map[string]string{"Content-Type": "application/json"}
	if status, said := s.ask(s.client, "POST", s.door+"/v1/accounts", asJSON, `{"email":"ada@example.com","username":"ada","password":"correct horse battery"}`); status != http.StatusCreated {
		s.t.Fatalf("an account: %d %v", status, said)
	}
	_, said := s.ask(s.client, "POST", s.door+"/v1/me/totp", asJSON, "{}")
	code, err := totp.GenerateCode(fmt.Sprint(said["secret"]), time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	if status, said := s.ask(s.client, "POST", s.door+"/v1/me/totp/confirm", asJSON, `{"code":"`+code+`"}`); status != http.StatusOK {
		s.t.Fatalf("a factor: %d %v", status, said)
	}
	if status, _ := s.ask(s.client, "GET", s.origin+"/sign-in", nil, ""); status != http.StatusOK || s.cookie("refresh") == "" {
		s.t.Fatalf("to the sample: %d", status)
	}
}

// The pattern for single-page apps, with the sample that the documents show: a script gets
// tokens of minutes, its server keeps what renews them. Whoever uses an old one ends it for
// both, and signing out at Sallyport ends it too.
func TestAttackTheRefreshTokenOfASinglePageApp(t *testing.T) {
	s := newSPA(t)
	s.signIn()
	first := s.cookie("refresh")
	status, said := s.ask(s.client, "POST", s.origin+"/token", nil, "")
	token := map[string]string{"Authorization": "Bearer " + fmt.Sprint(said["access_token"])}
	if status != http.StatusOK || s.cookie("refresh") == first || said["refresh_token"] != nil {
		t.Fatalf("a token: %d %v", status, said)
	}
	if status, said := s.ask(http.DefaultClient, "GET", s.origin+"/api/hello", token, ""); status != http.StatusOK || said["acr"] != "aal2" {
		t.Errorf("the API: %d %v", status, said)
	}
	// The API takes no cookie, and other sites can't have the browser fetch a token.
	if status, _ := s.ask(s.client, "GET", s.origin+"/api/hello", nil, ""); status != http.StatusUnauthorized {
		t.Errorf("the API by a cookie: %d", status)
	}
	for _, header := range []map[string]string{{"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.example"}} {
		if status, _ := s.ask(s.client, "POST", s.origin+"/token", header, ""); status != http.StatusForbidden {
			t.Errorf("a token for %v: %d", header, status)
		}
	}
	// A way that began in another browser is not taken.
	stranger := &http.Client{Timeout: time.Minute}
	if status, _ := s.ask(stranger, "GET", s.origin+"/callback?code=x&state=y", nil, ""); status != http.StatusBadRequest {
		t.Errorf("somebody else's way: %d", status)
	}
	if status, _ := s.ask(s.client, "POST", s.origin+"/token", nil, ""); status != http.StatusOK {
		t.Fatalf("another token: %d", status)
	}
	// A thief who has the first one gets nothing, and what the owner has ends with it.
	thief := &http.Client{Timeout: time.Minute}
	if status, said := s.ask(thief, "POST", s.origin+"/token", map[string]string{"Cookie": "refresh=" + first}, ""); status != http.StatusUnauthorized {
		t.Errorf("an old refresh token: %d %v", status, said)
	}
	if status, _ := s.ask(s.client, "POST", s.origin+"/token", nil, ""); status != http.StatusUnauthorized || s.cookie("refresh") != "" {
		t.Errorf("its family: %d", status)
	}
	// The session stands, so its owner is back by a click; with the session it ends.
	if status, _ := s.ask(s.client, "GET", s.origin+"/sign-in", nil, ""); status != http.StatusOK {
		t.Fatalf("back: %d", status)
	}
	if status, _ := s.ask(s.client, "POST", s.origin+"/token", nil, ""); status != http.StatusOK {
		t.Errorf("back: %d", status)
	}
	if status, _ := s.ask(s.client, "DELETE", s.door+"/v1/session", nil, ""); status != http.StatusNoContent {
		t.Fatalf("signing out: %d", status)
	}
	if status, _ := s.ask(s.client, "POST", s.origin+"/token", nil, ""); status != http.StatusUnauthorized {
		t.Errorf("after signing out: %d", status)
	}
}
