package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// maxRemembered bounds the devices of one account: the oldest goes.
const maxRemembered = 10

// RememberedDevices lists the account's devices that are not over, the one used last
// first.
func (s *Store) RememberedDevices(ctx context.Context, userID models.ID) ([]models.RememberedDevice, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, public_key, thumbprint, session_id, ip, user_agent, created_at, last_used_at, ends_at
		FROM remembered_devices
		WHERE user_id = $1 AND ends_at > $2
		ORDER BY last_used_at DESC, id DESC`, userID, s.clock())
	if err != nil {
		return nil, fail(err)
	}
	devices, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (models.RememberedDevice, error) {
		var d models.RememberedDevice
		err := row.Scan(&d.ID, &d.Key.PublicKey, &d.Key.Thumbprint, &d.SessionID, &d.Client.IP, &d.Client.UserAgent, &d.CreatedAt, &d.LastUsedAt, &d.EndsAt)
		return d, err
	})
	return devices, fail(err)
}

// RememberDevice has a device remembered from now on, once in a session and once for a
// key: conflict otherwise.
func (s *Store) RememberDevice(ctx context.Context, ref models.Ref, d models.RememberedDevice, decide models.Decide) error {
	_, _, err := s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		tag, err := tx.Exec(ctx, `
			INSERT INTO remembered_devices (id, user_id, session_id, public_key, thumbprint, ip, user_agent, created_at, last_used_at, ends_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)
			ON CONFLICT DO NOTHING`,
			d.ID, ref.UserID, ref.ID, d.Key.PublicKey, d.Key.Thumbprint, d.Client.IP, d.Client.UserAgent, now, d.EndsAt)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return &models.Error{Code: models.CodeConflict, Reason: "remembered", Message: "a device was remembered in this session, or by this key, already"}
		}
		_, err = tx.Exec(ctx, `
			DELETE FROM remembered_devices
			WHERE id IN (SELECT id FROM remembered_devices WHERE user_id = $1 ORDER BY created_at DESC, id DESC OFFSET $2)`,
			ref.UserID, maxRemembered)
		return err
	})
	return err
}

// PassRemembered moves a session by a device that was recognised; conflict when it was
// forgotten meanwhile.
func (s *Store) PassRemembered(ctx context.Context, ref models.Ref, id models.ID, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		tag, err := tx.Exec(ctx, `
			UPDATE remembered_devices
			SET last_used_at = $3, session_id = $4
			WHERE id = $1 AND user_id = $2 AND ends_at > $3`, id, ref.UserID, now, ref.ID)
		if err == nil && tag.RowsAffected() == 0 {
			return models.NotRemembered()
		}
		return err
	})
}

// ForgetRemembered forgets a device and ends what it let in elsewhere; not_found when
// it is not the account's.
func (s *Store) ForgetRemembered(ctx context.Context, by models.Session, id models.ID) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := lockUser(ctx, tx, by.User.ID); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			DELETE FROM remembered_devices
			WHERE id = $1 AND user_id = $2`, id, by.User.ID)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return notFound()
		}
		ended, err := endRecognised(ctx, tx, by, id)
		if err != nil {
			return err
		}
		if err := s.record(ctx, tx, now, by, "remembered_device_removed", map[string]any{"id": id}); err != nil {
			return err
		}
		return s.recordRevoked(ctx, tx, now, by, ended)
	})
}

// forgetAllRemembered forgets every device of the account, that of this session too,
// and ends what they let in elsewhere, which it gives.
func forgetAllRemembered(ctx context.Context, tx pgx.Tx, session models.Session) ([]models.ID, error) {
	_, err := tx.Exec(ctx, `DELETE FROM remembered_devices WHERE user_id = $1`, session.User.ID)
	if err != nil {
		return nil, err
	}
	return endRecognised(ctx, tx, session, "")
}

// endRecognised ends the account's other sessions in which a device was recognised, or
// any with "": whoever holds a copy of its key may be in one. It gives them.
func endRecognised(ctx context.Context, tx pgx.Tx, session models.Session, id models.ID) ([]models.ID, error) {
	method := map[string]any{"method": models.Device}
	if id != "" {
		method["remembered"] = id
	}
	pattern, err := json.Marshal([]any{method})
	if err != nil {
		return nil, err
	}
	return deleteSessions(ctx, tx, `
		DELETE FROM sessions
		WHERE user_id = $1 AND id <> $2 AND methods @> $3
		RETURNING id`, session.User.ID, session.ID, pattern)
}
