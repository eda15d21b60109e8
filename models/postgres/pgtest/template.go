package pgtest

import (
	"context"
	"crypto/sha256"
	"fmt"
	neturl "net/url"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/migrations"
	"github.com/sallyport/sallyport/models/postgres"
)

// templateLock is the advisory lock that keeps whoever migrates the template and
// those who copy it apart: a database that somebody is in can't be copied.
const templateLock = 0x70677465 // "pgte"

// prepared migrates the database that those of the tests are copies of, once a
// process. Migrating one for each test took longer than most tests do.
func prepared(url string) (string, error) {
	template.once.Do(func() { template.name, template.err = prepare(context.Background(), url) })
	return template.name, template.err
}

var template struct {
	once sync.Once
	name string
	err  error
}

// prepare names the template by the migrations, so that a changed one is never
// taken for the one before.
func prepare(ctx context.Context, url string) (string, error) {
	sum := sha256.New()
	files, err := migrations.Files.ReadDir(".")
	if err != nil {
		return "", err
	}
	for _, f := range files {
		text, err := migrations.Files.ReadFile(f.Name())
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", f.Name(), len(text), text)
	}
	name := fmt.Sprintf("pgtest_%x", sum.Sum(nil)[:8])

	admin, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer func() { _ = admin.Close(ctx) }() // and with it the lock
	if _, err := admin.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(templateLock)); err != nil {
		return "", err
	}
	var exists bool
	if err := admin.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)`, name).Scan(&exists); err != nil {
		return "", err
	}
	if !exists {
		if _, err := admin.Exec(ctx, "CREATE DATABASE "+name); err != nil {
			return "", err
		}
	}
	conn, err := pgx.Connect(ctx, database(url, name))
	if err != nil {
		return "", err
	}
	err = postgres.Migrate(ctx, conn) // nothing to do where it was migrated before
	_ = conn.Close(ctx)
	return name, err
}

// clone makes a database of the template.
func clone(ctx context.Context, admin *pgx.Conn, name, template string) error {
	if _, err := admin.Exec(ctx, `SELECT pg_advisory_lock_shared($1)`, int64(templateLock)); err != nil {
		return err
	}
	_, err := admin.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template+" STRATEGY file_copy")
	if _, unlock := admin.Exec(ctx, `SELECT pg_advisory_unlock_shared($1)`, int64(templateLock)); err == nil {
		err = unlock
	}
	return err
}

// database is the URL of another database of the same server.
func database(url, name string) string {
	u, err := neturl.Parse(url)
	if err != nil {
		return url // refused by whoever connects
	}
	u.Path = "/" + name
	return u.String()
}
