package postgres

import (
	"context"
	"time"
)

// keepNotices is how long letters are kept after they were made.
const keepNotices = 90 * 24 * time.Hour

// Purge removes what has expired: sessions (which announces their end to open
// sockets), challenges, step-ups, enrolments, counts, letters with their links. Nothing relies
// on it, for every lookup checks the time itself; but whose sign-in stopped after the
// password is told by it.
func (s *Store) Purge(ctx context.Context) error {
	now := s.clock()
	if err := s.purgeUnfinished(ctx, now); err != nil {
		return err
	}
	for _, sql := range []string{
		`DELETE FROM sessions WHERE LEAST(idle_ends_at, ends_at) <= $1`,
		`DELETE FROM challenges WHERE expires_at <= $1`,
		// Kept for the longest enrolment that may have begun under it.
		`DELETE FROM step_ups WHERE expires_at <= $1::timestamptz - interval '1 hour'`,
		`DELETE FROM totp_enrolments WHERE expires_at <= $1`,
		`DELETE FROM attempt_counts WHERE window_ends_at <= $1`,
	} {
		if _, err := s.pool.Exec(ctx, sql, now); err != nil {
			return fail(err)
		}
	}
	_, err := s.pool.Exec(ctx, `DELETE FROM notices WHERE created_at <= $1`, now.Add(-keepNotices))
	return fail(err)
}
