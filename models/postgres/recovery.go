package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// usableCodes are the codes of account $1 that session $2 may count on: before
// the account has a second factor, those that it was issued itself.
const usableCodes = `
	recovery_codes c
	JOIN users u ON u.id = c.user_id
	WHERE c.user_id = $1 AND (u.mfa_established_at IS NOT NULL OR c.issued_by = $2)`

// RecoveryCodes lists the account's codes by row, used ones too.
func (s *Store) RecoveryCodes(ctx context.Context, session models.Session) ([]models.RecoveryCode, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT c.id, c.row_number, c.code_hash, c.created_at, c.used_at
		FROM `+usableCodes+`
		ORDER BY c.row_number`, session.User.ID, session.ID)
	if err != nil {
		return nil, fail(err)
	}
	codes, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (models.RecoveryCode, error) {
		var c models.RecoveryCode
		err := row.Scan(&c.ID, &c.Row, &c.Hash, &c.CreatedAt, &c.UsedAt)
		return c, err
	})
	return codes, fail(err)
}

// ReplaceRecoveryCodes puts a new set in place of the old one and moves the
// session by it.
func (s *Store) ReplaceRecoveryCodes(ctx context.Context, ref models.Ref, codes []models.RecoveryCode, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		_, err := tx.Exec(ctx, `DELETE FROM recovery_codes WHERE id IN (SELECT c.id FROM `+usableCodes+`)`, ref.UserID, ref.ID)
		if err != nil {
			return err
		}
		for _, c := range codes {
			_, err := tx.Exec(ctx, `
				INSERT INTO recovery_codes (id, user_id, issued_by, row_number, code_hash, created_at)
				VALUES ($1, $2, $3, $4, $5, $6)`, c.ID, ref.UserID, ref.ID, c.Row, c.Hash, now)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// PassRecovery uses up one code and moves the session by it; factor_rejected
// when it was used meanwhile.
func (s *Store) PassRecovery(ctx context.Context, ref models.Ref, id models.ID, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		tag, err := tx.Exec(ctx, `
			UPDATE recovery_codes
			SET used_at = $3
			WHERE id = $1 AND user_id = $2 AND used_at IS NULL`, id, ref.UserID, now)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return models.Refuse(models.CodeFactorRejected, "this code was used already: take the next one of your list")
		}
		return nil
	})
}

// reissue puts a new code into the row of a used one. It counts as made now, so a
// denial of its fact takes it away.
func reissue(ctx context.Context, tx pgx.Tx, now time.Time, code models.Reissue) error {
	_, err := tx.Exec(ctx, `
		UPDATE recovery_codes
		SET id = $2, code_hash = $3, created_at = $4, used_at = NULL
		WHERE id = $1`, code.Used, code.ID, code.Hash, now)
	return err
}
