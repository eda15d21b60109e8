package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/tern/v2/migrate"
	"github.com/sallyport/sallyport/migrations"
)

// Migrate brings the schema up to date over one connection. Instances that
// start together wait for one another: tern takes an advisory lock.
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
	return nil
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
	return nil
}
