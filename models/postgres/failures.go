package postgres

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// streakKept is how long a streak that is not closed outlives its last failure,
// for names that somebody has and names that nobody has alike.
const streakKept = 30 * 24 * time.Hour

// lengthen counts one more failure in a row, until its check succeeds. From
// waits.Free on each brings a wait, twice as long as the one before. closed when
// this failure was one too many: the try that makes it is not checked. errFull
// while there is a wait, or once closed.
func lengthen(ctx context.Context, tx pgx.Tx, now time.Time, streak models.Streak, waits models.FailureWaits) (closed bool, err error) {
	closeAfter := streak.CloseAfter
	if closeAfter == 0 {
		closeAfter = math.MaxInt32
	}
	err = tx.QueryRow(ctx, `
		INSERT INTO failure_streaks AS f (subject, kind, failures, next_try_at, failed_at, closed)
		VALUES ($1, $2, 1, CASE WHEN $4::int <= 1 THEN $3::timestamptz + $5::interval END, $3, $7::int <= 1)
		ON CONFLICT (subject, kind) DO UPDATE
		SET failures    = f.failures + 1,
		    next_try_at = CASE WHEN f.failures + 1 >= $4 THEN $3 + least($5 * power(2, least(f.failures + 1 - $4, 20)), $6::interval) END,
		    failed_at   = $3,
		    closed      = f.failures + 1 >= $7
		WHERE NOT f.closed AND (f.next_try_at IS NULL OR f.next_try_at <= $3)
		RETURNING closed`,
		streak.Subject, streak.Kind, now, waits.Free, waits.Wait.Std(), waits.MaxWait.Std(), closeAfter).Scan(&closed)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, errFull
	}
	return closed, err
}

// shorten takes a failure back whose check was never made. The wait before it was
// over, or it would not have been counted.
func shorten(ctx context.Context, tx pgx.Tx, streak models.Streak) error {
	_, err := tx.Exec(ctx, `
		UPDATE failure_streaks
		SET failures = failures - 1, next_try_at = NULL
		WHERE subject = $1 AND kind = $2 AND failures > 0 AND NOT closed`, streak.Subject, streak.Kind)
	return err
}

// forgive ends streaks: the lane's own, and others where they were closed. Waits
// of others go on, or whoever failed there would see that somebody signed in.
func forgive(ctx context.Context, tx pgx.Tx, own, closed []string, factor models.Factor) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM failure_streaks
		WHERE kind = $3 AND (subject, kind) IN (
			SELECT subject, kind
			FROM failure_streaks
			WHERE kind = $3 AND (subject = ANY($1) OR subject = ANY($2) AND closed)
			ORDER BY subject
			FOR UPDATE)`, own, closed, factor)
	return err
}

// failOnceMore counts one more failure in a row of the account's factor, in
// whatever lane. It tells whether the factor is disabled by now. conflict when it
// was before.
func failOnceMore(ctx context.Context, tx pgx.Tx, now time.Time, try models.Try) (disabled bool, err error) {
	err = tx.QueryRow(ctx, `
		INSERT INTO factor_failures AS f (user_id, factor, failures)
		VALUES ($1, $2, 1)
		ON CONFLICT (user_id, factor) DO UPDATE
		SET failures    = f.failures + 1,
		    disabled_at = CASE WHEN f.failures + 1 >= $4 THEN $3::timestamptz END
		WHERE f.disabled_at IS NULL
		RETURNING disabled_at IS NOT NULL`, try.By.User.ID, try.Factor, now, try.DisableAfter).Scan(&disabled)
	if errors.Is(err, pgx.ErrNoRows) {
		return true, factorDisabled()
	}
	return disabled, err
}

// recordDisabled states that a factor, or for passwords the lane of a name or a
// device, takes no more tries. Of names that nobody has there is nothing to state.
func (s *Store) recordDisabled(ctx context.Context, tx pgx.Tx, now time.Time, try models.Try) error {
	if try.By.User.ID == "" {
		return nil
	}
	return s.record(ctx, tx, now, try.By, "factor_disabled", map[string]any{"factor": try.Factor})
}

func factorDisabled() error {
	return &models.Error{
		Code: models.CodeConflict, Reason: "factor_disabled",
		Message: "this way is off after too many failed tries: use another way, then set it up anew",
	}
}

func errClosed(waits models.FailureWaits) error {
	return rateLimited(waits.MaxWait.Std(), "too many tries: sign in where you have signed in before, or with a passkey")
}
