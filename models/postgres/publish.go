package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// letter is a message for endpoints, and in which lane it goes out.
type letter struct {
	models.Message
	lane  models.ID     // of this user; "" for none
	delay time.Duration // before its first attempt
	only  models.ID     // the one endpoint that it is for; "" for all whose filter takes it
}

// publish writes a delivery of a fact for each endpoint that is told of it, in the fact's
// own transaction. Callers hold the user's lock, so numbers of a lane are in the order in
// which its facts are committed.
func (s *Store) publish(ctx context.Context, tx pgx.Tx, now time.Time, e models.AuditEvent) error {
	m, public := models.MessageOf(e)
	if !public {
		return nil
	}
	l := letter{Message: m, lane: e.UserID}
	if m.Type == models.TypeAccountDeleted {
		// There is no row that a lane could hang on, and none before it in one: what was
		// under way when the account went has arrived or failed by then.
		l.lane, l.delay = "", leaseFor
	}
	_, err := s.deliver(ctx, tx, now, l)
	return err
}

// deliver writes the deliveries of a letter and has each sent. The endpoints' rows are
// locked against being disabled meanwhile, for which what waits is given up. Nobody is told
// of an app's subject: what receivers know are accounts.
func (s *Store) deliver(ctx context.Context, tx pgx.Tx, now time.Time, l letter) ([]models.ID, error) {
	payload, err := json.Marshal(l.Message)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `
		INSERT INTO webhook_deliveries (id, endpoint_id, event_id, user_id, type, payload, created_at, next_at)
		SELECT gen_random_uuid(), e.id, $1, $2, $3, $4, $5, $6
		FROM webhook_endpoints e
		WHERE e.disabled_at IS NULL AND NOT EXISTS (SELECT FROM users WHERE id = $2 AND client_id IS NOT NULL) AND CASE WHEN $7::uuid IS NULL THEN e.types = '{}' OR $3 = ANY (e.types) ELSE e.id = $7 END
		FOR KEY SHARE OF e
		RETURNING id`, l.Data.ID, l.lane, l.Type, payload, now, now.Add(l.delay), l.only)
	if err != nil {
		return nil, err
	}
	written, err := pgx.CollectRows(rows, pgx.RowTo[models.ID])
	if err != nil {
		return nil, err
	}
	for _, id := range written {
		if err := enqueue(ctx, tx, deliverWebhook{DeliveryID: id}); err != nil {
			return nil, err
		}
	}
	return written, nil
}
