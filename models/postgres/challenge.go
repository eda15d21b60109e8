package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// CreateChallenge stores a challenge of a session, or of a pre-session token.
// An older one of the same purpose and owner goes: only the newest counts.
func (s *Store) CreateChallenge(ctx context.Context, c models.Challenge) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		var binding []byte
		if c.SessionID == "" {
			binding = c.Binding[:]
		}
		_, err := tx.Exec(ctx, `
			DELETE FROM challenges
			WHERE purpose = $1 AND (session_id = $2 OR binding_hash = $3)`, c.Purpose, c.SessionID, binding)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO challenges (id, purpose, session_id, user_id, binding_hash, data, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			c.ID, c.Purpose, c.SessionID, c.UserID, binding, c.Data, now, c.ExpiresAt)
		return err
	})
}

// ConsumeChallenge takes the challenge of a session for a purpose. It can be
// taken once, whatever then comes of it; challenge_expired otherwise. With an
// id it must be that very one.
func (s *Store) ConsumeChallenge(ctx context.Context, sessionID models.ID, purpose string, id models.ID) (models.Challenge, error) {
	return s.consume(ctx, `
		DELETE FROM challenges
		WHERE session_id = $1 AND purpose = $2 AND ($3::uuid IS NULL OR id = $3)
		RETURNING `+challengeColumns, sessionID, purpose, id)
}

// ConsumePreSessionChallenge takes the challenge of a pre-session token.
func (s *Store) ConsumePreSessionChallenge(ctx context.Context, binding models.TokenHash, purpose string) (models.Challenge, error) {
	return s.consume(ctx, `
		DELETE FROM challenges
		WHERE binding_hash = $1 AND purpose = $2
		RETURNING `+challengeColumns, binding[:], purpose)
}

const challengeColumns = `
	id,
	purpose,
	session_id,
	user_id,
	data,
	created_at,
	expires_at`

func (s *Store) consume(ctx context.Context, sql string, args ...any) (models.Challenge, error) {
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return models.Challenge{}, fail(err)
	}
	c, err := pgx.CollectOneRow(rows, func(row pgx.CollectableRow) (models.Challenge, error) {
		var c models.Challenge
		err := row.Scan(&c.ID, &c.Purpose, &c.SessionID, &c.UserID, &c.Data, &c.CreatedAt, &c.ExpiresAt)
		return c, err
	})
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !s.clock().Before(c.ExpiresAt) {
		return models.Challenge{}, models.Refuse(models.CodeChallengeExpired, "this took too long or was used already: start again")
	}
	return c, fail(err)
}

// dropEnrolments forgets what other tabs and sessions of the account began to
// enrol. Challenges for signing in stay.
func dropEnrolments(ctx context.Context, tx pgx.Tx, userID models.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM totp_enrolments WHERE user_id = $1`, userID)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		DELETE FROM challenges
		WHERE user_id = $1 AND purpose LIKE 'enrol_%'`, userID)
	return err
}
