package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

// CreateChallenge stores a challenge of a session, or of a pre-session token. It
// takes the place of an older one of the same purpose and owner: only the newest
// counts. session_required when the session ended meanwhile, challenge_expired when
// the step-up that it is for did.
func (s *Store) CreateChallenge(ctx context.Context, c models.Challenge) error {
	owner, binding := "challenges_session_key", []byte(nil)
	if c.SessionID == "" {
		owner, binding = "challenges_binding_key", c.Binding[:]
	}
	_, err := s.pool.Exec(ctx, `
		INSERT INTO challenges AS c (id, purpose, session_id, user_id, binding_hash, data, created_at, expires_at, step_up_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT ON CONSTRAINT `+owner+` DO UPDATE
		SET id = EXCLUDED.id, user_id = EXCLUDED.user_id, data = EXCLUDED.data,
		    created_at = EXCLUDED.created_at, expires_at = EXCLUDED.expires_at,
		    step_up_id = EXCLUDED.step_up_id, opened_at = NULL, capture = NULL`,
		c.ID, c.Purpose, c.SessionID, c.UserID, binding, c.Data, s.clock(), c.ExpiresAt, c.StepUp)
	switch violates(err) {
	case "challenges_session_id_fkey":
		return sessionOver() // it ended meanwhile
	case "challenges_step_up_id_fkey":
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
	step_up_id,
	data,
	capture,
	created_at,
	expires_at`

func scanChallenge(row pgx.CollectableRow) (models.Challenge, error) {
	var c models.Challenge
	err := row.Scan(&c.ID, &c.Purpose, &c.SessionID, &c.UserID, &c.StepUp, &c.Data, &c.Capture, &c.CreatedAt, &c.ExpiresAt)
	return c, err
}

func (s *Store) consume(ctx context.Context, sql string, args ...any) (models.Challenge, error) {
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return models.Challenge{}, fail(err)
	}
	c, err := pgx.CollectOneRow(rows, scanChallenge)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !s.clock().Before(c.ExpiresAt) {
		return models.Challenge{}, challengeGone()
	}
	if err == nil && c.Capture != nil {
		c.Capture, err = s.sealer.Open(c.Capture, capturePlace(c.ID))
	}
	return c, fail(err)
}

func capturePlace(id models.ID) seal.Place {
	return seal.Place{Table: "challenges", Column: "capture", Row: id}
}

// OpenCapture opens the challenge of a session for its one camera; it stays to be
// taken. challenge_expired when it was opened before, or is not there any more.
func (s *Store) OpenCapture(ctx context.Context, sessionID models.ID, purpose string, id models.ID) (models.Challenge, error) {
	return s.consume(ctx, `
		UPDATE challenges
		SET opened_at = $4
		WHERE session_id = $1 AND purpose = $2 AND id = $3 AND opened_at IS NULL
		RETURNING `+challengeColumns, sessionID, purpose, id, s.clock())
}

// KeepCapture keeps, sealed, what the camera of an open challenge gave, until the
// challenge is taken or over. challenge_expired when it is not there any more.
func (s *Store) KeepCapture(ctx context.Context, id models.ID, capture []byte) error {
	sealed, err := s.sealer.Seal(capture, capturePlace(id))
	if err != nil {
		return err
	}
	tag, err := s.pool.Exec(ctx, `
		UPDATE challenges
		SET capture = $2
		WHERE id = $1 AND opened_at IS NOT NULL AND capture IS NULL AND expires_at > $3`, id, sealed, s.clock())
	if err == nil && tag.RowsAffected() == 0 {
		return challengeGone()
	}
	return fail(err)
}

// dropEnrolments forgets what other tabs and sessions of the account began to
// enrol, or to prove for something else: it may have been proven by what has just
// gone. Challenges for signing in stay.
func dropEnrolments(ctx context.Context, tx pgx.Tx, userID models.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM totp_enrolments WHERE user_id = $1`, userID)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		DELETE FROM step_ups
		WHERE session_id IN (SELECT id FROM sessions WHERE user_id = $1)`, userID)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		DELETE FROM challenges
		WHERE user_id = $1 AND purpose LIKE 'enrol_%'`, userID)
	return err
}
