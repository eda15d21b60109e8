package main

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
)

//go:embed page
var page embed.FS

var pages = template.Must(template.ParseFS(page, "page/index.html"))

// view is what the page shows.
type view struct {
	Name    string // of who is signed in; "" for nobody
	Issuer  string
	Problem string
}

// routes are open, or for whoever is signed in; what can't be undone is an act of its own.
func (c *chat) routes() http.Handler {
	files, err := fs.Sub(page, "page/static")
	if err != nil {
		panic(err) // the folder is built in
	}
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(files)))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { c.page(w, r, http.StatusOK, view{}) })
	mux.HandleFunc("GET /sign-in", c.signIn)
	mux.HandleFunc("GET /callback", c.callback)
	mux.HandleFunc("POST /sign-out", c.signOut)
	mux.HandleFunc("POST /logout/backchannel", c.backchannelLogout)

	mux.HandleFunc("GET /rooms", c.guarded(c.app))
	mux.HandleFunc("GET /rooms/{id}", c.guarded(c.app))

	mux.HandleFunc("GET /api/me", c.api("", c.me))
	mux.HandleFunc("GET /api/rooms", c.api("", c.listRooms))
	mux.HandleFunc("POST /api/rooms", c.api("", c.makeRoom))
	mux.HandleFunc("DELETE /api/rooms/{id}", c.api("delete-room", c.deleteRoom))
	mux.HandleFunc("GET /api/rooms/{id}/messages", c.api("", c.listMessages))
	mux.HandleFunc("POST /api/rooms/{id}/messages", c.api("", c.say))
	mux.HandleFunc("GET /socket/{id}", c.api("", c.socket))
	mux.HandleFunc("POST /api/stream-token", c.api("", c.streamToken))
	// The cookie travels by itself, so writes of other sites are refused.
	return c.headers(http.NewCrossOriginProtection().Handler(mux))
}

func (c *chat) headers(next http.Handler) http.Handler {
	at, err := url.Parse(c.end)
	if err != nil {
		panic(err) // discovery gave an address
	}
	// Signing out is a form that goes on at the issuer.
	policy := "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' " + at.Scheme + "://" + at.Host
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// app is the page of whoever is signed in.
func (c *chat) app(w http.ResponseWriter, r *http.Request, s session) {
	c.page(w, r, http.StatusOK, view{Name: s.Name})
}

func (c *chat) page(w http.ResponseWriter, r *http.Request, status int, v view) {
	v.Issuer = c.issuer
	var out bytes.Buffer
	if err := pages.Execute(&out, v); err != nil {
		c.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = out.WriteTo(w)
}
