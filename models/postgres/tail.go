package postgres

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// PublishedEvents reads the facts that leave the server, those whose ids are behind one,
// the oldest first. What tells of people beyond their ids is not read.
func (s *Store) PublishedEvents(ctx context.Context, behind models.ID, limit int) ([]models.AuditEvent, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, at, user_id, session_id, fact, detail
		FROM events
		WHERE id > $1 AND at >= $2 AND fact = ANY ($3)
			AND NOT EXISTS (SELECT FROM users u WHERE u.id = events.user_id AND u.client_id IS NOT NULL)
		ORDER BY id
		LIMIT $4`, behind, behind.Time(), models.PublishedFacts(), limit)
	if err != nil {
		return nil, fail(err)
	}
	events, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (models.AuditEvent, error) {
		var e models.AuditEvent
		var detail []byte
		if err := row.Scan(&e.ID, &e.At, &e.UserID, &e.SessionID, &e.Fact, &detail); err != nil {
			return e, err
		}
		return e, json.Unmarshal(detail, &e.Detail)
	})
	return events, fail(err)
}
