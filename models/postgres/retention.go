package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// monthsAhead is for how many months after the present one there is a table.
const monthsAhead = 3

// eventsMonth names a month's part of the audit log. It sorts by time.
const eventsMonth = "events_2006_01"

// RetainEvents makes the coming months' parts of the audit log, and drops those that
// are wholly older than kept. It counts what it dropped. Whole tables go, row by row
// nothing does: a DELETE would leave the rows on disk for long, and take as long.
func (s *Store) RetainEvents(ctx context.Context, kept time.Duration) (dropped int, err error) {
	err = s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		// Whoever waits longer holds up everybody who records a fact; the job is tried again.
		if _, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '10s'`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `LOCK TABLE events IN SHARE UPDATE EXCLUSIVE MODE`); err != nil {
			return err
		}
		if err := makeMonths(ctx, tx, now); err != nil {
			return err
		}
		dropped, err = dropMonths(ctx, tx, now.Add(-kept))
		return err
	})
	return dropped, err
}

// makeMonths makes the tables from the present month on, and of each month that has
// rows in the default one.
func makeMonths(ctx context.Context, tx pgx.Tx, now time.Time) error {
	rows, err := tx.Query(ctx, `
		SELECT date_trunc('month', at AT TIME ZONE 'UTC')
		FROM events_default
		UNION
		SELECT generate_series(
			date_trunc('month', $1::timestamptz AT TIME ZONE 'UTC'), $1::timestamptz AT TIME ZONE 'UTC' + make_interval(months => $2), interval '1 month')`,
		now, monthsAhead)
	if err != nil {
		return err
	}
	months, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil {
		return err
	}
	for _, month := range months {
		if err := makeMonth(ctx, tx, month.UTC()); err != nil {
			return err
		}
	}
	return nil
}

func makeMonth(ctx context.Context, tx pgx.Tx, month time.Time) error {
	name := month.Format(eventsMonth)
	var there bool
	if err := tx.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, name).Scan(&there); err != nil || there {
		return err
	}
	// The rows are moved before the table is attached, for the default one must hold none of its month.
	from, to := month.Format(time.RFC3339), month.AddDate(0, 1, 0).Format(time.RFC3339)
	for _, sql := range []string{
		`CREATE TABLE %[1]s (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`,
		`WITH moved AS (
			DELETE FROM events_default
			WHERE at >= '%[2]s' AND at < '%[3]s'
			RETURNING id, at, user_id, session_id, fact, detail, policy_version, ip, user_agent
		)
		INSERT INTO %[1]s (id, at, user_id, session_id, fact, detail, policy_version, ip, user_agent)
		SELECT id, at, user_id, session_id, fact, detail, policy_version, ip, user_agent FROM moved`,
		`ALTER TABLE events ATTACH PARTITION %[1]s FOR VALUES FROM ('%[2]s') TO ('%[3]s')`,
	} {
		if _, err := tx.Exec(ctx, fmt.Sprintf(sql, pgx.Identifier{name}.Sanitize(), from, to)); err != nil {
			return err
		}
	}
	return nil
}

func dropMonths(ctx context.Context, tx pgx.Tx, before time.Time) (int, error) {
	// A month is over where the next one begins.
	oldest := time.Date(before.UTC().Year(), before.UTC().Month(), 1, 0, 0, 0, 0, time.UTC).Format(eventsMonth)
	rows, err := tx.Query(ctx, `
		SELECT c.relname
		FROM pg_inherits i
		JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'events'::regclass AND c.relname <> 'events_default' AND c.relname < $1`, oldest)
	if err != nil {
		return 0, err
	}
	old, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return 0, err
	}
	for _, name := range old {
		if _, err := tx.Exec(ctx, `DROP TABLE `+pgx.Identifier{name}.Sanitize()); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}
