package postgres

import (
	"context"

	"github.com/sallyport/sallyport/models"
)

// Purge removes what has expired: sessions (which announces their end to open
// sockets), challenges, enrolments, counts, devices and proofs of work. Nothing
// relies on it, for every lookup checks the time itself; of failures in a row it
// forgets those that ended long ago without closing their lane.
func (s *Store) Purge(ctx context.Context) error {
	now := s.clock()
	for _, sql := range []string{
		`DELETE FROM sessions WHERE LEAST(idle_ends_at, ends_at) <= $1`,
		`DELETE FROM challenges WHERE expires_at <= $1`,
		`DELETE FROM totp_enrolments WHERE expires_at <= $1`,
		`DELETE FROM limit_buckets WHERE empty_at <= $1`,
		`DELETE FROM spent_proofs WHERE expires_at <= $1`,
	} {
		if _, err := s.pool.Exec(ctx, sql, now); err != nil {
			return fail(err)
		}
	}
	_, err := s.pool.Exec(ctx, `DELETE FROM failure_streaks WHERE failed_at <= $1 AND NOT closed`, now.Add(-streakKept))
	if err != nil {
		return fail(err)
	}
	_, err = s.pool.Exec(ctx, `DELETE FROM known_devices WHERE last_used_at <= $1`, now.Add(-models.KnownDeviceWithin))
	return fail(err)
}
