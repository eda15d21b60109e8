package postgres

import (
	"context"
	"time"

	"github.com/sallyport/sallyport/models"
)

const (
	// keepNotices is how long letters are kept after they were made.
	keepNotices = 90 * 24 * time.Hour
	// keepStepUps is for the longest enrolment that may have begun under one.
	keepStepUps = time.Hour
	// keepRequests is how long a letter that was asked for may wait for its job.
	keepRequests = 24 * time.Hour
	// keepTransactions is for apps that ask late what came of one.
	keepTransactions = 24 * time.Hour
	// keepDelivered and keepDead are how long deliveries of webhooks can be looked at and
	// sent again.
	keepDelivered = 7 * 24 * time.Hour
	keepDead      = 30 * 24 * time.Hour
	// keepExpiredDevices is how long a device is told that its code is over, and not that
	// there never was one.
	keepExpiredDevices = 10 * time.Minute
)

// Purge removes what has expired: sessions (which announces their end to open
// sockets), challenges, step-ups, enrolments, counts, devices, proofs of work, and
// letters with their links, and deliveries of webhooks that are over. Nothing relies on it, for every lookup checks the time
// itself; but whose sign-in stopped after the password is told by it, and it frees the
// user names of registrations that were not confirmed. Of failures in a row it forgets those that ended long ago without closing their lane.
func (s *Store) Purge(ctx context.Context) error {
	now := s.clock()
	if err := s.purgeUnfinished(ctx, now); err != nil {
		return err
	}
	if err := s.purgeUnconfirmed(ctx, now); err != nil {
		return err
	}
	for _, old := range []struct {
		sql  string
		kept time.Duration
	}{
		{`DELETE FROM sessions WHERE LEAST(idle_ends_at, ends_at) <= $1`, 0},
		{`DELETE FROM challenges WHERE expires_at <= $1`, 0},
		{`DELETE FROM host_codes WHERE expires_at <= $1`, 0},
		{`DELETE FROM step_ups WHERE expires_at <= $1`, keepStepUps},
		{`DELETE FROM totp_enrolments WHERE expires_at <= $1`, 0},
		{`DELETE FROM limit_buckets WHERE empty_at <= $1`, 0},
		{`DELETE FROM spent_proofs WHERE expires_at <= $1`, 0},
		{`DELETE FROM letter_requests WHERE created_at <= $1`, keepRequests},
		{`DELETE FROM address_claims WHERE created_at <= $1`, models.ConfirmWithin},
		{`DELETE FROM former_addresses WHERE changed_at <= $1`, models.LinkNotMe.Lifetime()},
		{`DELETE FROM notices WHERE created_at <= $1`, keepNotices},
		{`DELETE FROM failure_streaks WHERE failed_at <= $1 AND NOT closed`, streakKept},
		{`DELETE FROM totp_replaced WHERE replaced_at <= $1`, models.LinkNotMe.Lifetime()},
		{`DELETE FROM remembered_devices WHERE ends_at <= $1`, 0},
		{`DELETE FROM authorizations WHERE expires_at <= $1`, 0},
		{`DELETE FROM device_authorizations WHERE expires_at <= $1`, keepExpiredDevices},
		{`DELETE FROM access_tokens WHERE expires_at <= $1`, 0},
		{`DELETE FROM spent_assertions WHERE expires_at <= $1`, 0},
		{`DELETE FROM logouts WHERE created_at <= $1`, keepLogouts},
		{`DELETE FROM known_devices WHERE last_used_at <= $1`, models.KnownDeviceWithin},
		{`DELETE FROM transactions WHERE expires_at <= $1`, keepTransactions},
		{`DELETE FROM webhook_deliveries WHERE delivered_at <= $1`, keepDelivered},
		{`DELETE FROM webhook_deliveries WHERE dead_at <= $1`, keepDead},
		{`DELETE FROM webhook_secrets WHERE expires_at <= $1`, 0},
	} {
		if _, err := s.pool.Exec(ctx, old.sql, now.Add(-old.kept)); err != nil {
			return fail(err)
		}
	}
	return s.purgeSubjects(ctx)
}
