package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// BeginTransaction keeps what an app asks for, and its subject where it is new. judge says,
// under the subject's lock, whether the subject can meet it, and whether a first factor may
// be set up. not_found when the app was deleted meanwhile.
func (s *Store) BeginTransaction(ctx context.Context, t models.Transaction, secret models.TokenHash, by models.Session, judge func(models.Attempt) (enrols bool, err error)) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		// The app before its subject, as its deletion does: the two must not wait for each other.
		tag, err := tx.Exec(ctx, `SELECT 1 FROM clients WHERE id = $1 FOR KEY SHARE`, t.App.ID)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return notFound()
		}
		id, err := keepSubject(ctx, tx, now, t.User)
		if err != nil {
			return err
		}
		if err := lockUser(ctx, tx, id); err != nil {
			return err
		}
		if by.User, err = userByID(ctx, tx, id); err != nil {
			return err
		}
		attempt, err := attemptOf(ctx, tx, by, now)
		if err != nil {
			return err
		}
		if t.Asked.Enrols, err = judge(attempt); err != nil {
			return err
		}
		asked, err := json.Marshal(t.Asked)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO transactions (id, client_id, user_id, secret_hash, asked, status, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7)`, t.ID, t.App.ID, id, secret[:], asked, t.CreatedAt, t.ExpiresAt)
		if err != nil {
			return err
		}
		return s.recordTransaction(ctx, tx, now, by, "transaction_begun", t.ID)
	})
}

// recordTransaction is record for a fact of a transaction.
func (s *Store) recordTransaction(ctx context.Context, tx pgx.Tx, now time.Time, by models.Session, fact string, id models.ID) error {
	return s.record(ctx, tx, now, by, fact, map[string]any{"app": by.User.AppID, "transaction": id})
}

const transactionColumns = `
	t.id,
	t.asked,
	t.status,
	t.opened_at,
	t.methods,
	t.enrolled,
	t.passed_at,
	t.created_at,
	t.expires_at,
	u.id,
	u.client_id,
	u.subject,
	u.display_name,
	c.settings`

func scanTransaction(row pgx.CollectableRow) (models.Transaction, error) {
	var t models.Transaction
	var asked, methods, settings []byte
	err := row.Scan(&t.ID, &asked, &t.Status, &t.OpenedAt, &methods, &t.Enrolled, &t.PassedAt, &t.CreatedAt, &t.ExpiresAt,
		&t.User.ID, &t.User.AppID, &t.User.Subject, &t.User.DisplayName, &settings)
	if err != nil {
		return t, err
	}
	err = errors.Join(json.Unmarshal(asked, &t.Asked), json.Unmarshal(methods, &t.Methods), json.Unmarshal(settings, &t.App))
	return t, err
}

func oneTransaction(rows pgx.Rows, err error) (models.Transaction, error) {
	if err != nil {
		return models.Transaction{}, err
	}
	t, err := pgx.CollectExactlyOneRow(rows, scanTransaction)
	if errors.Is(err, pgx.ErrNoRows) {
		return t, notFound()
	}
	return t, err
}

// Transaction finds a transaction, also one that is over; not_found when there is none.
func (s *Store) Transaction(ctx context.Context, id models.ID) (models.Transaction, error) {
	t, err := transactionByID(ctx, s.pool, id)
	return t, fail(err)
}

func transactionByID(ctx context.Context, db interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}, id models.ID) (models.Transaction, error) {
	rows, err := db.Query(ctx, `
		SELECT `+transactionColumns+`
		FROM transactions t
		JOIN users u ON u.id = t.user_id
		JOIN clients c ON c.id = t.client_id
		WHERE t.id = $1`, id)
	return oneTransaction(rows, err)
}

// OpenTransaction pins a transaction to the browser that brings its secret first, and opens
// its session there. not_found for a wrong secret, conflict when it was opened already,
// challenge_expired when it is over.
func (s *Store) OpenTransaction(ctx context.Context, id models.ID, secret models.TokenHash, client models.Client, decide models.Decide) (models.Session, string, error) {
	var session models.Session
	var token string
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		var userID models.ID
		err := tx.QueryRow(ctx, `SELECT user_id FROM transactions WHERE id = $1 AND secret_hash = $2`, id, secret[:]).Scan(&userID)
		if errors.Is(err, pgx.ErrNoRows) {
			return notFound()
		}
		if err != nil {
			return err
		}
		if err := lockUser(ctx, tx, userID); err != nil {
			return err
		}
		var opened bool
		err = tx.QueryRow(ctx, `
			UPDATE transactions
			SET opened_at = $2
			WHERE id = $1 AND opened_at IS NULL AND status = 'pending' AND expires_at > $2
			RETURNING true`, id, now).Scan(&opened)
		if errors.Is(err, pgx.ErrNoRows) {
			return whyNotOpened(ctx, tx, id)
		}
		if err != nil {
			return err
		}
		user, err := userByID(ctx, tx, userID)
		if err != nil {
			return err
		}
		before := models.Session{ID: models.NewID(now), User: user, Transport: models.InTransaction, Transaction: id, Client: client, CreatedAt: now}
		session, token, err = s.begin(ctx, tx, now, before, decide)
		return err
	})
	return session, token, err
}

func whyNotOpened(ctx context.Context, tx pgx.Tx, id models.ID) error {
	var opened bool
	if err := tx.QueryRow(ctx, `SELECT opened_at IS NOT NULL FROM transactions WHERE id = $1`, id).Scan(&opened); err != nil {
		return err
	}
	if opened {
		return &models.Error{Code: models.CodeConflict, Reason: "opened", Message: "this was opened in another window or browser: go on there, or go back to the app and start again"}
	}
	return models.Refuse(models.CodeChallengeExpired, "this is over: go back to the app and start again")
}

// termsOf reads what a transaction asks of its session.
func termsOf(ctx context.Context, tx pgx.Tx, id models.ID) (*models.Terms, error) {
	var terms models.Terms
	var asked []byte
	err := tx.QueryRow(ctx, `SELECT asked, enrolled, expires_at FROM transactions WHERE id = $1`, id).Scan(&asked, &terms.Enrolled, &terms.EndsAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, sessionOver()
	}
	if err != nil {
		return nil, err
	}
	return &terms, json.Unmarshal(asked, &terms.Asked)
}

// passTransaction notes on a session's transaction what was passed, while it is live.
func passTransaction(ctx context.Context, tx pgx.Tx, now time.Time, session models.Session, enrolled bool) error {
	methods, err := json.Marshal(session.Methods)
	if err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `
		UPDATE transactions
		SET status = 'passed', methods = $2, enrolled = $3, passed_at = $4
		WHERE id = $1 AND status IN ('pending', 'passed') AND expires_at > $4`, session.Transaction, methods, enrolled, now)
	if err == nil && tag.RowsAffected() == 0 {
		return sessionOver()
	}
	return err
}
