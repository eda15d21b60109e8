package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// GiveConsent writes to the ledger that the account accepted a text, unless that
// very consent stands already. session_required when the session ended
// meanwhile.
func (s *Store) GiveConsent(ctx context.Context, by models.Session, c models.Consent) error {
	return s.held(ctx, by, func(tx pgx.Tx, now time.Time) error {
		tag, err := tx.Exec(ctx, `
			INSERT INTO face_consents (id, user_id, kind, version, language, text_sha256, given_at)
			SELECT $1, $2, $3, $4, $5, $6, $7
			WHERE NOT EXISTS (
				SELECT 1 FROM face_consents
				WHERE user_id = $2 AND kind = $3 AND version = $4 AND text_sha256 = $6 AND withdrawn_at IS NULL
			)`, models.NewID(now), by.User.ID, c.Kind, c.Version, c.Language, c.TextSHA256, now)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return s.record(ctx, tx, now, by, "face_consent_given", map[string]any{"kind": c.Kind, "version": c.Version, "language": c.Language})
	})
}

// LeaveCohort withdraws the consent to lend one's template and erases it from
// every cohort, in one transaction. Without such a consent it does nothing.
func (s *Store) LeaveCohort(ctx context.Context, by models.Session) error {
	return s.held(ctx, by, func(tx pgx.Tx, now time.Time) error {
		if _, err := s.leaveCohorts(ctx, tx, by.User.ID); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			UPDATE face_consents
			SET withdrawn_at = $2
			WHERE user_id = $1 AND kind = 'cohort' AND withdrawn_at IS NULL`, by.User.ID, now)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return s.record(ctx, tx, now, by, "face_consent_withdrawn", map[string]any{"kind": models.ConsentCohort})
	})
}

// held runs do under the user's lock while the session stands.
func (s *Store) held(ctx context.Context, by models.Session, do func(tx pgx.Tx, now time.Time) error) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := lockUser(ctx, tx, by.User.ID); err != nil {
			return err
		}
		if _, err := sessionByRef(ctx, tx, by.Ref()); err != nil {
			return err
		}
		return do(tx, now)
	})
}

// Consents is the account's ledger, oldest first.
func (s *Store) Consents(ctx context.Context, userID models.ID) ([]models.Consent, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT kind, version, language, text_sha256, given_at, withdrawn_at
		FROM face_consents
		WHERE user_id = $1
		ORDER BY given_at, kind DESC, id`, userID)
	if err != nil {
		return nil, fail(err)
	}
	ledger, err := pgx.CollectRows(rows, pgx.RowToStructByPos[models.Consent])
	return ledger, fail(err)
}

// withdrawConsents notes that an account takes back all it agreed to, and says how
// many that were. It goes with erasing the face.
func withdrawConsents(ctx context.Context, tx pgx.Tx, userID models.ID, now time.Time) (int64, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE face_consents
		SET withdrawn_at = $2
		WHERE user_id = $1 AND withdrawn_at IS NULL`, userID, now)
	return tag.RowsAffected(), err
}
