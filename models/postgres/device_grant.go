package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// slowBy is how much longer a device has to wait each time that it asked too soon
// (RFC 8628 section 3.5).
const slowBy = 5 * time.Second

// BeginDevice keeps an app that waits on a device. conflict when the code that its person
// is to type is another one's.
func (s *Store) BeginDevice(ctx context.Context, d models.DeviceAuthorization, device, userCode models.TokenHash) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO device_authorizations (id, client_id, device_hash, user_code_hash, scopes, ip, user_agent, poll_seconds, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		d.ID, d.AppID, device[:], userCode[:], d.Scopes, d.Client.IP, d.Client.UserAgent, int(d.Every.Seconds()), d.CreatedAt, d.ExpiresAt)
	if violates(err) == "device_authorizations_user_code_key" {
		return models.Refuse(models.CodeConflict, "this code is another one's")
	}
	return fail(err)
}

const deviceColumns = `
	id,
	client_id,
	scopes,
	ip,
	user_agent,
	poll_seconds,
	created_at,
	expires_at`

func scanDevice(row pgx.Row) (models.DeviceAuthorization, error) {
	var d models.DeviceAuthorization
	var seconds int
	err := row.Scan(&d.ID, &d.AppID, &d.Scopes, &d.Client.IP, &d.Client.UserAgent, &seconds, &d.CreatedAt, &d.ExpiresAt)
	d.Every = time.Duration(seconds) * time.Second
	if errors.Is(err, pgx.ErrNoRows) {
		return d, notFound()
	}
	return d, fail(err)
}

// FindDevice finds what waits by the code that somebody typed, and binds it to their
// session: nobody else can answer for it any more. not_found for a code that is over, or
// was typed elsewhere.
func (s *Store) FindDevice(ctx context.Context, by models.Session, userCode models.TokenHash) (models.DeviceAuthorization, error) {
	return scanDevice(s.pool.QueryRow(ctx, `
		UPDATE device_authorizations
		SET found_by = $2
		WHERE user_code_hash = $1 AND (found_by IS NULL OR found_by = $2) AND NOT denied AND grant_id IS NULL AND expires_at > $3
		RETURNING `+deviceColumns, userCode[:], by.ID, s.clock()))
}

// FoundDevice finds what a session typed the code of; not_found for anything else, and
// once it is answered.
func (s *Store) FoundDevice(ctx context.Context, by models.Session, id models.ID) (models.DeviceAuthorization, error) {
	return scanDevice(s.pool.QueryRow(ctx, `
		SELECT `+deviceColumns+`
		FROM device_authorizations
		WHERE id = $1 AND found_by = $2 AND NOT denied AND grant_id IS NULL AND expires_at > $3`, id, by.ID, s.clock()))
}

// AllowDevice signs a device in: it gets a session of its own, which stands on what this
// one has proven, and what its app gets hangs on that. admits looks at the session as it is
// under the lock and makes the device's. not_found when it is over, answered, or was found
// by another session.
func (s *Store) AllowDevice(ctx context.Context, ref models.Ref, d models.DeviceAuthorization, decide models.Decide, admits func(models.Session) (models.Session, error)) error {
	_, _, err := s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		by, err := sessionByRef(ctx, tx, ref)
		if err != nil {
			return err
		}
		device, err := admits(by)
		if err != nil {
			return err
		}
		if err := insertSession(ctx, tx, device); err != nil {
			return err
		}
		methods, err := json.Marshal(device.Methods)
		if err != nil {
			return err
		}
		grant := models.NewID(now)
		_, err = tx.Exec(ctx, `
			INSERT INTO grants (id, client_id, user_id, session_id, scopes, claims, nonce, methods, created_at)
			VALUES ($1, $2, $3, $4, $5, '{}', '', $6, $7)`, grant, d.AppID, device.User.ID, device.ID, d.Scopes, methods, now)
		if violates(err) != "" {
			return notFound() // the app was deleted meanwhile
		}
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			UPDATE device_authorizations
			SET grant_id = $3
			WHERE id = $1 AND found_by = $2 AND NOT denied AND grant_id IS NULL AND expires_at > $4`, d.ID, ref.ID, grant, now)
		if err == nil && tag.RowsAffected() == 0 {
			return notFound()
		}
		return err
	})
	return err
}

// DenyDevice answers no; not_found as with FoundDevice.
func (s *Store) DenyDevice(ctx context.Context, by models.Session, id models.ID) error {
	tag, err := s.pool.Exec(ctx, `
		UPDATE device_authorizations
		SET denied = true
		WHERE id = $1 AND found_by = $2 AND NOT denied AND grant_id IS NULL AND expires_at > $3`, id, by.ID, s.clock())
	if err == nil && tag.RowsAffected() == 0 {
		return notFound()
	}
	return fail(err)
}

// PollDevice answers a device that asks, and keeps what mint makes when its person has
// agreed: once.
func (s *Store) PollDevice(ctx context.Context, device models.TokenHash, appID string, mint func(models.Grant) models.Mint) (answer models.DevicePoll, grant models.Grant, user models.User, err error) {
	err = s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := lockDeviceSession(ctx, tx, `
			SELECT grant_id FROM device_authorizations WHERE device_hash = $1 AND client_id = $2`, device[:], appID); err != nil {
			return err
		}
		var id models.ID
		var grantID *models.ID
		var denied bool
		var seconds int
		var polledAt *time.Time
		var expiresAt time.Time
		err := tx.QueryRow(ctx, `
			SELECT id, grant_id, denied, poll_seconds, polled_at, expires_at
			FROM device_authorizations
			WHERE device_hash = $1 AND client_id = $2
			FOR UPDATE`, device[:], appID).Scan(&id, &grantID, &denied, &seconds, &polledAt, &expiresAt)
		every := time.Duration(seconds) * time.Second
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			answer = models.DeviceUnknown
			return nil
		case err != nil:
			return err
		case !expiresAt.After(now):
			answer = models.DeviceExpired
			return nil
		case denied:
			answer = models.DeviceDenied
			return nil
		case polledAt != nil && now.Sub(*polledAt) < every:
			answer, every = models.DeviceTooSoon, every+slowBy
		case grantID == nil:
			answer = models.DevicePending
		default:
			answer = models.DeviceAllowed
			if _, err := tx.Exec(ctx, `DELETE FROM device_authorizations WHERE id = $1`, id); err != nil {
				return err
			}
			if grant, err = scanGrant(tx.QueryRow(ctx, `SELECT `+grantColumns+` FROM grants g WHERE g.id = $1`, *grantID)); err != nil {
				return err
			}
			if user, err = userByID(ctx, tx, grant.UserID); err != nil {
				return err
			}
			return s.keepMinted(ctx, tx, now, grant, mint(grant))
		}
		_, err = tx.Exec(ctx, `
			UPDATE device_authorizations
			SET polled_at = $2, poll_seconds = $3
			WHERE id = $1`, id, now, int(every.Seconds()))
		return err
	})
	return answer, grant, user, err
}
