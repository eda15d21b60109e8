package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// ReturnTransaction gives a passed transaction a code for its app, in the place of one that
// was not used. session_required when it is over.
func (s *Store) ReturnTransaction(ctx context.Context, by models.Session, code models.TokenHash) error {
	now := s.clock()
	tag, err := s.pool.Exec(ctx, `
		UPDATE transactions
		SET code_hash = $2, code_expires_at = $3
		WHERE id = $1 AND status = 'passed' AND expires_at > $4`, by.Transaction, code[:], now.Add(models.TransactionCodeWithin), now)
	if err == nil && tag.RowsAffected() == 0 {
		return sessionOver()
	}
	return fail(err)
}

// DenyTransaction ends a session's transaction by its person's own word. session_required
// when it is over.
func (s *Store) DenyTransaction(ctx context.Context, by models.Session) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := lockUser(ctx, tx, by.User.ID); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			UPDATE transactions
			SET status = 'denied', code_hash = NULL
			WHERE id = $1 AND status IN ('pending', 'passed') AND expires_at > $2`, by.Transaction, now)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return sessionOver()
		}
		if err := s.recordTransaction(ctx, tx, now, by, "transaction_denied", by.Transaction); err != nil {
			return err
		}
		return endTransactionSession(ctx, tx, by.Transaction)
	})
}

func endTransactionSession(ctx context.Context, tx pgx.Tx, id models.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM sessions WHERE transaction_id = $1`, id)
	return err
}

// RedeemTransaction uses the code of an app's transaction up and gives its result.
// not_found for another app's, and nothing changes there; invalid_grant for a wrong code,
// of which models.MaxWrongCodes end the transaction.
func (s *Store) RedeemTransaction(ctx context.Context, appID string, id models.ID, code models.TokenHash, client models.Client) (models.Transaction, error) {
	var t models.Transaction
	var refusal error
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		about, err := lockTransaction(ctx, tx, appID, id)
		if err != nil {
			return err
		}
		about.Client = client
		tag, err := tx.Exec(ctx, `
			UPDATE transactions
			SET status = 'redeemed', code_hash = NULL
			WHERE id = $1 AND status = 'passed' AND code_hash = $2 AND code_expires_at > $3`, id, code[:], now)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			refusal = invalidGrant() // what was counted stays
			return s.countWrongCode(ctx, tx, now, about, id)
		}
		if err := endTransactionSession(ctx, tx, id); err != nil {
			return err
		}
		if err := s.recordTransaction(ctx, tx, now, about, "transaction_redeemed", id); err != nil {
			return err
		}
		t, err = transactionByID(ctx, tx, id)
		return err
	})
	if err == nil {
		err = refusal
	}
	return t, err
}

// lockTransaction locks the subject of an app's transaction, and gives whom facts are about.
func lockTransaction(ctx context.Context, tx pgx.Tx, appID string, id models.ID) (models.Session, error) {
	about := models.Session{User: models.User{AppID: appID}}
	err := tx.QueryRow(ctx, `SELECT user_id FROM transactions WHERE id = $1 AND client_id = $2`, id, appID).Scan(&about.User.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return about, notFound()
	}
	if err != nil {
		return about, err
	}
	return about, lockUser(ctx, tx, about.User.ID)
}

func (s *Store) countWrongCode(ctx context.Context, tx pgx.Tx, now time.Time, about models.Session, id models.ID) error {
	var failed bool
	err := tx.QueryRow(ctx, `
		UPDATE transactions
		SET wrong_codes = wrong_codes + 1, status = CASE WHEN wrong_codes + 1 >= $2 THEN 'failed' ELSE status END
		WHERE id = $1 AND status IN ('pending', 'passed')
		RETURNING status = 'failed'`, id, models.MaxWrongCodes).Scan(&failed)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !failed {
		return nil
	}
	if err != nil {
		return err
	}
	if err := endTransactionSession(ctx, tx, id); err != nil {
		return err
	}
	return s.recordTransaction(ctx, tx, now, about, "transaction_failed", id)
}
