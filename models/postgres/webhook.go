package postgres

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

const (
	// secretBytes is the length of the key that signs deliveries.
	secretBytes = 32
	// secretPrefix begins it as receivers keep it (Standard Webhooks 1.0.0, "Signature
	// scheme"); base64 follows.
	secretPrefix = "whsec_"
)

const webhookColumns = `
	e.id,
	e.url,
	e.description,
	e.types,
	e.created_at,
	e.disabled_at,
	(SELECT count(*) FROM webhook_deliveries d WHERE d.endpoint_id = e.id AND d.delivered_at IS NULL AND d.dead_at IS NULL),
	(SELECT count(*) FROM webhook_deliveries d WHERE d.endpoint_id = e.id AND d.dead_at IS NOT NULL)`

func secretPlace(id, endpoint models.ID) seal.Place {
	return seal.Place{Table: "webhook_secrets", Column: "secret", Row: id, Context: string(endpoint)}
}

// Webhooks lists the endpoints, the oldest first.
func (s *Store) Webhooks(ctx context.Context) ([]models.Webhook, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+webhookColumns+` FROM webhook_endpoints e ORDER BY e.id`)
	if err != nil {
		return nil, fail(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[models.Webhook])
	return list, fail(err)
}

// byAdmin does a write about an endpoint in the transaction of the admin's session that
// asked for it. With a zero ref it is the command line that does it, and this records the
// fact.
func (s *Store) byAdmin(ctx context.Context, ref models.Ref, decide models.Decide, fact string, id models.ID, do write) error {
	if ref.ID != "" {
		_, _, err := s.advance(ctx, ref, decide, do)
		return err
	}
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := do(tx, now); err != nil {
			return err
		}
		return s.record(ctx, tx, now, models.Session{}, fact, map[string]any{"id": id})
	})
}

// AddWebhook makes an endpoint of w, and gives its secret: this is the one time that
// anybody sees it. conflict when there are as many as there may be.
func (s *Store) AddWebhook(ctx context.Context, ref models.Ref, w models.Webhook, decide models.Decide) (secret string, err error) {
	fact := "webhook_added"
	err = s.byAdmin(ctx, ref, decide, fact, w.ID, func(tx pgx.Tx, now time.Time) error {
		// Two at once must not both be the last one.
		if _, err := tx.Exec(ctx, `LOCK TABLE webhook_endpoints IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			INSERT INTO webhook_endpoints (id, url, description, types, created_at)
			SELECT $1, $2, $3, $4, $5
			WHERE (SELECT count(*) FROM webhook_endpoints) < $6`, w.ID, w.URL, w.Description, w.Types, now, models.MaxWebhooks)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return &models.Error{Code: models.CodeConflict, Reason: "too_many", Message: "there are as many webhooks as there may be: remove one first"}
		}
		secret, err = s.newSecret(ctx, tx, now, w.ID)
		return err
	})
	return secret, err
}

// newSecret makes a secret for an endpoint, and gives it as its receiver keeps it: only
// here does anybody see it. The one before still signs for a while.
func (s *Store) newSecret(ctx context.Context, tx pgx.Tx, now time.Time, endpoint models.ID) (string, error) {
	_, err := tx.Exec(ctx, `
		UPDATE webhook_secrets
		SET expires_at = $2
		WHERE endpoint_id = $1 AND expires_at IS NULL`, endpoint, now.Add(models.SecretOverlap))
	if err != nil {
		return "", err
	}
	secret, id := seal.Random(secretBytes), models.NewID(now)
	sealed, err := s.sealer.Seal(secret, secretPlace(id, endpoint))
	if err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO webhook_secrets (id, endpoint_id, secret, created_at)
		VALUES ($1, $2, $3, $4)`, id, endpoint, sealed, now)
	return secretPrefix + base64.StdEncoding.EncodeToString(secret), err
}

// lockWebhook serialises what changes an endpoint, and waits for those who are writing
// deliveries for it; not_found when there is none.
func lockWebhook(ctx context.Context, tx pgx.Tx, id models.ID) error {
	tag, err := tx.Exec(ctx, `SELECT 1 FROM webhook_endpoints WHERE id = $1 FOR UPDATE`, id)
	if err == nil && tag.RowsAffected() == 0 {
		return notFound()
	}
	return err
}

// RotateWebhookSecret gives an endpoint a new secret; not_found when there is none.
func (s *Store) RotateWebhookSecret(ctx context.Context, ref models.Ref, id models.ID, decide models.Decide) (secret string, err error) {
	fact := "webhook_secret_rotated"
	err = s.byAdmin(ctx, ref, decide, fact, id, func(tx pgx.Tx, now time.Time) error {
		if err := lockWebhook(ctx, tx, id); err != nil {
			return err
		}
		secret, err = s.newSecret(ctx, tx, now, id)
		return err
	})
	return secret, err
}

// ChangeWebhook changes an endpoint and gives it as it is now. One that is disabled is
// told nothing any more, and what waits for it is given up. not_found when there is none.
func (s *Store) ChangeWebhook(ctx context.Context, ref models.Ref, id models.ID, change models.WebhookChange, decide models.Decide) (models.Webhook, error) {
	var changed models.Webhook
	fact := "webhook_changed"
	err := s.byAdmin(ctx, ref, decide, fact, id, func(tx pgx.Tx, now time.Time) error {
		if err := lockWebhook(ctx, tx, id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			UPDATE webhook_endpoints
			SET url = coalesce($2, url), description = coalesce($3, description), types = coalesce($4, types),
				disabled_at = CASE WHEN $5::boolean THEN coalesce(disabled_at, $6::timestamptz) WHEN $5 IS NULL THEN disabled_at END
			WHERE id = $1`, id, change.URL, change.Description, change.Types, change.Disabled, now)
		if err != nil {
			return err
		}
		if change.Disabled != nil && *change.Disabled {
			if err := bury(ctx, tx, now, id); err != nil {
				return err
			}
		}
		rows, err := tx.Query(ctx, `SELECT `+webhookColumns+` FROM webhook_endpoints e WHERE e.id = $1`, id)
		if err != nil {
			return err
		}
		changed, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[models.Webhook])
		return err
	})
	return changed, err
}

// bury gives up all that waits for an endpoint that is disabled.
func bury(ctx context.Context, tx pgx.Tx, now time.Time, endpoint models.ID) error {
	_, err := tx.Exec(ctx, `
		UPDATE webhook_deliveries
		SET dead_at = $2, last_error = coalesce(last_error, 'disabled')
		WHERE endpoint_id = $1 AND delivered_at IS NULL AND dead_at IS NULL`, endpoint, now)
	return err
}

// RemoveWebhook removes an endpoint with all its deliveries; not_found when there is none.
func (s *Store) RemoveWebhook(ctx context.Context, ref models.Ref, id models.ID, decide models.Decide) error {
	fact := "webhook_removed"
	return s.byAdmin(ctx, ref, decide, fact, id, func(tx pgx.Tx, _ time.Time) error {
		tag, err := tx.Exec(ctx, `DELETE FROM webhook_endpoints WHERE id = $1`, id)
		if err == nil && tag.RowsAffected() == 0 {
			return notFound()
		}
		return err
	})
}

// TestWebhook writes a delivery of no fact for an endpoint, whatever its filter says.
// not_found when there is none, conflict when it is disabled.
func (s *Store) TestWebhook(ctx context.Context, id models.ID) (models.ID, error) {
	var delivery models.ID
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := enabled(ctx, tx, id); err != nil {
			return err
		}
		event := models.NewID(now)
		m := models.Message{Type: models.TypeTest, Timestamp: now, Data: models.MessageData{ID: event}}
		written, err := s.deliver(ctx, tx, now, letter{Message: m, only: id})
		if err == nil {
			delivery = written[0]
		}
		return err
	})
	return delivery, err
}

// enabled refuses an endpoint that is not there, or is disabled.
func enabled(ctx context.Context, tx pgx.Tx, id models.ID) error {
	var disabled bool
	err := tx.QueryRow(ctx, `SELECT disabled_at IS NOT NULL FROM webhook_endpoints WHERE id = $1 FOR KEY SHARE`, id).Scan(&disabled)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return notFound()
	case err == nil && disabled:
		return &models.Error{Code: models.CodeConflict, Reason: "disabled", Message: "this webhook is disabled: enable it first"}
	default:
		return err
	}
}
