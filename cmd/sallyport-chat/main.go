// Command sallyport-chat is the sample app: a small chat that signs people in by Sallyport
// and knows nothing of passwords, codes or faces. It has its own port, its own users by
// their `sub`, and its own sessions. docs/tutorial.md builds it step by step.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/oauth2"
)

//go:embed schema.sql
var schema string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		slog.Error("the chat ends", "error", err)
		os.Exit(1)
	}
}

// chat is the app.
type chat struct {
	url      string // its own, without a slash at the end
	issuer   string
	end      string // where signing out goes on
	config   oauth2.Config
	verifier *oidc.IDTokenVerifier
	records  *records
	lines    *lines
	stream   streamKeys
	now      func() time.Time
}

func run(ctx context.Context) error {
	listen := env("CHAT_LISTEN", "localhost:8090")
	pool, err := open(ctx, os.Getenv("CHAT_DATABASE_URL"))
	if err != nil {
		return fmt.Errorf("CHAT_DATABASE_URL: %w", err)
	}
	defer pool.Close()
	c, err := newChat(ctx, pool, env("CHAT_URL", "http://"+listen), env("CHAT_ISSUER", "http://localhost:8080"), os.Getenv("CHAT_CLIENT_ID"), os.Getenv("CHAT_CLIENT_SECRET"))
	if err != nil {
		return err
	}
	c.stream = streamKeys{key: os.Getenv("CHAT_STREAM_KEY"), secret: os.Getenv("CHAT_STREAM_SECRET")}
	server := http.Server{Addr: listen, Handler: c.routes(), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		c.lines.closeAll()
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(late)
	}()
	slog.Info("the chat is on", "url", c.url)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// open makes the tables where they are missing, in a schema of the chat's own.
func open(ctx context.Context, url string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.ConnConfig.RuntimeParams["search_path"] = "sample_chat"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if _, err := pool.Exec(ctx, schema); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

// newChat finds the issuer's addresses and keys by discovery.
func newChat(ctx context.Context, pool *pgxpool.Pool, url, issuer, id, secret string) (*chat, error) {
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, fmt.Errorf("CHAT_ISSUER: %w", err)
	}
	var also struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&also); err != nil {
		return nil, err
	}
	return &chat{
		url: url, issuer: issuer, end: also.EndSession,
		config: oauth2.Config{
			ClientID: id, ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: url + "/callback",
			Scopes: []string{oidc.ScopeOpenID, "profile"},
		},
		verifier: provider.Verifier(&oidc.Config{ClientID: id}),
		records:  &records{pool: pool}, lines: newLines(), now: time.Now,
	}, nil
}
