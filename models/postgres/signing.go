package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

func signingPlace(id models.ID) seal.Place {
	return seal.Place{Table: "signing_keys", Column: "private_key", Row: id}
}

// SigningKeys gives the keys that sign or whose tokens may still live, newest first.
// Those that were retired before since are left out.
func (s *Store) SigningKeys(ctx context.Context, since time.Time) ([]models.SigningKey, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, alg, private_key, created_at, active_at, retired_at
		FROM signing_keys
		WHERE retired_at IS NULL OR retired_at > $1
		ORDER BY active_at DESC, id DESC`, since)
	if err != nil {
		return nil, fail(err)
	}
	keys, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (models.SigningKey, error) {
		var k models.SigningKey
		var sealed []byte
		if err := row.Scan(&k.ID, &k.Alg, &sealed, &k.CreatedAt, &k.ActiveAt, &k.RetiredAt); err != nil {
			return k, err
		}
		var err error
		k.PKCS8, err = s.sealer.Open(sealed, signingPlace(k.ID))
		return k, err
	})
	return keys, fail(err)
}

// AddSigningKey publishes a key that signs from its ActiveAt on; older ones of its
// algorithm are retired then. With first it is added only where there is none of the
// algorithm, whatever other instances do at the same time.
func (s *Store) AddSigningKey(ctx context.Context, key models.SigningKey, first bool) error {
	sealed, err := s.sealer.Seal(key.PKCS8, signingPlace(key.ID))
	if err != nil {
		return err
	}
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if _, err := tx.Exec(ctx, `LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		var have bool
		err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM signing_keys WHERE alg = $1 AND retired_at IS NULL)`, key.Alg).Scan(&have)
		if err != nil || first && have {
			return err
		}
		_, err = tx.Exec(ctx, `
			UPDATE signing_keys
			SET retired_at = $2
			WHERE alg = $1 AND (retired_at IS NULL OR retired_at > $2)`, key.Alg, key.ActiveAt)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO signing_keys (id, alg, private_key, created_at, active_at)
			VALUES ($1, $2, $3, $4, $5)`, key.ID, key.Alg, sealed, now, key.ActiveAt)
		return err
	})
}
