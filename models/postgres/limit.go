package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// AccountSubject is who the tries at an account's factors are counted for.
func AccountSubject(id models.ID) string { return "account:" + string(id) }

// CountTry counts one try before the check it belongs to is made, in a
// statement that commits by itself: neither parallel guesses nor a transaction
// rolled back later win an extra try. rate_limited with the time to wait when
// the limit is reached.
func (s *Store) CountTry(ctx context.Context, subject, kind string, limit models.Limit) error {
	now := s.clock()
	var failures int
	err := s.pool.QueryRow(ctx, `
		INSERT INTO attempt_counts AS c (subject, kind, failures, window_ends_at)
		VALUES ($1, $2, 1, $4)
		ON CONFLICT (subject, kind) DO UPDATE
		SET failures       = CASE WHEN c.window_ends_at <= $3 THEN 1 ELSE c.failures + 1 END,
		    window_ends_at = CASE WHEN c.window_ends_at <= $3 THEN $4 ELSE c.window_ends_at END
		WHERE c.window_ends_at <= $3 OR c.failures < $5
		RETURNING failures`,
		subject, kind, now, now.Add(limit.Window.Std()), limit.Max).Scan(&failures)
	if !errors.Is(err, pgx.ErrNoRows) {
		return fail(err)
	}
	var ends time.Time
	err = s.pool.QueryRow(ctx, `
		SELECT window_ends_at
		FROM attempt_counts
		WHERE subject = $1 AND kind = $2`, subject, kind).Scan(&ends)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fail(err)
	}
	return &models.Error{
		Code:       models.CodeRateLimited,
		Message:    "too many tries: wait a while, then try again",
		RetryAfter: max(ends.Sub(now), time.Second),
	}
}

// GiveTryBack takes back a try that came to no check, as when the face engine
// broke down in the middle of it. It does so only in the window the try was
// counted in: one that is held over from an older window must not pay for a
// try of this one.
func (s *Store) GiveTryBack(ctx context.Context, subject, kind string, limit models.Limit, countedAt time.Time) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE attempt_counts
		SET failures = failures - 1
		WHERE subject = $1 AND kind = $2 AND failures > 0 AND window_ends_at <= $3`,
		subject, kind, countedAt.Add(limit.Window.Std()))
	return fail(err)
}

// resetCount forgets the failures of one factor after it was passed. Other
// factors keep theirs, and so does what counts work instead of failures.
func resetCount(ctx context.Context, tx pgx.Tx, subject string, factor models.Factor) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM attempt_counts
		WHERE subject = $1 AND kind = $2`, subject, factor)
	return err
}
