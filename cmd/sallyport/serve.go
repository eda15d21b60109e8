package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/worker"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres"
	"github.com/sallyport/sallyport/server"
	"github.com/sallyport/sallyport/server/face"
	"github.com/sallyport/sallyport/server/hook"
	"github.com/sallyport/sallyport/server/oidc"
	"github.com/sallyport/sallyport/server/policy"
)

const (
	policyEvery   = 500 * time.Millisecond // a change counts at its second look
	purgeEvery    = time.Minute
	placesEvery   = time.Minute
	requestWithin = 25 * time.Second
	frameBytes    = 1 << 20 // a frame of a capture, far larger than the page sends
	framePixels   = 4 << 20
)

type migrateCommand struct{}

// Run migrates.
func (migrateCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	config, err := c.configuration()
	if err != nil {
		return err
	}
	if err := migrate(ctx, config); err != nil {
		return err
	}
	fmt.Fprintln(out, "the schema is up to date")
	return nil
}

func migrate(ctx context.Context, config Config) error {
	conn, err := pgx.Connect(ctx, config.DatabaseURL)
	if err != nil {
		return fmt.Errorf("database.url: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return postgres.Migrate(ctx, conn)
}

type serveCommand struct {
	Migrate bool `help:"Bring the schema up to date first."`
}

// Run serves until it is told to stop.
func (s serveCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	config, err := c.configuration()
	if err != nil {
		return err
	}
	if s.Migrate {
		if err := migrate(ctx, config); err != nil {
			return err
		}
	}
	return serve(ctx, config, out)
}

// gcPercent lets the heap grow to four times what lives. Password hashes and pictures
// are large and short-lived: at Go's own 100 the collector runs for nearly each of
// them, and sign-ins beside a crowd of faces take a tenth longer (make bench-load).
const gcPercent = 300

// serve wires everything together and runs it until ctx ends.
func serve(ctx context.Context, config Config, out *os.File) error {
	if os.Getenv("GOGC") == "" { // an operator who has said something else knows better
		debug.SetGCPercent(gcPercent)
	}
	log := newLog(config)
	slog.SetDefault(slog.New(warnings{log.Handler()})) // what libraries tell of themselves
	sealer, err := config.sealer()
	if err != nil {
		return err
	}
	pool, err := openPool(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()
	store := postgres.New(pool, sealer, time.Now)
	if err := postgres.CheckSchema(ctx, pool); err != nil {
		return err
	}
	if err := syncClients(ctx, config, store); err != nil {
		return err
	}
	cohorts := &face.Cohorts{Store: store, Now: time.Now, Log: log}
	if err := cohorts.Load(ctx); err != nil {
		return err
	}
	policies, err := policy.Load(ctx, store, config.PolicyFile, policyDefaults(config), judges(cohortJudge(config, cohorts), botJudge(config), forwardJudge(config)), log)
	if err != nil {
		return err
	}
	places, err := config.places()
	if err != nil {
		return err
	}
	courier, stopPost, err := openPost(context.WithoutCancel(ctx), config, store, places, log)
	if err != nil {
		return err
	}
	defer stopPost()
	if courier != nil {
		store.MailPerHour = func() int { return policies.Current().Mail.PerHour }
	}
	for _, problem := range judges(botJudge(config), forwardJudge(config))(policies.Current()) { // the first policy is not judged
		return fmt.Errorf("policy: %s %s", problem.Key, problem.Message)
	}
	gateConfig := biometrics.DefaultGateConfig()
	gateConfig.MaxBytes, gateConfig.MaxPixels = frameBytes, framePixels
	gate, err := biometrics.NewGate(gateConfig)
	if err != nil {
		return err
	}
	// The workers outlive the requests: they stop after the listener did.
	engine, stopFace := startFace(context.WithoutCancel(ctx), config, log)
	defer stopFace()
	var previous biometrics.Engine
	if before, ok := config.previous(); ok {
		var stopPrevious func()
		previous, stopPrevious = startFace(context.WithoutCancel(ctx), before, log)
		defer stopPrevious()
	}
	breaches, err := config.breaches()
	if err != nil {
		return err
	}
	srv, err := server.New(server.Deps{
		Store: store, Breaches: breaches, Policies: policies, Digester: sealer, Engine: engine, Previous: previous, Gate: gate, Cohorts: cohorts, Places: places,
		Now: time.Now, Log: log, TouchEvery: postgres.TouchEvery,
		Options: server.Options{
			SiteName: config.SiteName, PublicURL: config.PublicURL, Demo: config.Demo, Proxies: config.Proxies,
			Argon2: config.Argon2, HashParallel: config.HashParallel, HashQueue: config.HashQueue, RequestWithin: requestWithin,
			Siteverify: config.Siteverify, Mails: courier != nil, VerifyEmails: config.VerifyEmails, Outbound: config.Outbound, Apps: config.Apps,
		},
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", config.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}

	hooks := hook.Messenger{Store: store, Client: config.Outbound.Client(), Now: time.Now}
	jobs, err := store.Jobs(chores{config, store, policies.Current, engine, cohorts, courier, logouts(config, store), hooks, log}.work(), config.Grace, log)
	if err != nil {
		return err
	}
	if err := jobs.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	defer func() {
		if err := jobs.Stop(); err != nil {
			log.Warn(err.Error())
		}
	}()

	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { policies.Watch(background, policyEvery) })
	running.Go(func() {
		hub := srv.Hub()
		store.Listen(background, postgres.Listener{
			SessionEnded: hub.SessionEnded, ChatPosted: srv.ChatPosted,
			CohortChanged: func() { cohorts.Reload(background) },
			LogoutNoted:   func() { queueLogouts(background, store, log) },
			Missed:        func() { hub.Missed(); cohorts.Reload(background); queueLogouts(background, store, log) },
		}, log)
	})
	running.Go(func() { purge(background, store, log) })
	running.Go(func() { rereadClients(background, config, store, log) })
	if places != nil {
		running.Go(func() { places.Watch(background, placesEvery, log) })
	}
	running.Go(func() { announce(background, out, config, engine, cohorts, policies.Current(), log) })
	defer running.Wait()
	defer stop()

	return srv.Serve(ctx, listener, config.Grace)
}

// logouts tells apps that sessions are over.
func logouts(config Config, store *postgres.Store) *oidc.Logouts {
	return &oidc.Logouts{
		Store: store, Keys: &oidc.Keys{Store: store, Now: time.Now}, Issuer: config.PublicURL.Scheme + "://" + config.PublicURL.Host, Now: time.Now,
		Client: config.Outbound.Client(),
	}
}

// queueLogouts has jobs tell apps of the sessions that ended. What it misses waits for
// the next end, or for the purge.
func queueLogouts(ctx context.Context, store *postgres.Store, log *slog.Logger) {
	if err := store.QueueLogouts(ctx); err != nil && ctx.Err() == nil {
		log.Warn("apps are told of ended sessions later", "error", err)
	}
}

func openPool(ctx context.Context, config Config) (*pgxpool.Pool, error) {
	settings, err := pgxpool.ParseConfig(config.DatabaseURL)
	if err != nil {
		return nil, errors.New("database.url: can't be read") // the cause may quote the password
	}
	settings.MaxConns = int32(config.DatabaseConns)
	pool, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return nil, fmt.Errorf("database.url: %w", err)
	}
	return pool, nil
}

// purge removes what has expired, until ctx ends.
func purge(ctx context.Context, store *postgres.Store, log *slog.Logger) {
	ticker := time.NewTicker(purgeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := store.Purge(ctx); err != nil && ctx.Err() == nil {
				log.Warn("expired rows could not be removed, trying again", "error", err)
			}
			queueLogouts(ctx, store, log)
		}
	}
}

// warnings lets through what somebody should look at.
type warnings struct{ slog.Handler }

// Enabled implements slog.Handler.
func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

func newLog(config Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: config.LogLevel}
	if config.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

// announce says where the server is and which factors are ready. It waits a
// moment for the face workers, which load their models while the server
// answers already.
func announce(ctx context.Context, out *os.File, config Config, engine biometrics.Engine, cohorts *face.Cohorts, current models.Policy, log *slog.Logger) {
	for range 50 {
		if status := engine.Status(); status.Ready || status.Reason != worker.Loading {
			break
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
	readiness := map[models.Factor]string{}
	for _, factor := range []models.Factor{models.Passkey, models.TOTP, models.Face} {
		readiness[factor] = "ready"
		if !current.Allows(factor) {
			readiness[factor] = "not allowed by the policy"
		}
	}
	if current.Allows(models.Face) {
		if why := faceTrouble(engine.Status(), cohorts, current.Face); why != "" {
			readiness[models.Face] = "unavailable: " + why
			if engine.Status().Ready { // else it was said when the workers failed
				log.Warn("face is unavailable", "reason", why)
			}
		} else {
			log.Warn(face.Statement)
		}
	}
	source := "built in"
	if config.PolicyFile != "" {
		source = config.PolicyFile
	}
	fmt.Fprintf(out, "Sallyport is serving on %s (listening on %s)\n", config.PublicURL, config.Listen)
	for _, factor := range []models.Factor{models.Passkey, models.TOTP, models.Face} {
		fmt.Fprintf(out, "  %-8s %s\n", factor, readiness[factor])
	}
	fmt.Fprintf(out, "  policy   %s, version %s\n", source, current.Version())
	if config.MailViewer != "" {
		fmt.Fprintf(out, "  mail     is not sent, but shown on http://%s\n", config.MailViewer)
	}
}

// faceTrouble is why face doesn't work, for the admin; "" when it does.
func faceTrouble(status biometrics.Status, cohorts *face.Cohorts, policy models.FacePolicy) string {
	if !status.Ready {
		return status.Reason
	}
	if _, err := cohorts.Yardstick(policy.Yardstick, status.Model); err != nil {
		return err.Error()
	}
	return ""
}
