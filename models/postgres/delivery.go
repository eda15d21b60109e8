package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// leaseFor is longer than an attempt takes, with its report: until then nobody else takes
// the delivery.
const leaseFor = 30 * time.Second

// Deliveries of a lane, which is one user at one endpoint, go out one after another.
// Whatever takes or reports one does so under the lane's lock, so that of two nobody
// believes that the other still waits.
func lockLane(ctx context.Context, tx pgx.Tx, endpoint, user models.ID) error {
	if user == "" {
		return nil
	}
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('sallyport_lane ' || $1::text || ' ' || $2::text, 0))`, string(endpoint), string(user))
	return err
}

// TakeDelivery takes a delivery for an attempt. It gives how long to wait where its time
// has not come. not_found when there is nothing to do for whoever asks: it is delivered,
// dead or gone, or waits behind an older one of its lane, whose report wakes it.
func (s *Store) TakeDelivery(ctx context.Context, id models.ID) (models.Parcel, time.Duration, error) {
	parcel := models.Parcel{ID: id}
	var wait time.Duration
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		err := tx.QueryRow(ctx, `SELECT endpoint_id, user_id FROM webhook_deliveries WHERE id = $1`, id).Scan(&parcel.Endpoint, &parcel.UserID)
		if errors.Is(err, pgx.ErrNoRows) {
			return notFound()
		}
		if err != nil {
			return err
		}
		if err := lockLane(ctx, tx, parcel.Endpoint, parcel.UserID); err != nil {
			return err
		}
		var next time.Time
		err = tx.QueryRow(ctx, `
			SELECT next_at
			FROM webhook_deliveries d
			WHERE id = $1 AND delivered_at IS NULL AND dead_at IS NULL AND NOT EXISTS (
				SELECT 1
				FROM webhook_deliveries o
				WHERE o.endpoint_id = d.endpoint_id AND o.user_id = d.user_id AND o.number < d.number
					AND o.delivered_at IS NULL AND o.dead_at IS NULL
			)`, id).Scan(&next)
		if errors.Is(err, pgx.ErrNoRows) {
			return notFound()
		}
		if err != nil {
			return err
		}
		if wait = next.Sub(now); wait > 0 {
			return nil
		}
		if err := takeParcel(ctx, tx, now, &parcel); err != nil {
			return err
		}
		parcel.Secrets, err = s.signingSecrets(ctx, tx, now, parcel.Endpoint)
		return err
	})
	return parcel, max(wait, 0), err
}

// takeParcel is the one statement by which a delivery is taken, once, without a lane too.
func takeParcel(ctx context.Context, tx pgx.Tx, now time.Time, p *models.Parcel) error {
	p.Until = now.Add(leaseFor)
	err := tx.QueryRow(ctx, `
		UPDATE webhook_deliveries d
		SET attempts = d.attempts + 1, next_at = $3
		FROM webhook_endpoints e
		WHERE d.id = $1 AND e.id = d.endpoint_id AND d.next_at <= $2 AND d.delivered_at IS NULL AND d.dead_at IS NULL
		RETURNING d.event_id, d.payload, d.attempts, e.url`, p.ID, now, p.Until).Scan(&p.EventID, &p.Payload, &p.Attempt, &p.URL)
	if errors.Is(err, pgx.ErrNoRows) {
		return notFound()
	}
	return err
}

// signingSecrets opens the secrets that sign for an endpoint, the newest first.
func (s *Store) signingSecrets(ctx context.Context, tx pgx.Tx, now time.Time, endpoint models.ID) ([][]byte, error) {
	rows, err := tx.Query(ctx, `
		SELECT id, secret
		FROM webhook_secrets
		WHERE endpoint_id = $1 AND (expires_at IS NULL OR expires_at > $2)
		ORDER BY expires_at DESC NULLS FIRST`, endpoint, now)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]byte, error) {
		var id models.ID
		var sealed []byte
		if err := row.Scan(&id, &sealed); err != nil {
			return nil, err
		}
		return s.sealer.Open(sealed, secretPlace(id, endpoint))
	})
}

// ReportDelivery notes what came of an attempt, unless another has taken the delivery
// since. Once nothing holds its lane up any more, the next one of it is sent.
func (s *Store) ReportDelivery(ctx context.Context, p models.Parcel, o models.Outcome) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := lockLane(ctx, tx, p.Endpoint, p.UserID); err != nil {
			return err
		}
		over := o.Delivered || o.Again == 0
		_, err := tx.Exec(ctx, `
			UPDATE webhook_deliveries
			SET delivered_at = CASE WHEN $3 THEN $6::timestamptz END, dead_at = CASE WHEN $4 AND NOT $3 THEN $6 END, next_at = $5,
				last_status = nullif($7, 0), last_error = nullif($8, '')
			WHERE id = $1 AND next_at = $2 AND delivered_at IS NULL AND (dead_at IS NULL OR $3)`,
			p.ID, p.Until, o.Delivered, over, now.Add(o.Again), now, o.Status, o.Error)
		if err != nil {
			return err
		}
		if o.Gone {
			if err := s.disableGone(ctx, tx, now, p.Endpoint); err != nil {
				return err
			}
		}
		// It names an account that is gone: it goes as well, the moment it has arrived.
		_, err = tx.Exec(ctx, `
			DELETE FROM webhook_deliveries
			WHERE id = $1 AND type = $2 AND delivered_at IS NOT NULL`, p.ID, models.TypeAccountDeleted)
		if err != nil || !over {
			return err
		}
		return wakeLane(ctx, tx, p.Endpoint, p.UserID)
	})
}

// wakeLane has the oldest delivery sent that waits in a lane.
func wakeLane(ctx context.Context, tx pgx.Tx, endpoint, user models.ID) error {
	var id models.ID
	err := tx.QueryRow(ctx, `
		SELECT id
		FROM webhook_deliveries
		WHERE endpoint_id = $1 AND user_id = $2 AND delivered_at IS NULL AND dead_at IS NULL
		ORDER BY number
		LIMIT 1`, endpoint, user).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return enqueue(ctx, tx, deliverWebhook{DeliveryID: id})
}

// disableGone takes an endpoint at its word that it is no more (410).
func (s *Store) disableGone(ctx context.Context, tx pgx.Tx, now time.Time, endpoint models.ID) error {
	if err := lockWebhook(ctx, tx, endpoint); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `UPDATE webhook_endpoints SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL`, endpoint, now)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	if err := bury(ctx, tx, now, endpoint); err != nil {
		return err
	}
	return s.record(ctx, tx, now, models.Session{}, "webhook_gone", map[string]any{"id": endpoint})
}

// Deliveries lists those of an endpoint in one state, or in any with "", the newest first:
// at most limit that stand before one of them; "" begins with the newest. not_found when
// there is no such endpoint.
func (s *Store) Deliveries(ctx context.Context, endpoint models.ID, state models.DeliveryState, before models.ID, limit int) ([]models.Delivery, error) {
	var there bool
	err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = $1)`, endpoint).Scan(&there)
	if err != nil {
		return nil, fail(err)
	}
	if !there {
		return nil, notFound()
	}
	rows, err := s.pool.Query(ctx, `
		SELECT d.id, d.event_id, d.type, s.state, d.attempts, d.created_at, CASE s.state WHEN 'waiting' THEN d.next_at END, d.delivered_at, d.dead_at, d.last_status, d.last_error
		FROM webhook_deliveries d
		CROSS JOIN LATERAL (
			SELECT CASE WHEN d.delivered_at IS NOT NULL THEN 'delivered' WHEN d.dead_at IS NOT NULL THEN 'dead' ELSE 'waiting' END
		) AS s (state)
		WHERE d.endpoint_id = $1 AND ($2 = '' OR s.state = $2)
			AND ($3::uuid IS NULL OR d.number < (SELECT b.number FROM webhook_deliveries b WHERE b.id = $3))
		ORDER BY d.number DESC
		LIMIT $4`, endpoint, string(state), before, limit)
	if err != nil {
		return nil, fail(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[models.Delivery])
	return list, fail(err)
}

// ReplayDelivery sends a delivery again that is dead or was delivered: at the end of its
// lane, with all its attempts before it. not_found when there is no such, conflict when it
// waits, or its endpoint is disabled.
func (s *Store) ReplayDelivery(ctx context.Context, id models.ID) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		var endpoint, user models.ID
		err := tx.QueryRow(ctx, `SELECT endpoint_id, user_id FROM webhook_deliveries WHERE id = $1`, id).Scan(&endpoint, &user)
		if errors.Is(err, pgx.ErrNoRows) {
			return notFound()
		}
		if err != nil {
			return err
		}
		if err := lockLane(ctx, tx, endpoint, user); err != nil {
			return err
		}
		if err := enabled(ctx, tx, endpoint); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			UPDATE webhook_deliveries
			SET number = DEFAULT, attempts = 0, next_at = $2, delivered_at = NULL, dead_at = NULL, last_status = NULL, last_error = NULL
			WHERE id = $1 AND (delivered_at IS NOT NULL OR dead_at IS NOT NULL)`, id, now)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return &models.Error{Code: models.CodeConflict, Reason: "waiting", Message: "this delivery waits to be sent already"}
		}
		return enqueue(ctx, tx, deliverWebhook{DeliveryID: id})
	})
}
