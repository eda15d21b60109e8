package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// asServer has this test program be sallyport itself, so that a test can kill it.
const asServer = "TEST_PROGRAM_IS_SALLYPORT"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process runs `sallyport serve` as a process of its own.
func process(t *testing.T, address string) (*exec.Cmd, *app) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "serve")
	cmd.Env = append(os.Environ(), asServer+"=1")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	a := &app{b: t, url: "http://" + address, client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 20}}}
	a.awaitServer()
	return cmd, a
}

// ask is post for a server that may be gone: status 0.
func (a *app) ask(method, path, token string, body any) (status int, answer struct{ Token, Secret, State string }) {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return 0, answer
		}
	}
	request, err := http.NewRequestWithContext(a.b.Context(), method, a.url+path, bytes.NewReader(text))
	if err != nil {
		return 0, answer
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := a.client.Do(request)
	if err != nil {
		return 0, answer
	}
	defer func() { _ = response.Body.Close() }()
	if json.NewDecoder(response.Body).Decode(&answer) != nil {
		return 0, answer
	}
	return response.StatusCode, answer
}

// What kill -9 of the server leaves in the middle of a crowd that registers and sets
// its first factor up: what was answered is kept, what was not is done or not done,
// and everybody goes on.
func TestAttackKilledInTheMiddle(t *testing.T) {
	address := configure(t)
	t.Setenv("SALLYPORT_PASSWORD_MEMORY_KIB", "64")
	victim, a := process(t, address)

	const people = 20
	var kept [people]struct {
		account
		token string
		state string // as it was last answered
	}
	var answers atomic.Int32
	killed := make(chan struct{})
	var crowd sync.WaitGroup
	for i := range people {
		crowd.Go(func() {
			p := &kept[i]
			p.name = fmt.Sprint("person", i)
			registration := map[string]any{"email": p.name + "@example.com", "username": p.name, "password": appPassword, "transport": "bearer"}
			note := func(status int, answer struct{ Token, Secret, State string }) bool {
				if status == 0 || status >= 300 {
					return false
				}
				if answer.Token != "" {
					p.token = answer.Token
				}
				if answer.Secret != "" {
					p.secret = answer.Secret
				}
				if answer.State != "" {
					p.state = answer.State
				}
				if answers.Add(1) == people { // some are through, others not
					close(killed)
				}
				return true
			}
			if !note(a.ask(http.MethodPost, "/v1/accounts", "", registration)) || !note(a.ask(http.MethodPost, "/v1/me/totp", p.token, struct{}{})) {
				return
			}
			note(a.ask(http.MethodPost, "/v1/me/totp/confirm", p.token, map[string]any{"code": p.code(t)}))
		})
	}
	<-killed
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	crowd.Wait()
	_ = victim.Wait()

	_, a = process(t, address)
	for i := range kept {
		p := &kept[i]
		// A session that was answered stands where it stood, or one step further on with
		// a token that nobody heard of.
		if p.state == "authenticated" {
			if status, now := a.ask(http.MethodGet, "/v1/session", p.token, nil); status != 200 || now.State != p.state {
				t.Errorf("%s was signed in, and is %d %s", p.name, status, now.State)
			}
		}
		status, _ := a.ask(http.MethodPost, "/v1/accounts", "", map[string]any{"email": p.name + "@example.com", "username": p.name, "password": appPassword})
		if p.state != "" && status != http.StatusConflict || status != http.StatusConflict && status != http.StatusCreated {
			t.Errorf("%s, last %q, registers again: %d", p.name, p.state, status)
		}
		opened := a.post("/v1/login", "", map[string]any{"identifier": p.name, "password": appPassword, "transport": "bearer"}, http.StatusOK)
		switch {
		case opened.State == "second_factor_required" && p.secret != "":
			passed := a.post("/v1/verify/totp", opened.Token, map[string]any{"code": p.code(t)}, http.StatusOK)
			if passed.State != "authenticated" {
				t.Errorf("%s is %s after both doors", p.name, passed.State)
			}
		case opened.State == "enrolment_required" && p.state != "authenticated":
			begun := a.post("/v1/me/totp", opened.Token, struct{}{}, http.StatusOK)
			p.account = account{name: p.name, secret: begun.Secret}
			a.post("/v1/me/totp/confirm", opened.Token, map[string]any{"code": p.code(t)}, http.StatusOK)
		default:
			t.Errorf("%s, last %q, is %s now", p.name, p.state, opened.State)
		}
	}
}

// SIGTERM finishes what is in flight (FACTS: Hanko dropped a sign-in): a registration
// whose body is half there when the signal comes gets its answer.
func TestAttackTerminatedInFlight(t *testing.T) {
	address := configure(t)
	cmd, a := process(t, address)
	body := []byte(`{"email":"ada@example.com","username":"ada","password":"` + appPassword + `","transport":"bearer"}`)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	fmt.Fprintf(conn, "POST /v1/accounts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body))
	if _, err := conn.Write(body[:20]); err != nil {
		t.Fatal(err)
	}
	a.awaitServer() // another request went through meanwhile: ours was taken
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	a.client.CloseIdleConnections()
	for { // until it takes nobody else
		late, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			break
		}
		_ = late.Close()
	}
	if _, err := conn.Write(body[20:]); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("the request in flight got no answer: %v", err)
	}
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || response.StatusCode != http.StatusCreated {
		t.Errorf("the request in flight: %d %s %v", response.StatusCode, text, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}
