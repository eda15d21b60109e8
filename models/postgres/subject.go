package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

// keepSubject finds the subject of an app that is locked, or makes it, and gives its row's
// id.
func keepSubject(ctx context.Context, tx pgx.Tx, now time.Time, u models.User) (models.ID, error) {
	var id models.ID
	err := tx.QueryRow(ctx, `
		INSERT INTO users (id, client_id, subject, email, username, display_name, webauthn_handle, language, created_at)
		VALUES ($1, $2, $3, '', '', $4, $5, 'en', $6)
		ON CONFLICT ON CONSTRAINT users_subject_key DO UPDATE
		SET display_name = EXCLUDED.display_name
		RETURNING id`, models.NewID(now), u.AppID, u.Subject, u.DisplayName, seal.Random(64), now).Scan(&id)
	return id, err
}

// EraseSubject takes an app's subject away, with its factors and what else is known of it;
// not_found when there is none.
func (s *Store) EraseSubject(ctx context.Context, appID, subject string) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		var id models.ID
		err := tx.QueryRow(ctx, `SELECT id FROM users WHERE client_id = $1 AND subject = $2 FOR UPDATE`, appID, subject).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return notFound()
		}
		if err != nil {
			return err
		}
		return s.eraseSubject(ctx, tx, now, id, appID)
	})
}

func (s *Store) eraseSubject(ctx context.Context, tx pgx.Tx, now time.Time, id models.ID, appID string) error {
	if err := s.eraseUser(ctx, tx, now, id); err != nil {
		return err
	}
	return s.record(ctx, tx, now, models.Session{}, "subject_erased", map[string]any{"app": appID})
}

// eraseSubjects takes away the subjects of apps that are about to be deleted. The statement
// names the apps and locks them, so that none gets another subject meanwhile.
func (s *Store) eraseSubjects(ctx context.Context, tx pgx.Tx, now time.Time, apps string, args ...any) error {
	rows, err := tx.Query(ctx, apps, args...)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		rows, err := tx.Query(ctx, `SELECT id FROM users WHERE client_id = $1 ORDER BY id FOR UPDATE`, name)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[models.ID])
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := s.eraseSubject(ctx, tx, now, id, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// purgeSubjects takes away subjects that never set a factor up and are asked about no more.
func (s *Store) purgeSubjects(ctx context.Context) error {
	return s.eachAccount(ctx, func(tx pgx.Tx, now time.Time, id models.ID) error {
		var app string
		err := tx.QueryRow(ctx, `
			SELECT client_id
			FROM users u
			WHERE u.id = $1 AND u.mfa_established_at IS NULL AND NOT EXISTS (SELECT FROM transactions t WHERE t.user_id = u.id)`, id).Scan(&app)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // one was begun meanwhile
		}
		if err != nil {
			return err
		}
		return s.eraseSubject(ctx, tx, now, id, app)
	}, `
		SELECT u.id
		FROM users u
		WHERE u.client_id IS NOT NULL AND u.mfa_established_at IS NULL AND NOT EXISTS (SELECT FROM transactions t WHERE t.user_id = u.id)`)
}
