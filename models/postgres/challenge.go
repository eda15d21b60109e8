package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// CreateChallenge stores a challenge of a session, or of a pre-session token. It
// takes the place of an older one of the same purpose and owner: only the newest
// counts. session_required when the session ended meanwhile.
func (s *Store) CreateChallenge(ctx context.Context, c models.Challenge) error {
	owner, binding := "challenges_session_key", []byte(nil)
	if c.SessionID == "" {
		owner, binding = "challenges_binding_key", c.Binding[:]
	}
	_, err := s.pool.Exec(ctx, `
		INSERT INTO challenges AS c (id, purpose, session_id, user_id, binding_hash, data, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT ON CONSTRAINT `+owner+` DO UPDATE
		SET id = EXCLUDED.id, user_id = EXCLUDED.user_id, data = EXCLUDED.data,
		    created_at = EXCLUDED.created_at, expires_at = EXCLUDED.expires_at`,
		c.ID, c.Purpose, c.SessionID, c.UserID, binding, c.Data, s.clock(), c.ExpiresAt)
	if violates(err) == "challenges_session_id_fkey" {
		return sessionOver() // it ended meanwhile
	}
	return fail(err)
}

// ChallengeStands tells whether a session has a challenge for a purpose to take,
// and leaves it; challenge_expired when it has none.
func (s *Store) ChallengeStands(ctx context.Context, sessionID models.ID, purpose string) error {
	var stands bool
	err := s.pool.QueryRow(ctx, `
		SELECT EXISTS (SELECT 1 FROM challenges WHERE session_id = $1 AND purpose = $2 AND expires_at > $3)`,
		sessionID, purpose, s.clock()).Scan(&stands)
	if err == nil && !stands {
		return challengeGone()
	}
	return fail(err)
}

func challengeGone() error {
	return models.Refuse(models.CodeChallengeExpired, "this took too long or was used already: start again")
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
		return models.Challenge{}, challengeGone()
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
