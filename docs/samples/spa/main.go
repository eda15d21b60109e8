// Command spa is a sample: a single-page app whose small server signs people in at
// Sallyport. The refresh token stays in a cookie that no script can read; the script gets
// access tokens that last minutes, and the API takes those alone.
//
//	sallyport client create spa --name "Sample" --first-party --token-format jwt \
//	    --redirect-uri http://localhost:5173/callback --logout-uri http://localhost:5173/ \
//	    --scope openid --scope profile --scope offline_access
//	ISSUER=http://localhost:8080 CLIENT_ID=spa CLIENT_SECRET=… go run ./docs/samples/spa
package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/sallyport/sallyport/server/guard"
	"golang.org/x/oauth2"
)

//go:embed page
var page embed.FS

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	origin := os.Getenv("ORIGIN")
	if origin == "" {
		origin = "http://localhost:5173"
	}
	app, err := newApp(ctx, os.Getenv("ISSUER"), os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET"), origin)
	if err != nil {
		return err
	}
	_, host, _ := strings.Cut(origin, "://")
	server := http.Server{Addr: host, Handler: app.routes(), ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

// app is the server in front of the page.
type app struct {
	config   oauth2.Config
	verifier *oidc.IDTokenVerifier
	end      string // where signing out goes on
	guard    *guard.Guard
	origin   string
}

func newApp(ctx context.Context, issuer, id, secret, origin string) (*app, error) {
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, fmt.Errorf("ISSUER: %w", err)
	}
	var also struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&also); err != nil {
		return nil, err
	}
	g, err := guard.New(guard.Options{Issuer: issuer, Audience: id})
	return &app{
		config: oauth2.Config{
			ClientID: id, ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: origin + "/callback",
			Scopes: []string{oidc.ScopeOpenID, "profile", oidc.ScopeOfflineAccess},
		},
		verifier: provider.Verifier(&oidc.Config{ClientID: id}), end: also.EndSession, guard: g, origin: origin,
	}, err
}

func (a *app) routes() http.Handler {
	mux := http.NewServeMux()
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // the folder is built in
	}
	mux.Handle("GET /", http.FileServerFS(files))
	mux.HandleFunc("GET /sign-in", a.signIn)
	mux.HandleFunc("GET /callback", a.callback)
	mux.HandleFunc("POST /token", a.token)
	mux.HandleFunc("POST /sign-out", a.signOut)
	mux.Handle("GET /api/hello", a.guard.Require(guard.Need{ACR: "mfa"})(http.HandlerFunc(hello)))
	// The cookie travels by itself, so writes of other sites are refused.
	return headers(http.NewCrossOriginProtection().Handler(mux))
}

// hello is the API: it knows people by their tokens and sees no cookie.
func hello(w http.ResponseWriter, r *http.Request) {
	who, _ := guard.From(r.Context())
	answer(w, map[string]string{"hello": who.Subject, "acr": who.ACR})
}

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// refused tells what the provider has ended from what may work in a moment.
func refused(err error) bool {
	var told *oauth2.RetrieveError
	return errors.As(err, &told) && told.ErrorCode == "invalid_grant"
}
