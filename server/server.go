// Package server puts the parts together: the route table, the guard in front
// of it, and the life of the listener.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/mfa"
	"github.com/sallyport/sallyport/server/account"
	"github.com/sallyport/sallyport/server/admin"
	"github.com/sallyport/sallyport/server/auth"
	"github.com/sallyport/sallyport/server/chat"
	"github.com/sallyport/sallyport/server/face"
	"github.com/sallyport/sallyport/server/forward"
	"github.com/sallyport/sallyport/server/link"
	"github.com/sallyport/sallyport/server/live"
	"github.com/sallyport/sallyport/server/oidc"
	"github.com/sallyport/sallyport/server/outbound"
	"github.com/sallyport/sallyport/server/passkey"
	"github.com/sallyport/sallyport/server/place"
	"github.com/sallyport/sallyport/server/recovery"
	"github.com/sallyport/sallyport/server/remembered"
	"github.com/sallyport/sallyport/server/stepup"
	"github.com/sallyport/sallyport/server/totp"
	"github.com/sallyport/sallyport/server/transaction"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

// Store is everything the parts need of the records.
type Store interface {
	web.Store
	auth.Store
	account.Store
	passkey.Store
	totp.Store
	face.Store
	recovery.Store
	remembered.Store
	stepup.Store
	chat.Store
	link.Store
	admin.Store
	oidc.Store
	oidc.KeyStore
	forward.Store
	transaction.Store
	RecordSecondFactorFailed(ctx context.Context, by models.Session, factor models.Factor) error
	Ping(ctx context.Context) error
}

// Deps is what a server is made of.
type Deps struct {
	Store      Store
	Policies   web.Policies
	Digester   auth.Digester
	Breaches   auth.Breaches // nil where passwords are not looked up
	Engine     biometrics.Engine
	Previous   biometrics.Engine // the face net that was installed before; nil without one
	Cohorts    *face.Cohorts
	Places     *place.Database // nil where there is none
	Gate       *biometrics.Gate
	Signer     forward.Signer // of what apps are told; nil where nothing is signed
	Now        func() time.Time
	Log        *slog.Logger
	TouchEvery time.Duration
	Options
}

// Options is what the configuration says of the server.
type Options struct {
	SiteName      string
	PublicURL     *url.URL
	Demo          bool
	Proxies       web.TrustedProxies
	Argon2        auth.Argon2
	HashParallel  int // hashes at once
	HashQueue     int // that may wait
	RequestWithin time.Duration
	Siteverify    auth.Siteverify
	Mails         bool             // letters can be sent
	VerifyEmails  bool             // addresses count once they are proven; with Mails alone
	Outbound      outbound.Allowed // where webhooks may go beside public addresses
	Apps          passkey.Apps     // what uses the v1 surface and the passkeys beside our own pages
}

// Server answers HTTP.
type Server struct {
	app  *fiber.App
	hub  *live.Hub
	chat *chat.Handlers
	deps Deps
	door *web.Door
}

// maxBody is the largest body of any route; each route has its own limit.
// Pictures come by WebSocket, a frame a message.
const maxBody = 64 << 10

// New makes a server. The error names what in the options can't work.
func New(deps Deps) (*Server, error) {
	rendered, err := pages.New(deps.SiteName)
	if err != nil {
		return nil, err
	}
	party, err := passkey.NewParty(deps.SiteName, deps.PublicURL.Hostname(), origin(deps.PublicURL), deps.Apps)
	if err != nil {
		return nil, fmt.Errorf("public_url: %w", err)
	}
	door := &web.Door{
		Store: deps.Store, Policies: deps.Policies, Next: mfa.Next, Now: deps.Now, Log: deps.Log, Pages: rendered,
		Origin: origin(deps.PublicURL), Apps: deps.Apps.Origins, Mails: deps.Mails, VerifyEmails: deps.VerifyEmails, Secure: deps.PublicURL.Scheme == "https", Demo: deps.Demo, Proxies: deps.Proxies,
		TouchEvery: deps.TouchEvery,
	}
	hasher := auth.NewHasher(deps.Argon2, deps.HashParallel, deps.HashQueue)
	faces := &face.Handlers{
		Door: door, Store: deps.Store, Digester: deps.Digester, Engine: deps.Engine, Previous: deps.Previous, Gate: deps.Gate, Cohorts: deps.Cohorts,
	}
	door.FaceReady = func() bool { return faces.Unavailable(deps.Policies.Current()) == "" }
	hub := live.NewHub(door.States)
	room := &chat.Handlers{Door: door, Store: deps.Store, Tell: hub.Tell}
	keys := &oidc.Keys{Store: deps.Store, Now: deps.Now}
	signer := deps.Signer
	if signer == nil {
		signer = assertions{keys}
	}
	lines := &live.Handlers{Door: door, Hub: hub}
	s := &Server{deps: deps, hub: hub, chat: room, door: door}
	s.app = fiber.New(fiber.Config{
		AppName:                      "Sallyport",
		Immutable:                    true, // values of a request are kept beyond it
		BodyLimit:                    maxBody,
		DisablePreParseMultipartForm: true, // pictures never become temporary files
		StreamRequestBody:            true, // nobody's body is held before the guard let it in
		DisableStartupMessage:        true,
		ErrorHandler:                 door.ErrorHandler,
		ReadTimeout:                  20 * time.Second, // of a whole request; its handler has more
		WriteTimeout:                 30 * time.Second,
		IdleTimeout:                  90 * time.Second,
		ReadBufferSize:               16 << 10,
		StrictRouting:                true,
		CaseSensitive:                true,
	})
	provider := oidc.New(door, deps.Store, keys, s.place)
	parts := parts{
		auth: &auth.Handlers{
			Door: door, Store: deps.Store, Digester: deps.Digester, Hasher: hasher, Breaches: deps.Breaches, SiteName: deps.SiteName, Sources: auth.NewSources(deps.Now),
			Bots: &auth.Bots{
				Digester: deps.Digester, Store: deps.Store, Now: deps.Now, Log: deps.Log, Siteverify: deps.Siteverify, Client: http.DefaultClient,
			},
		},
		passkey:    &passkey.Handlers{Door: door, Store: deps.Store, Party: party, Apps: deps.Apps},
		totp:       &totp.Handlers{Door: door, Store: deps.Store, SiteName: deps.SiteName},
		face:       faces,
		recovery:   &recovery.Handlers{Door: door, Store: deps.Store, Hasher: hasher},
		remembered: &remembered.Handlers{Door: door, Store: deps.Store},
		account: &account.Handlers{Door: door, Store: deps.Store, Place: deps.Places.Place, Face: account.FaceFacts{
			Unavailable: faces.Unavailable, State: faces.PageState, Statement: face.Statement,
		}},
		admin:   &admin.Handlers{Door: door, Store: deps.Store, CheckURL: deps.Outbound.CheckURL, Stream: lines.Stream},
		stepUp:  &stepup.Handlers{Door: door, Store: deps.Store},
		chat:    room,
		live:    lines,
		link:    &link.Handlers{Door: door, Store: deps.Store},
		forward: &forward.Handlers{Door: door, Store: deps.Store, Signer: signer},
		oidc:    provider,
		transaction: &transaction.Handlers{
			Door: door, Store: deps.Store, Digester: deps.Digester, App: provider.AppByHeader, FaceUnavailable: faces.Unavailable, FaceState: faces.PageState,
		},
	}
	s.mount(parts)
	return s, nil
}

// assertions signs what proxies hand to the apps behind them.
type assertions struct{ keys *oidc.Keys }

// Sign implements forward.Signer. Its type keeps it from being taken for an ID token.
func (a assertions) Sign(ctx context.Context, claims any) (string, error) {
	return a.keys.Sign(ctx, "ES256", "assertion+jwt", claims)
}

// origin writes a URL's origin (RFC 6454 section 6.2).
func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// App gives the app for tests to call without a network.
func (s *Server) App() *fiber.App { return s.app }

// Hub gives the sockets, for whoever hears announcements.
func (s *Server) Hub() *live.Hub { return s.hub }

// ChatPosted hands a message that was announced to the room's sockets.
func (s *Server) ChatPosted(id models.ID) { s.chat.Posted(id) }

// Serve answers on a listener until ctx ends. What is being answered then is
// finished first, for at most the grace time.
func (s *Server) Serve(ctx context.Context, listener net.Listener, grace time.Duration) error {
	watching, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { s.hub.Watch(watching) })
	defer running.Wait()
	defer stop()
	failed := make(chan error, 1)
	go func() { failed <- s.app.Listener(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.hub.Close() // sockets would hold the shutdown up
	err := s.app.ShutdownWithTimeout(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("requests were still running after %s", grace)
	}
	return err
}
