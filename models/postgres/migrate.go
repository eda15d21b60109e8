package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
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
