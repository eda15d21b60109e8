// Command go is an app that keeps its users and passwords, and asks Sallyport for the second
// factor before it pays. It needs the standard library alone:
//
//	SALLYPORT=https://login.example.com CLIENT_ID=bank CLIENT_SECRET=… APP=https://bank.example.com LISTEN=:3000 go run .
//
// Its sign-in is left out: whoever names themselves by ?as=ana is Ana here, as if her
// password had been right.
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	action  = "Send 40 EUR to Ana"
	details = "To: DE12 5001 0517 0648 4898 90"
	purpose = "payment"
)

// payment waits for its confirmation.
type payment struct{ subject, hash string }

type app struct {
	sallyport, self, id, secret string
	page                        string
	mu                          sync.Mutex
	waiting                     map[string]payment // by transaction; guarded by mu
}

func main() {
	page, err := os.ReadFile(env("PAGE", "../page.html"))
	if err != nil {
		log.Fatal(err)
	}
	a := &app{
		sallyport: os.Getenv("SALLYPORT"), self: os.Getenv("APP"), id: os.Getenv("CLIENT_ID"), secret: os.Getenv("CLIENT_SECRET"),
		page: string(page), waiting: map[string]payment{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.home)
	mux.HandleFunc("POST /pay", a.pay)
	mux.HandleFunc("GET /confirmed", a.confirmed)
	mux.HandleFunc("POST /confirmed", a.confirmed)
	server := &http.Server{Addr: env("LISTEN", ":3000"), Handler: http.NewCrossOriginProtection().Handler(mux), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

func env(name, or string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return or
}

// user is who is signed in at the app.
func user(r *http.Request) string {
	if as := r.URL.Query().Get("as"); as != "" {
		return as
	}
	if c, err := r.Cookie("user"); err == nil {
		return c.Value
	}
	return "ana"
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "user", Value: user(r), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(a.self, "https:")})
	a.show(w, user(r), "")
}

func (a *app) show(w http.ResponseWriter, subject, outcome string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	fill := strings.NewReplacer("SALLYPORT", a.sallyport, "USER", html.EscapeString(subject), "OUTCOME", html.EscapeString(outcome))
	_, _ = fill.WriteString(w, a.page)
}

// pay begins a confirmation, and binds it to this browser by a state that only it and the
// app know.
func (a *app) pay(w http.ResponseWriter, r *http.Request) {
	subject, state, display := user(r), rand.Text()+rand.Text(), r.FormValue("display")
	var begun struct{ ID, URL string }
	err := a.ask(r, "/v1/transactions", map[string]any{
		"subject": subject, "display_name": subject, "context": map[string]string{"action": action, "details": details}, "purpose": purpose,
		"return_to": a.self + "/confirmed", "state": state, "display": display,
		// The password was just right, so a first factor may be set up on the app's word.
		// Never say so for anybody else.
		"enrol": true,
	}, &begun)
	if err != nil {
		log.Print(err)
		http.Error(w, "Not paid: something went wrong.", http.StatusBadGateway)
		return
	}
	a.mu.Lock()
	a.waiting[begun.ID] = payment{subject, hashOf(subject)}
	a.mu.Unlock()
	http.SetCookie(w, &http.Cookie{
		Name: "confirm-" + begun.ID, Value: state, Path: "/", MaxAge: 660, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(a.self, "https:"),
	})
	if display == "page" {
		http.Redirect(w, r, begun.URL, http.StatusSeeOther)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"url": begun.URL})
}

// hashOf is what the result has to say if what was shown is what is about to be done: the
// SHA-256 of the context as canonical JSON (RFC 8785).
func hashOf(subject string) string {
	var canonical bytes.Buffer
	encoder := json.NewEncoder(&canonical)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(map[string]string{"action": action, "details": details, "purpose": purpose, "subject": subject}) // maps are sorted
	sum := sha256.Sum256(bytes.TrimSuffix(canonical.Bytes(), []byte("\n")))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// confirmed ends a confirmation by what came back: in the address, or from the page's script
// after a pop-up or a frame.
func (a *app) confirmed(w http.ResponseWriter, r *http.Request) {
	outcome := a.end(r)
	if r.Method == http.MethodPost {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(outcome))
		return
	}
	a.show(w, user(r), outcome)
}

func (a *app) end(r *http.Request) string {
	id := r.FormValue("transaction")
	a.mu.Lock()
	found, ok := a.waiting[id]
	a.mu.Unlock()
	state, err := r.Cookie("confirm-" + id)
	if !ok || err != nil || !same(state.Value, r.FormValue("state")) || r.FormValue("iss") != a.sallyport || found.subject != user(r) {
		return "Not paid: this is not your confirmation."
	}
	a.mu.Lock()
	delete(a.waiting, id)
	a.mu.Unlock()
	if r.FormValue("code") == "" {
		return "Not paid: you turned it down."
	}
	var result struct {
		Status, Subject, ACR string
		AMR                  []string
		ContextHash          string `json:"context_hash"`
	}
	err = a.ask(r, "/v1/transactions/"+url.PathEscape(id)+"/result", map[string]string{"code": r.FormValue("code")}, &result)
	if err != nil {
		log.Print(err)
		return "Not paid: something went wrong."
	}
	if result.Status != "passed" || result.Subject != found.subject || !same(result.ContextHash, found.hash) {
		return "Not paid: something else was confirmed."
	}
	return fmt.Sprintf("Paid, confirmed by %s (%s).", strings.Join(result.AMR, " "), result.ACR)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

var client = &http.Client{Timeout: 10 * time.Second}

// ask calls Sallyport as the app.
func (a *app) ask(r *http.Request, path string, body, answer any) error {
	doc, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, a.sallyport+path, bytes.NewReader(doc))
	if err != nil {
		return err
	}
	request.SetBasicAuth(url.QueryEscape(a.id), url.QueryEscape(a.secret))
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 != 2 {
		var problem struct{ Code, Detail string }
		_ = json.NewDecoder(response.Body).Decode(&problem)
		return fmt.Errorf("%s answered %d %s: %s", path, response.StatusCode, problem.Code, problem.Detail)
	}
	return json.NewDecoder(response.Body).Decode(answer)
}
