package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

func facePlace(id models.ID) seal.Place {
	return seal.Place{Table: "face_templates", Column: "descriptor", Row: id}
}

// FaceTemplates gives the account's templates, open. There is no way to ask
// for anybody's but one account's: face verification compares 1:1.
func (s *Store) FaceTemplates(ctx context.Context, userID models.ID) ([]models.FaceTemplate, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, descriptor, model_key, created_at
		FROM face_templates
		WHERE user_id = $1
		ORDER BY id`, userID)
	if err != nil {
		return nil, fail(err)
	}
	templates, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (models.FaceTemplate, error) {
		var t models.FaceTemplate
		var sealed []byte
		err := row.Scan(&t.ID, &sealed, &t.ModelKey, &t.CreatedAt)
		if err != nil {
			return t, err
		}
		t.Descriptor, err = s.sealer.Open(sealed, facePlace(t.ID))
		return t, err
	})
	return templates, fail(err)
}

// EnrolFace puts new templates in place of the old ones and moves the session
// by it. The account must have consented and not withdrawn: conflict.
func (s *Store) EnrolFace(ctx context.Context, ref models.Ref, templates []models.FaceTemplate, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		var consented bool
		err := tx.QueryRow(ctx, `
			SELECT EXISTS (SELECT 1 FROM face_consents WHERE user_id = $1 AND withdrawn_at IS NULL)`, ref.UserID).Scan(&consented)
		if err != nil {
			return err
		}
		if !consented {
			return models.Refuse(models.CodeConflict, "your consent was withdrawn meanwhile: start again")
		}
		if _, err := tx.Exec(ctx, `DELETE FROM face_templates WHERE user_id = $1`, ref.UserID); err != nil {
			return err
		}
		for _, t := range templates {
			sealed, err := s.sealer.Seal(t.Descriptor, facePlace(t.ID))
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `
				INSERT INTO face_templates (id, user_id, descriptor, model_key, created_at)
				VALUES ($1, $2, $3, $4, $5)`, t.ID, ref.UserID, sealed, t.ModelKey, now)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// PassFace moves the session by a face that matched the templates with these
// ids. If they were replaced or erased meanwhile the match is void:
// factor_rejected.
func (s *Store) PassFace(ctx context.Context, ref models.Ref, matched []models.ID, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, _ time.Time) error {
		var still int
		err := tx.QueryRow(ctx, `
			SELECT count(*)
			FROM face_templates
			WHERE user_id = $1 AND id = ANY($2)`, ref.UserID, idStrings(matched)).Scan(&still)
		if err != nil {
			return err
		}
		if still == 0 || still != len(matched) {
			return models.Refuse(models.CodeFactorRejected, "your face was enrolled anew meanwhile: try again")
		}
		return nil
	})
}

func idStrings(ids []models.ID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return out
}

// RemoveFace erases the templates and withdraws the consent they rest on, in
// one transaction; not_found when there is neither.
func (s *Store) RemoveFace(ctx context.Context, ref models.Ref, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		tag, err := tx.Exec(ctx, `DELETE FROM face_templates WHERE user_id = $1`, ref.UserID)
		if err != nil {
			return err
		}
		erased := tag.RowsAffected()
		tag, err = tx.Exec(ctx, `
			UPDATE face_consents
			SET withdrawn_at = $2
			WHERE user_id = $1 AND withdrawn_at IS NULL`, ref.UserID, now)
		if err == nil && erased+tag.RowsAffected() == 0 {
			return notFound()
		}
		return err
	})
}

// GiveFaceConsent records that the account accepted a version of the text,
// before any camera opens. session_required when the session ended meanwhile.
func (s *Store) GiveFaceConsent(ctx context.Context, by models.Session, version string) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := lockUser(ctx, tx, by.User.ID); err != nil {
			return err
		}
		if _, err := sessionByRef(ctx, tx, by.Ref()); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			INSERT INTO face_consents (id, user_id, version, given_at)
			SELECT $1, $2, $3, $4
			WHERE NOT EXISTS (
				SELECT 1 FROM face_consents WHERE user_id = $2 AND version = $3 AND withdrawn_at IS NULL
			)`, models.NewID(now), by.User.ID, version, now)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return record(ctx, tx, now, by, "face_consent_given", map[string]any{"version": version})
	})
}

// FaceConsent tells when the account gave the consent that still stands;
// not_found when there is none.
func (s *Store) FaceConsent(ctx context.Context, userID models.ID) (version string, givenAt time.Time, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT version, given_at
		FROM face_consents
		WHERE user_id = $1 AND withdrawn_at IS NULL
		ORDER BY id DESC
		LIMIT 1`, userID).Scan(&version, &givenAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", time.Time{}, notFound()
	}
	return version, givenAt, fail(err)
}
