// Package pgtest gives tests a store on a real Postgres, each in a database of
// its own that goes when the test ends.
package pgtest

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres"
	"github.com/sallyport/sallyport/models/seal"
)

// Clock is a clock that tests set. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts at the present second, so that what the database and other
// parties think of the time agrees.
func NewClock() *Clock { return &Clock{now: time.Now().UTC().Truncate(time.Second)} }

// Now gives the time that was set.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Fixture is a store with what it stands on.
type Fixture struct {
	*postgres.Store
	Pool   *pgxpool.Pool
	URL    string // of its database, for programs of their own
	Sealer *seal.Sealer
	Clock  *Clock
}

// New makes a migrated database and a store over it. Without
// SALLYPORT_TEST_DATABASE_URL the test is skipped, or fails where
// SALLYPORT_REQUIRE_TESTDATA=1 demands that nothing is.
func New(t testing.TB) *Fixture {
	t.Helper()
	url := os.Getenv("SALLYPORT_TEST_DATABASE_URL")
	if url == "" {
		if os.Getenv("SALLYPORT_REQUIRE_TESTDATA") == "1" {
			t.Fatal("SALLYPORT_TEST_DATABASE_URL is not set: make test starts a Postgres and sets it")
		}
		t.Skip("no SALLYPORT_TEST_DATABASE_URL: make test starts a Postgres and sets it")
	}
	ctx := context.Background()
	template, err := prepared(url)
	if err != nil {
		t.Fatal(err)
	}
	name := "t_" + strings.ReplaceAll(string(models.NewID(time.Now())), "-", "")
	admin, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	if err := clone(ctx, admin, name, template); err != nil {
		t.Fatal(err)
	}
	own := database(url, name)
	config, err := pgxpool.ParseConfig(own)
	if err != nil {
		t.Fatal(err)
	}
	// What a test wrote need not outlive the machine, and its disk may be slow.
	config.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	config.MaxConns = 16
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		pool.Close()
		if _, err := admin.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
		_ = admin.Close(ctx)
	})
	keys, err := seal.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := seal.New(keys, seal.Random(32))
	if err != nil {
		t.Fatal(err)
	}
	clock := NewClock()
	return &Fixture{Store: postgres.New(pool, sealer, clock.Now), Pool: pool, URL: own, Sealer: sealer, Clock: clock}
}
