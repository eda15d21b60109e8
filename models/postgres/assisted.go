package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// SetAdmin makes the account of a user name an admin, or takes that away. not_found
// when there is no such account; conflict when nothing changes by it.
func (s *Store) SetAdmin(ctx context.Context, username string, admin bool) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		user, err := userByName(ctx, tx, username)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			UPDATE users
			SET admin_since = CASE WHEN $2 THEN $3::timestamptz END
			WHERE id = $1 AND (admin_since IS NULL) = $2`, user.ID, admin, now)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return models.Refuse(models.CodeConflict, "nothing changes by that")
		}
		fact := "admin_granted"
		if !admin {
			fact = "admin_revoked"
		}
		return s.record(ctx, tx, now, models.Session{User: user}, fact, nil)
	})
}

// Admins lists the user names of admins.
func (s *Store) Admins(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT username FROM users WHERE admin_since IS NOT NULL ORDER BY username`)
	if err != nil {
		return nil, fail(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return names, fail(err)
}

// userByName finds and locks the account of a user name, written as its owner did.
func userByName(ctx context.Context, tx pgx.Tx, username string) (models.User, error) {
	rows, err := tx.Query(ctx, `SELECT `+userColumns+` FROM users WHERE username = $1 AND client_id IS NULL AND unconfirmed_until IS NULL FOR NO KEY UPDATE`, username)
	if err != nil {
		return models.User{}, err
	}
	user, err := pgx.CollectExactlyOneRow(rows, scanUser)
	if errors.Is(err, pgx.ErrNoRows) {
		return user, models.Refuse(models.CodeNotFound, "nobody here has that user name")
	}
	return user, err
}

// AssistedRecoveries lists the recoveries that admins opened, the oldest first.
func (s *Store) AssistedRecoveries(ctx context.Context) ([]models.AssistedRequest, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT r.id, u.username, o.username, r.opened_by, coalesce(a.username, ''), r.begun_at, r.ready_at
		FROM recoveries r
		JOIN users u ON u.id = r.user_id
		JOIN users o ON o.id = r.opened_by
		LEFT JOIN users a ON a.id = r.approved_by
		WHERE r.kind = 'assisted'
		ORDER BY r.begun_at`)
	if err != nil {
		return nil, fail(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[models.AssistedRequest])
	return list, fail(err)
}

// OpenAssisted begins an assisted recovery of the account of a user name, and tells its
// owner. not_found when there is no such account; conflict when it is the admin's own,
// never had a second factor, or a recovery of it is under way.
func (s *Store) OpenAssisted(ctx context.Context, ref models.Ref, username string, decide models.Decide) (models.ID, error) {
	var id models.ID
	_, _, err := s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		user, err := userByName(ctx, tx, username)
		switch {
		case err != nil:
			return err
		case user.ID == ref.UserID:
			return &models.Error{Code: models.CodeConflict, Reason: "own_account", Message: "nobody lets themselves back in: ask another admin"}
		case user.MFAEstablishedAt == nil:
			return &models.Error{Code: models.CodeConflict, Reason: "no_factor", Message: "this account never had a second factor: its owner signs in with the password"}
		}
		id = models.NewID(now)
		tag, err := tx.Exec(ctx, `
			INSERT INTO recoveries (id, user_id, kind, begun_at, told_at, opened_by)
			VALUES ($1, $2, $3, $4, $4, $5)
			ON CONFLICT ON CONSTRAINT recoveries_user_key DO NOTHING`, id, user.ID, models.AssistedRecovery, now, ref.UserID)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return &models.Error{Code: models.CodeConflict, Reason: "recovery_begun", Message: "a way back into this account is under way"}
		}
		return s.record(ctx, tx, now, models.Session{User: user}, "recovery_requested", nil)
	})
	return id, err
}

// ApproveAssisted is the second admin's word: the owner is sent a link. not_found for
// what can't be approved, and conflict for one's own request or account. The first
// admin has to be one still.
func (s *Store) ApproveAssisted(ctx context.Context, ref models.Ref, id models.ID, decide models.Decide) error {
	_, _, err := s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		var owner, opener models.ID
		err := tx.QueryRow(ctx, `SELECT user_id, opened_by FROM recoveries WHERE id = $1 AND kind = 'assisted'`, id).Scan(&owner, &opener)
		if errors.Is(err, pgx.ErrNoRows) {
			return notFound()
		}
		if err != nil {
			return err
		}
		if opener == ref.UserID || owner == ref.UserID {
			return &models.Error{Code: models.CodeConflict, Reason: "four_eyes", Message: "it takes two: another admin has to agree"}
		}
		if err := lockUser(ctx, tx, owner); err != nil {
			return notFound()
		}
		tag, err := tx.Exec(ctx, `
			UPDATE recoveries r
			SET approved_by = $2, ready_at = $3, told_at = $3
			FROM users o
			WHERE r.id = $1 AND r.approved_by IS NULL AND r.begun_at > $4 AND o.id = r.opened_by AND o.admin_since IS NOT NULL`,
			id, ref.UserID, now, now.Add(-models.AssistedFor))
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return notFound()
		}
		return s.record(ctx, tx, now, models.Session{User: models.User{ID: owner}}, "recovery_approved", nil)
	})
	return err
}

// WithdrawAssisted ends a recovery that admins opened; not_found when there is none.
func (s *Store) WithdrawAssisted(ctx context.Context, by models.Session, id models.ID) error {
	return s.held(ctx, by, func(tx pgx.Tx, now time.Time) error {
		var owner models.ID
		err := tx.QueryRow(ctx, `DELETE FROM recoveries WHERE id = $1 AND kind = 'assisted' RETURNING user_id`, id).Scan(&owner)
		if errors.Is(err, pgx.ErrNoRows) {
			return notFound()
		}
		if err != nil {
			return err
		}
		return s.record(ctx, tx, now, models.Session{User: models.User{ID: owner}}, "recovery_stopped", nil)
	})
}
