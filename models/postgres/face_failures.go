package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// CountFaceTry counts one verification of the account's face before it is made,
// in a statement that commits by itself. After rules.Free failures in a row there
// is a wait between tries (rate_limited with the time to wait); the one that
// makes rules.DisableAfter is the last (conflict, reason face_disabled). A success
// forgets them all (PassFace).
func (s *Store) CountFaceTry(ctx context.Context, userID models.ID, rules models.FailuresPolicy) error {
	now := s.clock()
	tag, err := s.pool.Exec(ctx, `
		UPDATE faces
		SET failures    = failures + 1,
		    next_try_at = CASE WHEN failures + 1 >= $3 THEN $4::timestamptz END
		WHERE user_id = $1 AND disabled_at IS NULL AND failures < $5 AND (next_try_at IS NULL OR next_try_at <= $2)`,
		userID, now, rules.Free, now.Add(rules.Wait.Std()), rules.DisableAfter)
	if err != nil || tag.RowsAffected() == 1 {
		return fail(err)
	}
	// It may not be tried now; say why. Whoever used up the last try makes the
	// state plain for everybody.
	var disabled bool
	var next *time.Time
	err = s.pool.QueryRow(ctx, `
		UPDATE faces
		SET disabled_at = CASE WHEN failures >= $3 THEN coalesce(disabled_at, $2) ELSE disabled_at END
		WHERE user_id = $1
		RETURNING disabled_at IS NOT NULL, next_try_at`, userID, now, rules.DisableAfter).Scan(&disabled, &next)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return models.Refuse(models.CodeConflict, "this account has not enrolled a face: choose another way")
	case err != nil:
		return fail(err)
	case disabled:
		return &models.Error{
			Code: models.CodeConflict, Reason: "face_disabled",
			Message: "signing in with your face is off after too many failed tries: use another way, then enrol your face anew",
		}
	}
	wait := time.Second
	if next != nil {
		wait = max(next.Sub(now), wait)
	}
	return &models.Error{Code: models.CodeRateLimited, Message: "too many tries: wait a moment, or use another way", RetryAfter: wait}
}

// GiveFaceTryBack takes back a verification that came to no comparison.
func (s *Store) GiveFaceTryBack(ctx context.Context, userID models.ID, rules models.FailuresPolicy) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE faces
		SET failures    = failures - 1,
		    next_try_at = CASE WHEN failures - 1 >= $2 THEN next_try_at END
		WHERE user_id = $1 AND failures > 0`, userID, rules.Free)
	return fail(err)
}
