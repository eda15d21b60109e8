package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

// SecretOverlap is how long the secret before goes on working after a rotation, so that
// every instance of an app can be given the new one.
const SecretOverlap = 24 * time.Hour

const appColumns = `
	c.settings,
	c.managed,
	c.created_at,
	c.updated_at,
	coalesce((SELECT jsonb_agg(jsonb_build_object('h', encode(secret_hash, 'hex'), 'e', expires_at) ORDER BY created_at DESC)
		FROM client_secrets WHERE client_id = c.id AND (expires_at IS NULL OR expires_at > $1)), '[]')`

func scanApp(row pgx.CollectableRow) (models.AppRecord, error) {
	var r models.AppRecord
	var settings, secrets []byte
	if err := row.Scan(&settings, &r.Managed, &r.CreatedAt, &r.UpdatedAt, &secrets); err != nil {
		return r, err
	}
	if err := json.Unmarshal(settings, &r.App); err != nil {
		return r, err
	}
	var kept []struct {
		Hash      string     `json:"h"`
		ExpiresAt *time.Time `json:"e"`
	}
	if err := json.Unmarshal(secrets, &kept); err != nil {
		return r, err
	}
	for _, k := range kept {
		hash, err := models.ParseTokenHash(k.Hash)
		if err != nil {
			return r, err
		}
		r.SecretHashes = append(r.SecretHashes, models.SecretHash{Hash: hash, ExpiresAt: k.ExpiresAt})
	}
	r.App = r.WithDefaults() // a document that was stored before a setting existed
	return r, nil
}

// App finds an app with its live secrets' hashes; not_found when there is none.
func (s *Store) App(ctx context.Context, id string) (models.App, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+appColumns+` FROM clients c WHERE c.id = $2`, s.clock(), id)
	if err != nil {
		return models.App{}, fail(err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, scanApp)
	if errors.Is(err, pgx.ErrNoRows) {
		return models.App{}, notFound()
	}
	return found.App, fail(err)
}

// Apps lists every app by its id.
func (s *Store) Apps(ctx context.Context) ([]models.AppRecord, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+appColumns+` FROM clients c ORDER BY c.id`, s.clock())
	if err != nil {
		return nil, fail(err)
	}
	list, err := pgx.CollectRows(rows, scanApp)
	return list, fail(err)
}

// CreateApp makes an app and, where it shows who it is by one, its first secret. conflict
// where the id is taken. With a zero ref it is the command line that does it, here and
// below.
func (s *Store) CreateApp(ctx context.Context, ref models.Ref, app models.App, decide models.Decide) (secret string, err error) {
	settings, err := json.Marshal(app)
	if err != nil {
		return "", err
	}
	fact := "client_added"
	err = s.byAdmin(ctx, ref, decide, fact, models.ID(app.ID), func(tx pgx.Tx, now time.Time) error {
		tag, err := tx.Exec(ctx, `
			INSERT INTO clients (id, settings, managed, created_at, updated_at)
			VALUES ($1, $2, 'hand', $3, $3)
			ON CONFLICT (id) DO NOTHING`, app.ID, settings, now)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return &models.Error{Code: models.CodeConflict, Field: "id", Reason: "taken", Message: "there is an app of that id"}
		}
		if !app.HasSecret() {
			return nil
		}
		secret = seal.NewToken()
		return insertSecret(ctx, tx, now, app.ID, models.HashToken(secret))
	})
	return secret, err
}

// UpdateApp replaces an app's settings. What was given out under the older ones ends
// where the app may no longer have it: that is looked at when it is used. not_found when
// there is none, conflict where a file keeps it.
func (s *Store) UpdateApp(ctx context.Context, ref models.Ref, app models.App, decide models.Decide) error {
	settings, err := json.Marshal(app)
	if err != nil {
		return err
	}
	fact := "client_changed"
	return s.byAdmin(ctx, ref, decide, fact, models.ID(app.ID), func(tx pgx.Tx, now time.Time) error {
		tag, err := tx.Exec(ctx, `
			UPDATE clients
			SET settings = $2, updated_at = $3
			WHERE id = $1 AND managed = 'hand'`, app.ID, settings, now)
		if err == nil && tag.RowsAffected() == 0 {
			return whyNotByHand(ctx, tx, app.ID)
		}
		return err
	})
}

// DeleteApp ends an app, everything it was given, and the subjects that it has here. not_found when there is none,
// conflict where a file keeps it.
func (s *Store) DeleteApp(ctx context.Context, ref models.Ref, id string, decide models.Decide) error {
	fact := "client_removed"
	return s.byAdmin(ctx, ref, decide, fact, models.ID(id), func(tx pgx.Tx, now time.Time) error {
		if err := s.eraseSubjects(ctx, tx, now, `SELECT id FROM clients WHERE id = $1 AND managed = 'hand' FOR UPDATE`, id); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `DELETE FROM clients WHERE id = $1 AND managed = 'hand'`, id)
		if err == nil && tag.RowsAffected() == 0 {
			return whyNotByHand(ctx, tx, id)
		}
		return err
	})
}

func whyNotByHand(ctx context.Context, tx pgx.Tx, id string) error {
	var kept bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM clients WHERE id = $1)`, id).Scan(&kept); err != nil {
		return err
	}
	if !kept {
		return notFound()
	}
	return &models.Error{Code: models.CodeConflict, Reason: "kept_by_file", Message: "a file keeps this app: change it there"}
}

// RotateAppSecret gives an app a new secret; the one before goes on for SecretOverlap,
// older ones end. not_found when there is no such app, conflict for one that has no
// secrets, or whose secrets a file keeps.
func (s *Store) RotateAppSecret(ctx context.Context, ref models.Ref, id string, decide models.Decide) (secret string, err error) {
	fact := "client_secret_rotated"
	err = s.byAdmin(ctx, ref, decide, fact, models.ID(id), func(tx pgx.Tx, now time.Time) error {
		rows, err := tx.Query(ctx, `SELECT `+appColumns+` FROM clients c WHERE c.id = $2 FOR UPDATE`, now, id)
		if err != nil {
			return err
		}
		app, err := pgx.CollectExactlyOneRow(rows, scanApp)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return notFound()
		case err != nil:
			return err
		case app.Managed == models.KeptByFile:
			return whyNotByHand(ctx, tx, id)
		case !app.HasSecret():
			return &models.Error{Code: models.CodeConflict, Reason: "no_secret", Message: "this app shows who it is without a secret"}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM client_secrets WHERE client_id = $1 AND expires_at IS NOT NULL`, id); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE client_secrets SET expires_at = $2 WHERE client_id = $1`, id, now.Add(SecretOverlap))
		if err != nil {
			return err
		}
		secret = seal.NewToken()
		return insertSecret(ctx, tx, now, id, models.HashToken(secret))
	})
	return secret, err
}

func insertSecret(ctx context.Context, tx pgx.Tx, now time.Time, id string, hash models.TokenHash) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO client_secrets (id, client_id, secret_hash, created_at)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT ON CONSTRAINT client_secrets_key DO NOTHING`, models.NewID(now), id, hash[:], now)
	return err
}

// FileApp is an app as a file keeps it, with the hashes of its secrets.
type FileApp struct {
	models.App
	Secrets []models.TokenHash
}

// SyncApps makes the apps that a file keeps the same as the file: what it names is made
// or changed, also where people kept it before, and what it no longer names is deleted.
func (s *Store) SyncApps(ctx context.Context, apps []FileApp) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		// Instances that start together take turns.
		if _, err := tx.Exec(ctx, `LOCK TABLE clients IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		ids := []string{}
		for _, app := range apps {
			ids = append(ids, app.ID)
			settings, err := json.Marshal(app.App)
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `
				INSERT INTO clients (id, settings, managed, created_at, updated_at)
				VALUES ($1, $2, 'file', $3, $3)
				ON CONFLICT (id) DO UPDATE
				SET settings = EXCLUDED.settings, managed = 'file', updated_at = EXCLUDED.updated_at
				WHERE (clients.settings, clients.managed) IS DISTINCT FROM (EXCLUDED.settings, EXCLUDED.managed)`, app.ID, settings, now)
			if err != nil {
				return err
			}
			hashes := [][]byte{}
			for _, hash := range app.Secrets {
				if err := insertSecret(ctx, tx, now, app.ID, hash); err != nil {
					return err
				}
				hashes = append(hashes, slices.Clone(hash[:]))
			}
			_, err = tx.Exec(ctx, `
				DELETE FROM client_secrets
				WHERE client_id = $1 AND secret_hash <> ALL($2)`, app.ID, hashes)
			if err != nil {
				return err
			}
		}
		if err := s.eraseSubjects(ctx, tx, now, `SELECT id FROM clients WHERE managed = 'file' AND id <> ALL($1) FOR UPDATE`, ids); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM clients WHERE managed = 'file' AND id <> ALL($1)`, ids)
		return err
	})
}
