package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

// facePlace binds a template to its row, its owner and the net that made it.
func facePlace(id, userID models.ID, modelKey string) seal.Place {
	return seal.Place{Table: "face_templates", Column: "descriptor", Row: id, Context: string(userID) + ":" + modelKey}
}

// FaceFactor gives the account's face, its templates open; zero captures when
// it has none. There is no way to ask for anybody's but one account's: face
// verification compares 1:1.
func (s *Store) FaceFactor(ctx context.Context, userID models.ID) (models.FaceFactor, error) {
	face := models.FaceFactor{UserID: userID}
	err := s.pool.QueryRow(ctx, `
		SELECT enrolled_at, last_used_at, disabled_at, quarantined_at
		FROM faces
		WHERE user_id = $1`, userID).Scan(&face.EnrolledAt, &face.LastUsedAt, &face.DisabledAt, &face.QuarantinedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return face, nil
	}
	if err != nil {
		return face, fail(err)
	}
	rows, err := s.pool.Query(ctx, `
		SELECT c.id, c.model_key, c.model, c.network, c.created_at, t.id, t.pose, t.descriptor
		FROM face_captures c
		JOIN face_templates t ON t.capture_id = c.id
		WHERE c.user_id = $1
		ORDER BY c.created_at, c.id, t.id`, userID)
	if err != nil {
		return face, fail(err)
	}
	var c models.FaceCapture
	var t models.FaceTemplate
	var sealed []byte
	_, err = pgx.ForEachRow(rows, []any{&c.ID, &c.ModelKey, &c.Model, &c.Network, &c.CreatedAt, &t.ID, &t.Pose, &sealed}, func() error {
		open, err := s.sealer.Open(sealed, facePlace(t.ID, userID, c.ModelKey))
		if err != nil {
			return err
		}
		if n := len(face.Captures); n == 0 || face.Captures[n-1].ID != c.ID {
			face.Captures = append(face.Captures, c)
		}
		last := &face.Captures[len(face.Captures)-1]
		last.Templates = append(last.Templates, models.FaceTemplate{ID: t.ID, Pose: t.Pose, Descriptor: open})
		return nil
	})
	return face, fail(err)
}

// EnrolFace writes a sitting's templates and moves the session by it. The account
// must have consented and not withdrawn: conflict.
func (s *Store) EnrolFace(ctx context.Context, ref models.Ref, change models.FaceChange, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		var consented bool
		err := tx.QueryRow(ctx, `
			SELECT EXISTS (SELECT 1 FROM face_consents WHERE user_id = $1 AND kind = 'face' AND withdrawn_at IS NULL)`, ref.UserID).Scan(&consented)
		if err != nil {
			return err
		}
		if !consented {
			return models.Refuse(models.CodeConflict, "your consent was withdrawn meanwhile: start again")
		}
		if err := makeRoom(ctx, tx, ref.UserID, change.Adds); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO faces (user_id, enrolled_at, last_used_at)
			VALUES ($1, $2, $2)
			ON CONFLICT (user_id) DO UPDATE
			SET last_used_at = $2, failures = 0, next_try_at = NULL, disabled_at = NULL, quarantined_at = NULL, purge_notified_at = NULL,
			    enrolled_at = CASE WHEN $3 THEN faces.enrolled_at ELSE $2 END`, ref.UserID, now, change.Adds)
		if err != nil {
			return err
		}
		if err := s.insertCapture(ctx, tx, ref.UserID, change.Capture, now); err != nil {
			return err
		}
		if change.Key == nil {
			return nil
		}
		return keepDeviceKey(ctx, tx, now, ref.UserID, *change.Key)
	})
}

// makeRoom takes away what a new sitting replaces: all there is, or the oldest
// where one more would be too many.
func makeRoom(ctx context.Context, tx pgx.Tx, userID models.ID, adds bool) error {
	keep := 0
	if adds {
		keep = models.MaxFaceCaptures - 1
	}
	_, err := tx.Exec(ctx, `
		DELETE FROM face_captures
		WHERE user_id = $1 AND id NOT IN (
			SELECT id FROM face_captures WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2
		)`, userID, keep)
	return err
}

func (s *Store) insertCapture(ctx context.Context, tx pgx.Tx, userID models.ID, c models.FaceCapture, now time.Time) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO face_captures (id, user_id, model_key, model, network, created_at)
		VALUES ($1, $2, $3, $4, $5, $6)`, c.ID, userID, c.ModelKey, c.Model, c.Network, now)
	if err != nil {
		return err
	}
	for _, t := range c.Templates {
		sealed, err := s.sealer.Seal(t.Descriptor, facePlace(t.ID, userID, c.ModelKey))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO face_templates (id, user_id, capture_id, pose, descriptor)
			VALUES ($1, $2, $3, $4, $5)`, t.ID, userID, c.ID, t.Pose, sealed)
		if err != nil {
			return err
		}
	}
	return nil
}

// PassFace moves the session by a face that matched the templates with these
// ids, and by the key that signed the capture, if one did. If they were replaced
// or erased meanwhile the match is void: factor_rejected.
func (s *Store) PassFace(ctx context.Context, ref models.Ref, matched []models.ID, key models.ID, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		var still int
		err := tx.QueryRow(ctx, `
			SELECT count(*)
			FROM face_templates
			WHERE user_id = $1 AND id = ANY($2)`, ref.UserID, matched).Scan(&still)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			UPDATE faces
			SET last_used_at = $2, failures = 0, next_try_at = NULL, purge_notified_at = NULL
			WHERE user_id = $1 AND disabled_at IS NULL`, ref.UserID, now)
		if err != nil {
			return err
		}
		if still == 0 || still != len(matched) || tag.RowsAffected() == 0 {
			return models.Refuse(models.CodeFactorRejected, "your face was enrolled anew meanwhile: try again")
		}
		if key == "" {
			return nil
		}
		return useDeviceKey(ctx, tx, now, ref.UserID, key)
	})
}

// RemoveFace erases the templates, the account's place in every cohort and the
// keys of its cameras, and withdraws the consent they rest on, in one
// transaction; not_found when there is neither.
func (s *Store) RemoveFace(ctx context.Context, ref models.Ref, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		erased, err := s.eraseFace(ctx, tx, ref.UserID)
		if err != nil {
			return err
		}
		withdrawn, err := withdrawConsents(ctx, tx, ref.UserID, now)
		if err == nil && erased+withdrawn == 0 {
			return notFound()
		}
		return err
	})
}

// RecordFaceRefusal notes a capture that did not pass.
func (s *Store) RecordFaceRefusal(ctx context.Context, by models.Session, refusal models.FaceRefusal) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		return s.record(ctx, tx, now, by, "face_refused", map[string]any{
			"live": refusal.Live, "attack": refusal.Attack, "reasons": refusal.Reasons, "frames": refusal.Frames,
		})
	})
}

// eraseFace takes every trace of an account's face away, wherever it stands, and
// says how many rows that were.
func (s *Store) eraseFace(ctx context.Context, tx pgx.Tx, userID models.ID) (int64, error) {
	erased, err := s.leaveCohorts(ctx, tx, userID)
	if err != nil {
		return 0, err
	}
	for _, sql := range []string{
		`DELETE FROM face_captures WHERE user_id = $1`, // and their templates
		`DELETE FROM faces WHERE user_id = $1`,
		`DELETE FROM device_keys WHERE user_id = $1`,
		`UPDATE challenges SET capture = NULL WHERE user_id = $1 AND capture IS NOT NULL`,
	} {
		tag, err := tx.Exec(ctx, sql, userID)
		if err != nil {
			return 0, err
		}
		erased += tag.RowsAffected()
	}
	return erased, nil
}
