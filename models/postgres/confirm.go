package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

func usernameTaken() error {
	return &models.Error{Code: models.CodeConflict, Field: "username", Reason: "taken", Message: "this user name is taken: choose another"}
}

// Register notes a registration that waits for its address to be proven, and has a
// letter sent there. Until then there is no account: only its user name is kept free.
// It is the same for an address that is taken. conflict when the user name is;
// unchecked says that nobody could tell whether the password leaked.
func (s *Store) Register(ctx context.Context, u models.NewUser, by models.Session, unchecked bool) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO users (
				id, email, username, username_canonical, display_name, password_hash, webauthn_handle, language, created_at, unconfirmed_until
			) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			u.ID, u.Email, u.Username, u.UsernameCanonical, u.DisplayName, u.PasswordHash, u.Handle, u.Language, now, now.Add(models.ConfirmWithin))
		if violates(err) == "users_username_key" {
			return usernameTaken()
		}
		if err != nil {
			return err
		}
		by.User = u.User
		if err := s.record(ctx, tx, now, by, "account_created", map[string]any{"waits": true}); err != nil {
			return err
		}
		if unchecked {
			if err := s.record(ctx, tx, now, by, "breach_check_failed", map[string]any{"factor": models.Password}); err != nil {
				return err
			}
		}
		return claimAddress(ctx, tx, now, u.ID, models.Claim{Kind: models.LinkConfirmEmail, Email: u.Email, Canonical: u.EmailCanonical}, by.Client)
	})
}

// Unconfirmed finds a registration that waits, by its user name; not_found when there
// is none.
func (s *Store) Unconfirmed(ctx context.Context, usernameCanonical string) (models.Credentials, error) {
	return s.credentials(ctx, `
		SELECT `+userColumns+`, password_hash
		FROM users
		WHERE username_canonical = $1 AND unconfirmed_until IS NOT NULL`, usernameCanonical)
}

// RegisterAgain has the letter of a registration that waits sent once more. conflict
// when it is of another address.
func (s *Store) RegisterAgain(ctx context.Context, userID models.ID, claim models.Claim, client models.Client) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		tag, err := tx.Exec(ctx, `
			UPDATE users u
			SET unconfirmed_until = $4
			FROM address_claims c
			WHERE u.id = $1 AND u.unconfirmed_until IS NOT NULL AND c.user_id = u.id AND c.kind = $2 AND c.email_canonical = $3`,
			userID, claim.Kind, claim.Canonical, now.Add(models.ConfirmWithin))
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return usernameTaken()
		}
		return claimAddress(ctx, tx, now, userID, claim, client)
	})
}

// UnconfirmedByLink finds the registration that a letter's link confirms, without
// using it up. challenge_expired when there is none.
func (s *Store) UnconfirmedByLink(ctx context.Context, token models.TokenHash) (models.Credentials, error) {
	found, err := s.credentials(ctx, `
		SELECT `+userColumns+`, password_hash
		FROM users
		WHERE unconfirmed_until > $3 AND id = (
			SELECT user_id FROM mail_links WHERE token_hash = $1 AND kind = $2 AND used_at IS NULL AND expires_at > $3)`,
		token[:], models.LinkConfirmEmail, s.clock())
	if models.CodeOf(err) == models.CodeNotFound {
		return found, deadLink()
	}
	return found, err
}

// ConfirmEmail makes an account of a registration: its link was followed, and its
// password found right by this hash. It opens the first session. challenge_expired
// when the link doesn't work, or somebody else was faster to prove the address.
func (s *Store) ConfirmEmail(ctx context.Context, token models.TokenHash, hash string, client models.Client, transport models.Transport, decide models.Decide) (models.Session, string, error) {
	var session models.Session
	var opened string
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := lockAddresses(ctx, tx); err != nil {
			return err
		}
		link, err := takeLink(ctx, tx, now, models.LinkConfirmEmail, token)
		if err != nil {
			return err
		}
		if err := lockUser(ctx, tx, link.UserID); err != nil {
			return err
		}
		claim, err := spendClaim(ctx, tx, link)
		if err != nil {
			return err
		}
		taken, err := s.takeAddress(ctx, tx, now, link.UserID, claim.Canonical)
		if err != nil {
			return err
		}
		if !taken {
			return deadLink()
		}
		tag, err := tx.Exec(ctx, `
			UPDATE users
			SET email_canonical = $2, email_verified = true, unconfirmed_until = NULL
			WHERE id = $1 AND unconfirmed_until > $3 AND password_hash = $4`, link.UserID, claim.Canonical, now, hash)
		if violates(err) == "users_email_key" || err == nil && tag.RowsAffected() == 0 {
			return deadLink()
		}
		if err != nil {
			return err
		}
		session, opened, err = s.openLocked(ctx, tx, now, link.UserID, client, transport, decide)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, now, session, "email_confirmed", map[string]any{"registration": true})
	})
	return session, opened, err
}

// purgeUnconfirmed removes registrations whose address nobody has proven in time.
func (s *Store) purgeUnconfirmed(ctx context.Context, now time.Time) error {
	return s.eachAccount(ctx, func(tx pgx.Tx, now time.Time, id models.ID) error {
		// Asked again under the lock: it may have been confirmed, or asked for anew.
		tag, err := tx.Exec(ctx, `SELECT 1 FROM users WHERE id = $1 AND unconfirmed_until <= $2`, id, now)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return s.eraseAccount(ctx, tx, now, id)
	}, `
		SELECT id
		FROM users
		WHERE unconfirmed_until <= $1`, now)
}
