package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

const stepUpColumns = `
	id,
	methods,
	created_at,
	expires_at`

func scanStepUp(row pgx.CollectableRow) (*models.StepUp, error) {
	var s models.StepUp
	var methods []byte
	if err := row.Scan(&s.ID, &methods, &s.CreatedAt, &s.ExpiresAt); err != nil {
		return nil, err
	}
	return &s, json.Unmarshal(methods, &s.Methods)
}

// BeginStepUp notes what a session is about to do and will give proof for. It
// takes the place of an older step-up of the same purpose, and of what was proven
// for that. session_required when the session ended meanwhile.
func (s *Store) BeginStepUp(ctx context.Context, sessionID models.ID, act models.Act, expiresAt time.Time) (models.StepUp, error) {
	now := s.clock()
	made := models.StepUp{ID: models.NewID(now), CreatedAt: now, ExpiresAt: expiresAt}
	hash := act.ObjectHash()
	// Deleted, not updated: challenges that were issued for the older one go with it.
	err := s.tx(ctx, func(tx pgx.Tx, _ time.Time) error {
		_, err := tx.Exec(ctx, `
			DELETE FROM step_ups
			WHERE session_id = $1 AND purpose = $2`, sessionID, act.Purpose)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO step_ups (id, session_id, purpose, object_hash, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6)`, made.ID, sessionID, act.Purpose, hash[:], now, expiresAt)
		switch violates(err) {
		case "step_ups_session_id_fkey":
			return sessionOver()
		case "step_ups_session_key":
			return models.Refuse(models.CodeConflict, "this was asked for twice at once: try again")
		}
		return err
	})
	return made, err
}

// StepUp finds what a session asked for to do just this; nil when it did not.
func (s *Store) StepUp(ctx context.Context, sessionID models.ID, act models.Act) (*models.StepUp, error) {
	hash := act.ObjectHash()
	rows, err := s.pool.Query(ctx, `
		SELECT `+stepUpColumns+`
		FROM step_ups
		WHERE session_id = $1 AND purpose = $2 AND object_hash = $3`, sessionID, act.Purpose, hash[:])
	return oneStepUp(rows, err)
}

// spendStepUp uses up the step-up of an act in the transaction of the act; nil when
// there is none.
func spendStepUp(ctx context.Context, tx pgx.Tx, sessionID models.ID, act models.Act) (*models.StepUp, error) {
	if act.Purpose == "" {
		return nil, nil
	}
	hash := act.ObjectHash()
	rows, err := tx.Query(ctx, `
		DELETE FROM step_ups
		WHERE session_id = $1 AND purpose = $2 AND object_hash = $3
		RETURNING `+stepUpColumns, sessionID, act.Purpose, hash[:])
	return oneStepUp(rows, err)
}

func oneStepUp(rows pgx.Rows, err error) (*models.StepUp, error) {
	if err != nil {
		return nil, fail(err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, scanStepUp)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return found, fail(err)
}

// proveStepUp notes a proof on the step-up that it was given for, in the place of
// an older one of its factor. challenge_expired when that is over or is not the
// session's.
func proveStepUp(ctx context.Context, tx pgx.Tx, now time.Time, sessionID, id models.ID, proof models.Method) error {
	if id == "" {
		return nil
	}
	doc, err := json.Marshal([]models.Method{proof})
	if err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `
		UPDATE step_ups
		SET methods = coalesce((SELECT jsonb_agg(m) FROM jsonb_array_elements(methods) m WHERE m ->> 'method' <> $4), '[]') || $5::jsonb
		WHERE id = $1 AND session_id = $2 AND expires_at > $3`, id, sessionID, now, proof.Factor, doc)
	if err == nil && tag.RowsAffected() == 0 {
		return challengeGone()
	}
	return err
}

// PassPassword moves a session by its password, which was found right by this hash.
// factor_rejected when it was changed meanwhile.
func (s *Store) PassPassword(ctx context.Context, ref models.Ref, hash string, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, _ time.Time) error {
		var same bool
		err := tx.QueryRow(ctx, `SELECT password_hash = $2 FROM users WHERE id = $1`, ref.UserID, hash).Scan(&same)
		if err == nil && !same {
			return models.Refuse(models.CodeFactorRejected, "your password was changed meanwhile: use the new one")
		}
		return err
	})
}

// SpendStepUp uses up the step-up of an act that changes no records, and notes it.
func (s *Store) SpendStepUp(ctx context.Context, ref models.Ref, decide models.Decide) error {
	_, _, err := s.advance(ctx, ref, decide, nil)
	return err
}
