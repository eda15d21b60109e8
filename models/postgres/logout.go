package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// ChannelLogouts is notified when an app is to hear that a session is over.
const ChannelLogouts = "sallyport_logouts"

// keepLogouts is how long it is tried to tell an app.
const keepLogouts = 24 * time.Hour

// QueueLogouts has a job tell each app that is to hear of an end. The trigger that notes
// them can't queue jobs; whoever comes first does, once for each.
func (s *Store) QueueLogouts(ctx context.Context) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		rows, err := tx.Query(ctx, `
			UPDATE logouts
			SET queued_at = $1
			WHERE id IN (SELECT id FROM logouts WHERE queued_at IS NULL ORDER BY created_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
			RETURNING id`, now)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[models.ID])
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := enqueue(ctx, tx, sendLogout{LogoutID: id}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Logout finds what an app is to be told; not_found once it was.
func (s *Store) Logout(ctx context.Context, id models.ID) (models.Logout, error) {
	l := models.Logout{ID: id}
	var settings []byte
	err := s.pool.QueryRow(ctx, `
		SELECT l.user_id, l.session_id, c.settings
		FROM logouts l
		JOIN clients c ON c.id = l.client_id
		WHERE l.id = $1`, id).Scan(&l.UserID, &l.SessionID, &settings)
	if errors.Is(err, pgx.ErrNoRows) {
		return l, notFound()
	}
	if err != nil {
		return l, fail(err)
	}
	return l, json.Unmarshal(settings, &l.App)
}

// LogoutTold forgets what an app was told.
func (s *Store) LogoutTold(ctx context.Context, id models.ID) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM logouts WHERE id = $1`, id)
	return fail(err)
}
