// Package postgres is the store: all SQL of Sallyport. Statements are literal,
// columns explicit. Whatever may happen once is one conditional statement, and
// whatever moves a session runs under the user row's lock.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

// Store is safe for concurrent use. Every method gives *models.Error with
// code unavailable when the database can't be reached: that is never to be
// taken for "no such session".
type Store struct {
	pool   *pgxpool.Pool
	sealer *seal.Sealer
	now    func() time.Time
	// MailPerHour is how many letters of one kind an account gets in an hour at
	// the most. It is set when the program is wired; nil where there is no mail.
	MailPerHour func() int
}

// New makes a store over a pool whose schema is migrated.
func New(pool *pgxpool.Pool, sealer *seal.Sealer, clock func() time.Time) *Store {
	return &Store{pool: pool, sealer: sealer, now: clock}
}

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return fail(s.pool.Ping(ctx)) }

// tx runs do in one transaction. Postgres rounds to microseconds, so the clock
// is read once and cut to that.
func (s *Store) tx(ctx context.Context, do func(tx pgx.Tx, now time.Time) error) error {
	return fail(pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		return do(tx, s.clock())
	}))
}

func (s *Store) clock() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// fail sorts an error: refusals pass as they are, a database that is out of
// reach or out of means becomes unavailable, anything else stays internal.
func fail(err error) error {
	if err == nil {
		return nil
	}
	var refusal *models.Error
	if errors.As(err, &refusal) {
		return err
	}
	var pgErr *pgconn.PgError
	switch {
	case !errors.As(err, &pgErr): // sorted below
	case pgErr.Code == "22021" || pgErr.Code == "22P05":
		// NUL, which Postgres takes in no text: whoever sent it hears so.
		return models.Invalid("", "encoding", "text can't hold NUL")
	case !outOfReach(pgErr.Code):
		return fmt.Errorf("store: %w", err)
	}
	var connecting *pgconn.ConnectError
	// Without a PgError the server did not answer: broken pipe, timeout, or no
	// connection free in time. What we got wrong ourselves names no network.
	if pgErr != nil || errors.As(err, &connecting) || pgconn.Timeout(err) || isNetwork(err) {
		return &models.Error{
			Code:       models.CodeUnavailable,
			Message:    "we can't reach our records at the moment: try again shortly",
			RetryAfter: 5 * time.Second,
			Cause:      err,
		}
	}
	return fmt.Errorf("store: %w", err)
}

// outOfReach tells the SQLSTATE classes of a server that is going, full or
// read-only, or chose this statement to end a deadlock, from those of a
// statement at fault.
func outOfReach(code string) bool {
	return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "53") || strings.HasPrefix(code, "57P") ||
		slices.Contains([]string{"57014", "25006", "40001", "40P01"}, code)
}

func isNetwork(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) ||
		errors.Is(err, context.DeadlineExceeded) ||
		strings.Contains(err.Error(), "conn closed") ||
		strings.Contains(err.Error(), "closed pool") ||
		strings.Contains(err.Error(), "unexpected EOF")
}

// violates names the unique or foreign key that err broke, or "".
func violates(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && (pgErr.Code == "23505" || pgErr.Code == "23503") {
		return pgErr.ConstraintName
	}
	return ""
}

func notFound() error { return models.Refuse(models.CodeNotFound, "there is nothing here") }

func sessionOver() error {
	return models.Refuse(models.CodeSessionRequired, "sign in first")
}
