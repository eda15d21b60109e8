package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// KeepAuthorization keeps a request until its person has signed in and agreed. pushed is
// the hash of the request_uri of one that its app pushed, zero for others.
func (s *Store) KeepAuthorization(ctx context.Context, a models.Authorization, pushed models.TokenHash) error {
	params, err := json.Marshal(a.Params)
	if err != nil {
		return err
	}
	_, err = s.pool.Exec(ctx, `
		INSERT INTO authorizations (id, client_id, params, pushed_hash, browser_hash, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		a.ID, a.AppID, params, hashOrNull(pushed), hashOrNull(a.Browser), a.CreatedAt, a.ExpiresAt)
	return fail(err)
}

func hashOrNull(h models.TokenHash) []byte {
	if h == (models.TokenHash{}) {
		return nil
	}
	return h[:]
}

const authorizationColumns = `
	id,
	client_id,
	params,
	pushed_hash IS NOT NULL,
	browser_hash,
	coalesce(decision, ''),
	decided_by,
	created_at,
	expires_at`

func scanAuthorization(row pgx.CollectableRow) (models.Authorization, error) {
	var a models.Authorization
	var params, browser []byte
	err := row.Scan(&a.ID, &a.AppID, &params, &a.Pushed, &browser, &a.Decision, &a.DecidedBy, &a.CreatedAt, &a.ExpiresAt)
	if err != nil {
		return a, err
	}
	if browser != nil {
		a.Browser = models.TokenHash(browser)
	}
	return a, json.Unmarshal(params, &a.Params)
}

func oneAuthorization(rows pgx.Rows, err error) (models.Authorization, error) {
	if err != nil {
		return models.Authorization{}, fail(err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, scanAuthorization)
	if errors.Is(err, pgx.ErrNoRows) {
		return a, notFound()
	}
	return a, fail(err)
}

// Authorization finds a request that waits, for the browser that it belongs to; not_found
// for anybody else, and once it is over.
func (s *Store) Authorization(ctx context.Context, id models.ID, browser models.TokenHash) (models.Authorization, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT `+authorizationColumns+`
		FROM authorizations
		WHERE id = $1 AND browser_hash = $2 AND expires_at > $3`, id, browser[:], s.clock())
	return oneAuthorization(rows, err)
}

// ClaimPushed gives a request that was pushed to the first browser that comes with its
// request_uri and app; not_found for a second one, and for another app's.
func (s *Store) ClaimPushed(ctx context.Context, pushed models.TokenHash, appID string, by models.Authorization) (models.Authorization, error) {
	rows, err := s.pool.Query(ctx, `
		UPDATE authorizations
		SET browser_hash = $3, expires_at = $5
		WHERE pushed_hash = $1 AND client_id = $2 AND browser_hash IS NULL AND expires_at > $4
		RETURNING `+authorizationColumns, pushed[:], appID, by.Browser[:], s.clock(), by.ExpiresAt)
	return oneAuthorization(rows, err)
}

// DecideAuthorization notes what a person says about a request that waits in their
// browser; not_found where there is none. What they allow is remembered for the app.
func (s *Store) DecideAuthorization(ctx context.Context, by models.Session, id models.ID, browser models.TokenHash, decision string, scopes []string) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		var appID string
		err := tx.QueryRow(ctx, `
			UPDATE authorizations
			SET decision = $4, decided_by = $3
			WHERE id = $1 AND browser_hash = $2 AND expires_at > $5
			RETURNING client_id`, id, browser[:], by.ID, decision, now).Scan(&appID)
		if errors.Is(err, pgx.ErrNoRows) {
			return notFound()
		}
		if err != nil || decision != "allow" {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO app_consents (user_id, client_id, scopes, given_at)
			VALUES ($1, $2, $3, $4)
			ON CONFLICT (user_id, client_id) DO UPDATE
			SET scopes = EXCLUDED.scopes, given_at = EXCLUDED.given_at`, by.User.ID, appID, scopes, now)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, now, by, "app_allowed", map[string]any{"app": appID})
	})
}

// AppConsents lists what a person agreed to, newest first.
func (s *Store) AppConsents(ctx context.Context, userID models.ID) ([]models.AppConsent, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT a.client_id, c.settings ->> 'name', a.scopes, a.given_at
		FROM app_consents a
		JOIN clients c ON c.id = a.client_id
		WHERE a.user_id = $1
		ORDER BY a.given_at DESC`, userID)
	if err != nil {
		return nil, fail(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[models.AppConsent])
	return list, fail(err)
}

// WithdrawApp takes back what a person allowed an app, and ends what it was given;
// not_found where there is nothing of either.
func (s *Store) WithdrawApp(ctx context.Context, by models.Session, appID string) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		agreed, err := tx.Exec(ctx, `DELETE FROM app_consents WHERE user_id = $1 AND client_id = $2`, by.User.ID, appID)
		if err != nil {
			return err
		}
		given, err := tx.Exec(ctx, `DELETE FROM grants WHERE user_id = $1 AND client_id = $2`, by.User.ID, appID)
		if err != nil {
			return err
		}
		if agreed.RowsAffected()+given.RowsAffected() == 0 {
			return notFound()
		}
		return s.record(ctx, tx, now, by, "app_withdrawn", map[string]any{"app": appID})
	})
}
