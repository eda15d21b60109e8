package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// AskReset notes that a letter for a new password was asked for, in the same way
// whether the address is anybody's or not.
func (s *Store) AskReset(ctx context.Context, emailCanonical string, client models.Client) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		id := models.NewID(now)
		_, err := tx.Exec(ctx, `
			INSERT INTO letter_requests (id, email_canonical, ip, user_agent, created_at)
			VALUES ($1, $2, $3, $4, $5)`, id, emailCanonical, client.IP, client.UserAgent, now)
		if err != nil {
			return err
		}
		return enqueue(ctx, tx, answerRequest{RequestID: id})
	})
}

// AnswerRequest has the letter written that was asked for, if there is whom to write
// to, and forgets the request.
func (s *Store) AnswerRequest(ctx context.Context, id models.ID) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		var email string
		about := models.Session{}
		err := tx.QueryRow(ctx, `
			DELETE FROM letter_requests
			WHERE id = $1
			RETURNING email_canonical, ip, user_agent`, id).Scan(&email, &about.Client.IP, &about.Client.UserAgent)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // answered before
		}
		if err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `SELECT id FROM users WHERE email_canonical = $1 FOR NO KEY UPDATE`, email).Scan(&about.User.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return s.record(ctx, tx, now, about, "password_reset_offered", nil)
	})
}

// FollowReset opens a session by the link of a letter for a new password, once.
// challenge_expired when the link doesn't work, or the password is another by now, or
// the address that it was sent to.
func (s *Store) FollowReset(ctx context.Context, token models.TokenHash, client models.Client, transport models.Transport, decide models.Decide) (models.Session, string, error) {
	var session models.Session
	var opened string
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		user, _, err := takeLinkOf(ctx, tx, now, models.LinkPasswordReset, token)
		if err != nil {
			return err
		}
		session, opened, err = s.openLocked(ctx, tx, now, user.ID, client, transport, decide)
		return err
	})
	return session, opened, err
}

// ResetPassword sets a new hash and ends every session of the account.
func (s *Store) ResetPassword(ctx context.Context, ref models.Ref, fresh string, decide models.Decide) error {
	_, _, err := s.advance(ctx, ref, decide, func(tx pgx.Tx, _ time.Time) error {
		_, err := tx.Exec(ctx, `
			UPDATE users
			SET password_hash = $2, password_distrusted_at = NULL
			WHERE id = $1`, ref.UserID, fresh)
		return err
	})
	return err
}
