package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

func referencePlace(id models.ID) seal.Place {
	return seal.Place{Table: "face_references", Column: "descriptor", Row: id}
}

// ReplaceReferences puts a reference set in place of the model's old one, and keeps
// its order.
func (s *Store) ReplaceReferences(ctx context.Context, modelKey string, set []models.FaceReference) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if _, err := tx.Exec(ctx, `DELETE FROM face_references WHERE model_key = $1`, modelKey); err != nil {
			return err
		}
		rows := make([][]any, len(set))
		for i, r := range set {
			id := models.NewID(now)
			sealed, err := s.sealer.Seal(r.Descriptor, referencePlace(id))
			if err != nil {
				return err
			}
			rows[i] = []any{id, r.Subject, r.People, modelKey, i, sealed, now}
		}
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"face_references"},
			[]string{"id", "subject", "people", "model_key", "position", "descriptor", "created_at"}, pgx.CopyFromRows(rows))
		return err
	})
}

// References gives the reference set of a model, open: each subject's descriptors
// together, in the order that they were handed in.
func (s *Store) References(ctx context.Context, modelKey string) ([]models.FaceReference, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, subject, people, descriptor
		FROM face_references
		WHERE model_key = $1
		ORDER BY subject, position`, modelKey)
	if err != nil {
		return nil, fail(err)
	}
	set, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (models.FaceReference, error) {
		var r models.FaceReference
		var id models.ID
		var sealed []byte
		if err := row.Scan(&id, &r.Subject, &r.People, &sealed); err != nil {
			return r, err
		}
		var err error
		r.Descriptor, err = s.sealer.Open(sealed, referencePlace(id))
		return r, err
	})
	return set, fail(err)
}
