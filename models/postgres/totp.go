package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

// totpPlace is where a secret belongs. An enrolment and the factor it becomes
// share one id, so the sealed secret moves between the two tables as it is.
func totpPlace(id models.ID) seal.Place { return seal.Place{Table: "totp", Column: "secret", Row: id} }

// TOTP gives the account's secret, open, also one that is set aside; not_found when
// it has none.
func (s *Store) TOTP(ctx context.Context, userID models.ID) (models.TOTPSecret, error) {
	var t models.TOTPSecret
	var sealed []byte
	err := s.pool.QueryRow(ctx, `
		SELECT id, user_id, secret, last_step, created_at, last_used_at, quarantined_at
		FROM totp
		WHERE user_id = $1`, userID,
	).Scan(&t.ID, &t.UserID, &sealed, &t.LastStep, &t.CreatedAt, &t.LastUsedAt, &t.QuarantinedAt)
	return s.openTOTP(t, sealed, err)
}

// TOTPEnrolment gives the secret that a session is about to confirm; not_found
// when there is none or it has expired.
func (s *Store) TOTPEnrolment(ctx context.Context, sessionID models.ID) (models.TOTPSecret, error) {
	var t models.TOTPSecret
	var sealed []byte
	err := s.pool.QueryRow(ctx, `
		SELECT id, user_id, secret, created_at, expires_at
		FROM totp_enrolments
		WHERE session_id = $1 AND expires_at > $2`, sessionID, s.clock(),
	).Scan(&t.ID, &t.UserID, &sealed, &t.CreatedAt, &t.ExpiresAt)
	return s.openTOTP(t, sealed, err)
}

func (s *Store) openTOTP(t models.TOTPSecret, sealed []byte, err error) (models.TOTPSecret, error) {
	if errors.Is(err, pgx.ErrNoRows) {
		return models.TOTPSecret{}, notFound()
	}
	if err != nil {
		return models.TOTPSecret{}, fail(err)
	}
	t.Secret, err = s.sealer.Open(sealed, totpPlace(t.ID))
	return t, err
}

// BeginTOTP keeps a secret for a session until it is confirmed. It replaces an
// earlier one that was not.
func (s *Store) BeginTOTP(ctx context.Context, sessionID models.ID, t models.TOTPSecret) error {
	sealed, err := s.sealer.Seal(t.Secret, totpPlace(t.ID))
	if err != nil {
		return err
	}
	_, err = s.pool.Exec(ctx, `
		INSERT INTO totp_enrolments (id, session_id, user_id, secret, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (session_id) DO UPDATE
		SET id = excluded.id, secret = excluded.secret, created_at = excluded.created_at, expires_at = excluded.expires_at`,
		t.ID, sessionID, t.UserID, sealed, s.clock(), t.ExpiresAt)
	return fail(err)
}

// EnrolTOTP makes the enrolment the account's factor, its first code used up,
// and moves the session by it. It takes the place of one that is disabled, and for
// somebody who came by a way back that of one that is lost.
// challenge_expired when the enrolment has gone.
func (s *Store) EnrolTOTP(ctx context.Context, ref models.Ref, enrolment models.ID, step int64, decide models.Decide) (models.Session, string, error) {
	// The enrolment is taken before the effects run, for they forget the
	// account's unfinished ones.
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		var sealed []byte
		err := tx.QueryRow(ctx, `
			DELETE FROM totp_enrolments
			WHERE id = $1 AND session_id = $2 AND user_id = $3 AND expires_at > $4
			RETURNING secret`, enrolment, ref.ID, ref.UserID, now).Scan(&sealed)
		if errors.Is(err, pgx.ErrNoRows) {
			return models.Refuse(models.CodeChallengeExpired, "this set-up has expired: start again")
		}
		if err != nil {
			return err
		}
		if err := makeWayForTOTP(ctx, tx, now, ref); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO totp (id, user_id, secret, last_step, created_at, last_used_at)
			VALUES ($1, $2, $3, $4, $5, $5)`, enrolment, ref.UserID, sealed, step, now)
		if violates(err) == "totp_user_id_key" {
			return models.Refuse(models.CodeConflict, "an authenticator app is set up already: remove it first")
		}
		return err
	})
}

// makeWayForTOTP takes away what a new authenticator app takes the place of. The first
// that was lost is kept for as long as its owner may deny that.
func makeWayForTOTP(ctx context.Context, tx pgx.Tx, now time.Time, ref models.Ref) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO totp_replaced (id, user_id, secret, last_step, created_at, last_used_at, replaced_at)
		SELECT t.id, t.user_id, t.secret, t.last_step, t.created_at, t.last_used_at, $3
		FROM totp t
		JOIN sessions s ON s.id = $2 AND s.state = 'recovering'
		WHERE t.user_id = $1 AND t.quarantined_at IS NULL
		ON CONFLICT ON CONSTRAINT totp_replaced_user_key DO NOTHING`, ref.UserID, ref.ID, now)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		DELETE FROM totp
		WHERE user_id = $1 AND (
			EXISTS (SELECT 1 FROM sessions WHERE id = $2 AND state = 'recovering')
			OR EXISTS (SELECT 1 FROM factor_failures WHERE user_id = $1 AND factor = 'totp' AND disabled_at IS NOT NULL))`, ref.UserID, ref.ID)
	return err
}

// restoreTOTP gives an app back that was replaced by one that is set aside.
func restoreTOTP(ctx context.Context, tx pgx.Tx, userID models.ID, from, until time.Time) error {
	_, err := tx.Exec(ctx, `
		WITH old AS (
			DELETE FROM totp_replaced r
			WHERE r.user_id = $1 AND r.replaced_at BETWEEN $2 AND $3
			RETURNING r.id, r.secret, r.last_step, r.created_at, r.last_used_at)
		UPDATE totp t
		SET id = old.id, secret = old.secret, last_step = old.last_step, created_at = old.created_at, last_used_at = old.last_used_at, quarantined_at = NULL
		FROM old
		WHERE t.user_id = $1 AND t.quarantined_at IS NOT NULL`, userID, from, until)
	return err
}

// PassTOTP uses up a time step and moves the session by it. A step at or
// before the newest used one is factor_rejected: a code works once (RFC 6238
// section 5.2).
func (s *Store) PassTOTP(ctx context.Context, ref models.Ref, id models.ID, step int64, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		tag, err := tx.Exec(ctx, `
			UPDATE totp
			SET last_step = $3, last_used_at = $4
			WHERE id = $1 AND user_id = $2 AND quarantined_at IS NULL AND last_step < $3`, id, ref.UserID, step, now)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return models.Refuse(models.CodeFactorRejected, "this code was used already: wait for the next one")
		}
		return nil
	})
}

// RemoveTOTP takes the account's authenticator app away.
func (s *Store) RemoveTOTP(ctx context.Context, ref models.Ref, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, _ time.Time) error {
		tag, err := tx.Exec(ctx, `DELETE FROM totp WHERE user_id = $1`, ref.UserID)
		if err == nil && tag.RowsAffected() == 0 {
			return notFound()
		}
		return err
	})
}
