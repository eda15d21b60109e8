package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// maxDeviceKeys bounds what an account may hold.
const maxDeviceKeys = 20

// DeviceKeys lists the account's keys, the one used last first.
func (s *Store) DeviceKeys(ctx context.Context, userID models.ID) ([]models.DeviceKey, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, name, public_key, thumbprint, created_at, last_used_at
		FROM device_keys
		WHERE user_id = $1
		ORDER BY last_used_at DESC, id DESC`, userID)
	if err != nil {
		return nil, fail(err)
	}
	keys, err := pgx.CollectRows(rows, pgx.RowToStructByPos[models.DeviceKey])
	return keys, fail(err)
}

// AddDeviceKey registers a browser's key. conflict when the account holds too
// many; session_required when the session ended meanwhile.
func (s *Store) AddDeviceKey(ctx context.Context, ref models.Ref, key models.DeviceKey, decide models.Decide) error {
	_, _, err := s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		return keepDeviceKey(ctx, tx, now, ref.UserID, key)
	})
	return err
}

// keepDeviceKey registers a key, or notes the use of one that is registered.
func keepDeviceKey(ctx context.Context, tx pgx.Tx, now time.Time, userID models.ID, key models.DeviceKey) error {
	tag, err := tx.Exec(ctx, `
		INSERT INTO device_keys AS k (id, user_id, name, public_key, thumbprint, created_at, last_used_at)
		SELECT $1, $2, $3, $4, $5, $6, $6
		WHERE (SELECT count(*) FROM device_keys WHERE user_id = $2 AND thumbprint <> $5) < $7
		ON CONFLICT ON CONSTRAINT device_keys_thumbprint_key DO UPDATE
		SET last_used_at = $6`, key.ID, userID, key.Name, key.PublicKey, key.Thumbprint, now, maxDeviceKeys)
	if err == nil && tag.RowsAffected() == 0 {
		return &models.Error{Code: models.CodeConflict, Reason: "too_many", Message: "this account has too many devices: remove one first"}
	}
	return err
}

// useDeviceKey notes that a key signed; factor_rejected when it was removed
// meanwhile.
func useDeviceKey(ctx context.Context, tx pgx.Tx, now time.Time, userID, id models.ID) error {
	tag, err := tx.Exec(ctx, `
		UPDATE device_keys
		SET last_used_at = $3
		WHERE id = $1 AND user_id = $2`, id, userID, now)
	if err == nil && tag.RowsAffected() == 0 {
		return models.Refuse(models.CodeFactorRejected, "this device was removed meanwhile: use another way")
	}
	return err
}

// RemoveDeviceKey forgets a key; not_found when it is not the account's.
func (s *Store) RemoveDeviceKey(ctx context.Context, ref models.Ref, id models.ID, decide models.Decide) error {
	_, _, err := s.advance(ctx, ref, decide, func(tx pgx.Tx, _ time.Time) error {
		tag, err := tx.Exec(ctx, `
			DELETE FROM device_keys
			WHERE id = $1 AND user_id = $2`, id, ref.UserID)
		if err == nil && tag.RowsAffected() == 0 {
			return notFound()
		}
		return err
	})
	return err
}
