package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// ChangeEmail gives an account another address without a letter, where there is no
// mail: nothing is proven by it. conflict when it is another account's.
func (s *Store) ChangeEmail(ctx context.Context, ref models.Ref, claim models.Claim, client models.Client, decide models.Decide) (models.Session, string, error) {
	by := models.Session{User: models.User{ID: ref.UserID}, Client: client}
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		var held bool
		err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM users WHERE email_canonical = $1 AND id <> $2)`, claim.Canonical, ref.UserID).Scan(&held)
		if err != nil {
			return err
		}
		if held {
			return emailTaken()
		}
		moved, err := s.moveEmail(ctx, tx, now, by, claim, false)
		if err == nil && !moved {
			return emailTaken()
		}
		return err
	})
}

// moveEmail gives an account another address, and tells so at the one before, at the
// second and at the new one. It remembers the one before, and ends what a link that
// went there has opened. False when the address is somebody's.
func (s *Store) moveEmail(ctx context.Context, tx pgx.Tx, now time.Time, by models.Session, claim models.Claim, verified bool) (bool, error) {
	taken, err := s.takeAddress(ctx, tx, now, by.User.ID, claim.Canonical)
	if err != nil || !taken {
		return false, err
	}
	// Before the change, for the letter goes to the addresses that the account has.
	if err := s.record(ctx, tx, now, by, "email_changed", nil); err != nil {
		return false, err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO former_addresses (event_id, user_id, email, email_canonical, email_verified, changed_at)
		SELECT e.id, u.id, u.email, u.email_canonical, u.email_verified, e.at
		FROM users u
		JOIN events e ON e.user_id = u.id AND e.at = $2 AND e.fact = 'email_changed'
		WHERE u.id = $1 AND u.email_canonical IS NOT NULL`, by.User.ID, now)
	if err != nil {
		return false, err
	}
	_, err = tx.Exec(ctx, `
		UPDATE users
		SET email = $2, email_canonical = $3, email_verified = $4
		WHERE id = $1`, by.User.ID, claim.Email, claim.Canonical, verified)
	if violates(err) == "users_email_key" {
		return false, emailTaken()
	}
	if err != nil {
		return false, err
	}
	ended, err := deleteSessions(ctx, tx, `DELETE FROM sessions WHERE user_id = $1 AND methods @> '[{"method": "mail"}]' RETURNING id`, by.User.ID)
	if err != nil {
		return false, err
	}
	if err := s.recordRevoked(ctx, tx, now, by, ended); err != nil {
		return false, err
	}
	_, err = tx.Exec(ctx, `
		UPDATE users
		SET second_email = NULL, second_email_canonical = NULL, second_email_at = NULL
		WHERE id = $1 AND second_email_canonical = email_canonical`, by.User.ID)
	if err != nil {
		return false, err
	}
	return true, s.notify(ctx, tx, now, models.Notice{
		UserID: by.User.ID, Kind: models.NoticeEmailConfirmed, EventID: models.NewID(now), Address: claim.Email,
		Detail: models.NoticeDetail{IP: by.Client.IP, UserAgent: by.Client.UserAgent},
	})
}

// UndoEmail takes a change of address back by the link that went to the one before,
// and then does what "this wasn't me" about the change does. Every session ends.
// challenge_expired when the link doesn't work.
func (s *Store) UndoEmail(ctx context.Context, token models.TokenHash, client models.Client) (models.Denial, error) {
	var denial models.Denial
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		link, event, at, err := takeDenial(ctx, tx, now, models.LinkUndoEmail, token)
		if err != nil {
			return err
		}
		restored, err := s.restoreEmail(ctx, tx, now, link.UserID, at, at)
		if err != nil {
			return err
		}
		if !restored {
			return deadLink()
		}
		by := models.Session{User: models.User{ID: link.UserID}, Client: client}
		if err := s.record(ctx, tx, now, by, "email_restored", nil); err != nil {
			return err
		}
		if denial, err = s.deny(ctx, tx, now, by, event, at); err != nil {
			return err
		}
		ended, err := endAll(ctx, tx, link.UserID)
		if err != nil {
			return err
		}
		return s.recordRevoked(ctx, tx, now, by, ended)
	})
	return denial, err
}

// restoreEmail gives an account the address back that it had before the first change
// between two times, both included. What was sent to other addresses since does
// nothing any more. False when there was none, or the address is somebody's by now.
// Callers hold lockAddresses.
func (s *Store) restoreEmail(ctx context.Context, tx pgx.Tx, now time.Time, userID models.ID, from, until time.Time) (bool, error) {
	var email, canonical string
	var verified bool
	var changed time.Time
	err := tx.QueryRow(ctx, `
		SELECT email, email_canonical, email_verified, changed_at
		FROM former_addresses
		WHERE user_id = $1 AND changed_at BETWEEN $2 AND $3
		ORDER BY changed_at
		LIMIT 1`, userID, from, until).Scan(&email, &canonical, &verified, &changed)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	free, err := s.takeAddress(ctx, tx, now, userID, canonical)
	if err != nil || !free {
		return false, err
	}
	// In a transaction within, for somebody may be just registering with it, and a
	// denial must not fail of that.
	err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			UPDATE users
			SET email = $2, email_canonical = $3, email_verified = $4
			WHERE id = $1`, userID, email, canonical, verified)
		return err
	})
	if violates(err) == "users_email_key" {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM former_addresses WHERE user_id = $1 AND changed_at >= $2`, userID, changed); err != nil {
		return false, err
	}
	for _, sql := range []string{
		`DELETE FROM mail_links l USING users u
		 WHERE u.id = $1 AND l.user_id = u.id AND l.created_at >= $2 AND l.used_at IS NULL AND $3::timestamptz IS NOT NULL
			AND l.address <> u.email AND l.address IS DISTINCT FROM u.second_email`,
		`UPDATE notices n SET given_up_at = $3 FROM users u
		 WHERE u.id = $1 AND n.user_id = u.id AND n.created_at >= $2 AND n.sent_at IS NULL AND n.given_up_at IS NULL
			AND n.address <> u.email AND n.address IS DISTINCT FROM u.second_email`,
	} {
		if _, err := tx.Exec(ctx, sql, userID, changed, now); err != nil {
			return false, err
		}
	}
	return true, nil
}

// addSecondEmail gives an account a proven address beside its own, in place of
// another. The one that is added is not told: it may be a stranger's.
func (s *Store) addSecondEmail(ctx context.Context, tx pgx.Tx, now time.Time, by models.Session, claim models.Claim) error {
	if err := s.record(ctx, tx, now, by, "second_email_added", nil); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `
		UPDATE users
		SET second_email = $2, second_email_canonical = $3, second_email_at = $4
		WHERE id = $1 AND email_canonical IS DISTINCT FROM $3`, by.User.ID, claim.Email, claim.Canonical, now)
	if err == nil && tag.RowsAffected() == 0 {
		return deadLink() // it became the account's own meanwhile
	}
	return err
}

// RemoveSecondEmail takes the second address off an account, after both were told.
// conflict when there is none.
func (s *Store) RemoveSecondEmail(ctx context.Context, ref models.Ref, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, _ time.Time) error {
		var there bool
		err := tx.QueryRow(ctx, `SELECT second_email IS NOT NULL FROM users WHERE id = $1`, ref.UserID).Scan(&there)
		if err == nil && !there {
			return notFound()
		}
		return err
	})
}

func dropSecondEmail(ctx context.Context, tx pgx.Tx, userID models.ID) error {
	_, err := tx.Exec(ctx, `
		UPDATE users
		SET second_email = NULL, second_email_canonical = NULL, second_email_at = NULL
		WHERE id = $1`, userID)
	return err
}

// Addresses gives what an account has or asked for beside its own address.
func (s *Store) Addresses(ctx context.Context, userID models.ID) (models.Addresses, error) {
	var a models.Addresses
	err := s.pool.QueryRow(ctx, `SELECT coalesce(second_email, '') FROM users WHERE id = $1`, userID).Scan(&a.Second)
	if errors.Is(err, pgx.ErrNoRows) {
		return a, sessionOver()
	}
	if err != nil {
		return a, fail(err)
	}
	rows, err := s.pool.Query(ctx, `
		SELECT kind, email, email_canonical
		FROM address_claims
		WHERE user_id = $1 AND created_at > $2
		ORDER BY kind`, userID, s.clock().Add(-models.ConfirmWithin))
	if err != nil {
		return a, fail(err)
	}
	if a.Waiting, err = pgx.CollectRows(rows, pgx.RowToStructByPos[models.Claim]); err != nil {
		return a, fail(err)
	}
	a.Former, err = listOf[models.FormerAddress](ctx, s, userID, `
		SELECT email, changed_at
		FROM former_addresses
		WHERE user_id = $1
		ORDER BY changed_at`)
	return a, err
}
