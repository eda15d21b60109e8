package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/tern/v2/migrate"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/sallyport/sallyport/migrations"
)

// jobsLock is the advisory lock under which the queue's tables are migrated.
const jobsLock = 0x73616c6c79706f72 // "sallypor"

// Migrate brings the schema up to date, our own over the connection, then the
// job queue's. Instances that start together wait for one another: tern takes an
// advisory lock, and so do we for the queue, which doesn't.
func Migrate(ctx context.Context, conn *pgx.Conn) error {
	migrator, err := migrate.NewMigrator(ctx, conn, "schema_version")
	if err != nil {
		return fmt.Errorf("preparing migrations: %w", err)
	}
	if err := migrator.LoadMigrations(migrations.Files); err != nil {
		return fmt.Errorf("loading migrations: %w", err)
	}
	if err := migrator.Migrate(ctx); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	if err := migrateJobs(ctx, conn); err != nil {
		return fmt.Errorf("migrating the job queue: %w", err)
	}
	return nil
}

// migrateJobs brings River's tables up to date. Each of its versions needs a
// transaction of its own, for which it wants a pool.
func migrateJobs(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(jobsLock)); err != nil {
		return err
	}
	defer func() { _, _ = conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(jobsLock)) }()
	settings, err := pgxpool.ParseConfig("")
	if err != nil {
		return err
	}
	settings.ConnConfig, settings.MaxConns = conn.Config(), 1
	pool, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return err
	}
	defer pool.Close()
	migrator, err := jobsMigrator(pool)
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func jobsMigrator(pool *pgxpool.Pool) (*rivermigrate.Migrator[pgx.Tx], error) {
	return rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
}

// CheckSchema refuses a database whose schema is not the one this program was
// built for.
func CheckSchema(ctx context.Context, pool *pgxpool.Pool) error {
	files, err := migrations.Files.ReadDir(".")
	if err != nil {
		return err
	}
	var version int
	err = pool.QueryRow(ctx, `SELECT version FROM schema_version`).Scan(&version)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == "42P01" { // no such table: nothing was ever migrated
		err = nil
	}
	if err != nil {
		return fmt.Errorf("database.url: %w", err)
	}
	if version != len(files) {
		return fmt.Errorf("the schema is at version %d, this program needs %d: run sallyport migrate", version, len(files))
	}
	return checkJobs(ctx, pool)
}

func checkJobs(ctx context.Context, pool *pgxpool.Pool) error {
	migrator, err := jobsMigrator(pool)
	if err != nil {
		return err
	}
	found, err := migrator.Validate(ctx, nil)
	if err != nil {
		return fmt.Errorf("database.url: %w", err)
	}
	if !found.OK {
		return fmt.Errorf("the job queue's tables are not those that this program needs: run sallyport migrate")
	}
	return nil
}
