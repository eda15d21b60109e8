package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// KnownDevices finds whose markers these are. A browser holds one for each
// account that signed in there.
func (s *Store) KnownDevices(ctx context.Context, markers []models.TokenHash) ([]models.KnownDevice, error) {
	hashes := make([][]byte, len(markers))
	for i := range markers {
		hashes[i] = markers[i][:]
	}
	rows, err := s.pool.Query(ctx, `
		SELECT id, user_id, token_hash
		FROM known_devices
		WHERE token_hash = ANY($1) AND last_used_at > $2`, hashes, s.clock().Add(-models.KnownDeviceWithin))
	if err != nil {
		return nil, fail(err)
	}
	devices, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (models.KnownDevice, error) {
		var d models.KnownDevice
		var hash []byte
		if err := row.Scan(&d.ID, &d.UserID, &hash); err != nil {
			return d, err
		}
		d.Marker = models.TokenHash(hash)
		return d, nil
	})
	return devices, fail(err)
}

// maxKnownDevices bounds the lanes of one account.
const maxKnownDevices = 20

// knowDevice notes that the account reached level 2 on a device. A marker that it
// doesn't have yet is of a new device: that is recorded (and its owner told, unless the account is
// new itself), and where there are too
// many the one used longest ago goes.
func (s *Store) knowDevice(ctx context.Context, tx pgx.Tx, now time.Time, session models.Session, marker models.TokenHash) error {
	tag, err := tx.Exec(ctx, `
		UPDATE known_devices
		SET last_used_at = $3, session_id = $4, user_agent = $5
		WHERE token_hash = $1 AND user_id = $2 AND last_used_at > $6`,
		marker[:], session.User.ID, now, session.ID, session.Client.UserAgent, now.Add(-models.KnownDeviceWithin))
	if err != nil || tag.RowsAffected() == 1 {
		return err
	}
	id := models.NewID(now)
	_, err = tx.Exec(ctx, `
		INSERT INTO known_devices (id, user_id, token_hash, session_id, user_agent, created_at, last_used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $6)
		ON CONFLICT (token_hash) DO NOTHING`, id, session.User.ID, marker[:], session.ID, session.Client.UserAgent, now)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		DELETE FROM known_devices
		WHERE id IN (SELECT id FROM known_devices WHERE user_id = $1 ORDER BY last_used_at DESC, id DESC OFFSET $2)`,
		session.User.ID, maxKnownDevices)
	if err != nil {
		return err
	}
	fact := "new_device"
	if session.User.MFAEstablishedAt == nil {
		fact = "first_device" // of a new account, which needs no letter
	}
	return s.record(ctx, tx, now, session, fact, map[string]any{"device": id})
}

// forgetOtherDevices goes with ending an account's other sessions: only the
// device of this one keeps its lane, and is still remembered.
func forgetOtherDevices(ctx context.Context, tx pgx.Tx, session models.Session) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM known_devices
		WHERE user_id = $1 AND session_id <> $2`, session.User.ID, session.ID)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		DELETE FROM remembered_devices
		WHERE user_id = $1 AND session_id <> $2`, session.User.ID, session.ID)
	return err
}

// forgetDevice goes with ending a session from another: whoever has that device
// has no lane any more, and is asked for the second step again.
func forgetDevice(ctx context.Context, tx pgx.Tx, userID, sessionID models.ID) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM known_devices
		WHERE user_id = $1 AND session_id = $2`, userID, sessionID)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		DELETE FROM remembered_devices
		WHERE user_id = $1 AND session_id = $2`, userID, sessionID)
	return err
}
