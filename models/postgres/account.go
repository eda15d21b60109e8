package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

const userColumns = `
	id,
	email,
	email_verified,
	email_canonical IS NOT NULL,
	username,
	display_name,
	webauthn_handle,
	mfa_established_at,
	admin_since IS NOT NULL,
	ARRAY(SELECT name FROM user_groups WHERE user_id = users.id ORDER BY name),
	created_at,
	coalesce(client_id, ''),
	coalesce(subject, '')`

func scanUser(row pgx.CollectableRow) (models.User, error) {
	var u models.User
	err := row.Scan(&u.ID, &u.Email, &u.EmailVerified, &u.EmailHeld, &u.Username, &u.DisplayName, &u.Handle, &u.MFAEstablishedAt, &u.Admin, &u.Groups, &u.CreatedAt, &u.AppID, &u.Subject)
	return u, err
}

func userByID(ctx context.Context, tx pgx.Tx, id models.ID) (models.User, error) {
	rows, err := tx.Query(ctx, `SELECT `+userColumns+` FROM users WHERE id = $1`, id)
	if err != nil {
		return models.User{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scanUser)
}

// UserByHandle finds the account of a WebAuthn user handle; not_found when
// there is none, and for an app's subject, who signs in nowhere.
func (s *Store) UserByHandle(ctx context.Context, handle []byte) (models.User, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+userColumns+` FROM users WHERE webauthn_handle = $1 AND client_id IS NULL`, handle)
	if err != nil {
		return models.User{}, fail(err)
	}
	user, err := pgx.CollectExactlyOneRow(rows, scanUser)
	if errors.Is(err, pgx.ErrNoRows) {
		return models.User{}, notFound()
	}
	return user, fail(err)
}

// CredentialsByIdentifier finds an account by the canonical form of its email
// address or user name; not_found when there is none, or it waits for its address to
// be proven.
func (s *Store) CredentialsByIdentifier(ctx context.Context, canonical string) (models.Credentials, error) {
	return s.credentials(ctx, `
		SELECT `+userColumns+`, password_hash
		FROM users
		WHERE (email_canonical = $1 OR username_canonical = $1) AND unconfirmed_until IS NULL`, canonical)
}

// PasswordDecoy gives the password hash of some account or other, always the
// same for one digest, and "" when there are none. Checked in place of the hash
// of an account that doesn't exist, it costs what accounts cost here: after the
// parameters were changed some have the old ones still.
func (s *Store) PasswordDecoy(ctx context.Context, digest []byte) (string, error) {
	var hash string
	// Handles are random, so a digest falls on each account alike.
	err := s.pool.QueryRow(ctx, `
		SELECT coalesce(
			(SELECT password_hash FROM users WHERE webauthn_handle >= $1 AND client_id IS NULL ORDER BY webauthn_handle LIMIT 1),
			(SELECT password_hash FROM users WHERE client_id IS NULL ORDER BY webauthn_handle LIMIT 1),
			'')`, digest).Scan(&hash)
	return hash, fail(err)
}

// CredentialsByID finds an account by its id; not_found when there is none.
func (s *Store) CredentialsByID(ctx context.Context, id models.ID) (models.Credentials, error) {
	return s.credentials(ctx, `
		SELECT `+userColumns+`, password_hash
		FROM users
		WHERE id = $1 AND client_id IS NULL`, id)
}

func (s *Store) credentials(ctx context.Context, sql string, args ...any) (models.Credentials, error) {
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return models.Credentials{}, fail(err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (models.Credentials, error) {
		var c models.Credentials
		err := row.Scan(&c.ID, &c.Email, &c.EmailVerified, &c.EmailHeld, &c.Username, &c.DisplayName, &c.Handle, &c.MFAEstablishedAt, &c.Admin, &c.Groups, &c.CreatedAt, &c.AppID, &c.Subject, &c.PasswordHash)
		return c, err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return models.Credentials{}, notFound()
	}
	return found, fail(err)
}

// CreateAccount makes an account at once, where addresses are not proven, and opens
// its first session. conflict with
// the field when the address or the name is taken.
func (s *Store) CreateAccount(ctx context.Context, u models.NewUser, client models.Client, transport models.Transport, decide models.Decide) (models.Session, string, error) {
	var session models.Session
	var token string
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO users (
				id, email, email_canonical, username, username_canonical, display_name, password_hash, webauthn_handle, language, created_at
			) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			u.ID, u.Email, u.EmailCanonical, u.Username, u.UsernameCanonical, u.DisplayName, u.PasswordHash, u.Handle, u.Language, now)
		switch violates(err) {
		case "users_email_key":
			return emailTaken()
		case "users_username_key":
			return usernameTaken()
		}
		if err != nil {
			return err
		}
		// After the row is there: the index has waited for a change that was in flight.
		owner, err := ownerOf(ctx, tx, now, u.EmailCanonical, u.ID)
		if err != nil {
			return err
		}
		if owner != "" {
			return emailTaken()
		}
		session, token, err = s.openLocked(ctx, tx, now, u.ID, client, transport, decide)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, now, session, "account_created", nil)
	})
	return session, token, err
}

// OpenSession opens a session after a password was found right by this hash.
// invalid_credentials when the password was changed meanwhile: that ends every
// session, and must not miss the one that is just being opened.
func (s *Store) OpenSession(ctx context.Context, userID models.ID, hash string, client models.Client, transport models.Transport, decide models.Decide) (models.Session, string, error) {
	return s.open(ctx, userID, client, transport, decide, func(tx pgx.Tx, _ time.Time) error {
		var same bool
		err := tx.QueryRow(ctx, `SELECT password_hash = $2 FROM users WHERE id = $1`, userID, hash).Scan(&same)
		if err == nil && !same {
			return models.Refuse(models.CodeInvalidCredentials, "this name and password don't go together")
		}
		return err
	})
}

// RehashPassword replaces a hash that was made with older parameters. It does
// nothing when the password was changed meanwhile.
func (s *Store) RehashPassword(ctx context.Context, userID models.ID, old, fresh string) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE users
		SET password_hash = $3
		WHERE id = $1 AND password_hash = $2`, userID, old, fresh)
	return fail(err)
}

// ChangePassword sets a new hash in place of the one that was checked.
// invalid_credentials when another request was faster.
func (s *Store) ChangePassword(ctx context.Context, ref models.Ref, old, fresh string, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, _ time.Time) error {
		tag, err := tx.Exec(ctx, `
			UPDATE users
			SET password_hash = $3, password_distrusted_at = NULL
			WHERE id = $1 AND password_hash = $2`, ref.UserID, old, fresh)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return models.Refuse(models.CodeInvalidCredentials, "your password was changed meanwhile: use the new one")
		}
		return nil
	})
}

// Enrolled counts the factors of an account.
func (s *Store) Enrolled(ctx context.Context, session models.Session) (models.Enrolled, error) {
	e, err := enrolledOf(ctx, s.pool, session.User.ID, session.ID, s.clock())
	return e, fail(err)
}

type queryer interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// enrolledOf counts what a session of the account may count on.
func enrolledOf(ctx context.Context, db queryer, userID, sessionID models.ID, now time.Time) (models.Enrolled, error) {
	var e models.Enrolled
	err := db.QueryRow(ctx, `
		WITH disabled AS (SELECT factor FROM factor_failures WHERE user_id = $1 AND disabled_at IS NOT NULL)
		SELECT
			(SELECT count(*) FROM passkeys WHERE user_id = $1 AND quarantined_at IS NULL AND 'passkey' NOT IN (SELECT factor FROM disabled)),
			EXISTS (SELECT 1 FROM totp WHERE user_id = $1 AND quarantined_at IS NULL AND 'totp' NOT IN (SELECT factor FROM disabled)),
			EXISTS (SELECT 1 FROM faces WHERE user_id = $1 AND disabled_at IS NULL),
			(SELECT count(*) FROM `+usableCodes+` AND c.used_at IS NULL AND 'recovery' NOT IN (SELECT factor FROM disabled)),
			(SELECT count(*) FROM remembered_devices WHERE user_id = $1 AND ends_at > $3 AND 'device' NOT IN (SELECT factor FROM disabled)),
			ARRAY(SELECT factor FROM disabled)`, userID, sessionID, now,
	).Scan(&e.Passkeys, &e.TOTP, &e.Face, &e.Codes, &e.Remembered, &e.Disabled)
	return e, err
}
