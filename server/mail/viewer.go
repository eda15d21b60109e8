package mail

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// keptMessages is how many letters a viewer remembers.
const keptMessages = 200

//go:embed viewer.html
var viewerFile embed.FS

// Viewer takes letters in place of a mail server and shows them, for whoever tries
// Sallyport out. It keeps the last of them in memory. It is safe for concurrent use.
type Viewer struct {
	from string
	now  func() time.Time
	page *template.Template

	mu   sync.Mutex
	seen int
	kept []viewed // oldest first
}

type viewed struct {
	ID      int       `json:"id"`
	At      time.Time `json:"at"`
	From    string    `json:"from"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	HTML    string    `json:"html"`
}

// NewViewer makes a viewer of mail from an address.
func NewViewer(from string, now func() time.Time) (*Viewer, error) {
	page, err := template.ParseFS(viewerFile, "viewer.html")
	if err != nil {
		return nil, fmt.Errorf("mail viewer: %w", err)
	}
	return &Viewer{from: from, now: now, page: page}, nil
}

// Send keeps a letter.
func (v *Viewer) Send(_ context.Context, m Message) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seen++
	v.kept = append(v.kept, viewed{v.seen, v.now().UTC(), v.from, m.To, m.Subject, m.Text, m.HTML})
	if len(v.kept) > keptMessages {
		v.kept = v.kept[1:]
	}
	return nil
}

// letters are those that are kept, newest first, or the one with an id.
func (v *Viewer) letters(id int) []viewed {
	v.mu.Lock()
	defer v.mu.Unlock()
	list := []viewed{}
	for i := len(v.kept) - 1; i >= 0; i-- {
		if id == 0 || v.kept[i].ID == id {
			list = append(list, v.kept[i])
		}
	}
	return list
}

// Handler shows the list at /, one letter at /{id}, its HTML alone at /{id}/html,
// and everything as JSON at /letters.json.
func (v *Viewer) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { v.show(w, v.letters(0), false) })
	mux.HandleFunc("GET /letters.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v.letters(0)) // whoever asked has gone
	})
	mux.HandleFunc("GET /{id}", func(w http.ResponseWriter, r *http.Request) {
		if found := v.byPath(w, r); found != nil {
			v.show(w, found, true)
		}
	})
	mux.HandleFunc("GET /{id}/html", func(w http.ResponseWriter, r *http.Request) {
		if found := v.byPath(w, r); found != nil {
			// A letter runs no script and loads nothing, as in a mail program.
			w.Header().Set("Content-Security-Policy", "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'")
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(strings.Replace(found[0].HTML, "<head>", `<head><base target="_blank">`, 1))) //nolint:gosec // a letter of our own, in a sandbox
		}
	})
	return loopbackOnly(mux)
}

func (v *Viewer) byPath(w http.ResponseWriter, r *http.Request) []viewed {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil || id < 1 {
		http.NotFound(w, r)
		return nil
	}
	found := v.letters(id)
	if len(found) == 0 {
		http.NotFound(w, r)
		return nil
	}
	return found
}

func (v *Viewer) show(w http.ResponseWriter, letters []viewed, one bool) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = v.page.Execute(w, map[string]any{"Letters": letters, "One": one}) // whoever asked has gone
}

// loopbackOnly refuses requests that were made for another host: a page elsewhere
// could give its own name this machine's address and read what is here.
func loopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !isLoopback(host) {
			http.Error(w, "this is for this machine alone", http.StatusForbidden)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// CheckViewer refuses an address for a viewer that others could reach.
func CheckViewer(address string) error {
	host, port, err := net.SplitHostPort(address)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		return fmt.Errorf("must be host:port, is %q", address)
	}
	if !isLoopback(host) {
		return fmt.Errorf("must be on this machine, such as 127.0.0.1:8025, for it shows everybody's mail; is %q", address)
	}
	return nil
}

// Serve shows letters on a listener until ctx ends.
func (v *Viewer) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: v.Handler(), ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("mail viewer: %w", err)
	}
	return nil
}
