package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// RecordSecondFactorFailed notes that a right password was followed by a factor
// that was refused: somebody may know the password. Its owner is told.
func (s *Store) RecordSecondFactorFailed(ctx context.Context, by models.Session, factor models.Factor) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := lockUser(ctx, tx, by.User.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, now, by, "second_factor_failed", map[string]any{"factor": factor})
	})
}

// AbandonSignIn ends a sign-in that stopped after the password, and tells its owner:
// else whoever tries a password would only have to sign out. not_found when it
// moved or ended meanwhile.
func (s *Store) AbandonSignIn(ctx context.Context, by models.Session) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := lockUser(ctx, tx, by.User.ID); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			DELETE FROM sessions
			WHERE id = $1 AND token_hash = $2`, by.ID, by.TokenHash[:])
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return notFound()
		}
		return s.record(ctx, tx, now, by, "sign_in_unfinished", nil)
	})
}

// purgeUnfinished removes sign-ins that stopped after the password, and tells their
// owners, but of those that the same browser finished by another sign-in.
func (s *Store) purgeUnfinished(ctx context.Context, now time.Time) error {
	return s.eachAccount(ctx, func(tx pgx.Tx, now time.Time, owner models.ID) error {
		return s.endUnfinished(ctx, tx, now, owner)
	}, `
		SELECT DISTINCT user_id
		FROM sessions
		WHERE LEAST(idle_ends_at, ends_at) <= $1 AND state = 'second_factor_required'
			AND methods @> '[{"method": "pwd"}]'`, now)
}

func (s *Store) endUnfinished(ctx context.Context, tx pgx.Tx, now time.Time, owner models.ID) error {
	rows, err := tx.Query(ctx, `
		DELETE FROM sessions s
		USING users u
		WHERE u.id = s.user_id AND u.id = $1 AND LEAST(s.idle_ends_at, s.ends_at) <= $2 AND s.state = 'second_factor_required'
			AND s.methods @> '[{"method": "pwd"}]'
		RETURNING `+sessionColumns, owner, now)
	if err != nil {
		return err
	}
	ended, err := pgx.CollectRows(rows, scanSession)
	if err != nil {
		return err
	}
	for _, session := range ended {
		var finished bool
		err := tx.QueryRow(ctx, `
			SELECT EXISTS (
				SELECT 1 FROM sessions
				WHERE user_id = $1 AND state = 'authenticated' AND created_at >= $2 AND ip = $3 AND user_agent = $4
			)`, owner, session.CreatedAt, session.Client.IP, session.Client.UserAgent).Scan(&finished)
		if err != nil {
			return err
		}
		if finished {
			continue
		}
		if err := s.record(ctx, tx, now, session, "sign_in_unfinished", nil); err != nil {
			return err
		}
	}
	return nil
}
