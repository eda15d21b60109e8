package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// PurgeFaces erases faces that nobody has used for unusedDays. Where there is mail
// each owner is told models.FaceNoticeDays before, and nothing is erased whose owner
// was told later than that. It counts both.
//
// Each face is a transaction of its own: whoever runs this again after it was cut
// off goes on where it was.
func (s *Store) PurgeFaces(ctx context.Context, unusedDays int) (told, erased int, err error) {
	tell := s.MailPerHour != nil
	if tell {
		if told, err = s.tellOfPurges(ctx, unusedDays); err != nil {
			return told, 0, err
		}
	}
	unused, noticed := s.purgeCutoffs(unusedDays)
	owners, err := s.faceOwners(ctx, `
		SELECT user_id
		FROM faces
		WHERE last_used_at <= $1 AND ($2 OR purge_notified_at <= $3)`, unused, !tell, noticed)
	if err != nil {
		return told, 0, err
	}
	for _, owner := range owners {
		err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
			if err := lockUser(ctx, tx, owner); err != nil {
				return err
			}
			// Looked at again under the lock, for it may have been used meanwhile.
			var still bool
			err := tx.QueryRow(ctx, `
				SELECT EXISTS (
					SELECT 1 FROM faces
					WHERE user_id = $4 AND last_used_at <= $1 AND ($2 OR purge_notified_at <= $3)
				)`, unused, !tell, noticed, owner).Scan(&still)
			if err != nil || !still {
				return err
			}
			erased++
			return s.purgeFace(ctx, tx, owner, now)
		})
		if err != nil {
			return told, erased, err
		}
	}
	return told, erased, nil
}

// purgeCutoffs are until when a face must have been used, and its owner told, for
// it to be erased now.
func (s *Store) purgeCutoffs(unusedDays int) (unused, noticed time.Time) {
	now := s.clock()
	return now.AddDate(0, 0, -unusedDays), now.AddDate(0, 0, -models.FaceNoticeDays)
}

func (s *Store) faceOwners(ctx context.Context, sql string, args ...any) ([]models.ID, error) {
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fail(err)
	}
	owners, err := pgx.CollectRows(rows, pgx.RowTo[models.ID])
	return owners, fail(err)
}

// tellOfPurges notes for each face that is due in models.FaceNoticeDays that its
// owner is told, and has it done, in one transaction. Who was told of an earlier
// day, before the policy put it off, is told again.
func (s *Store) tellOfPurges(ctx context.Context, unusedDays int) (told int, err error) {
	const due = `last_used_at <= $1 AND (purge_notified_at IS NULL OR purge_notified_at < last_used_at + make_interval(hours => $2))`
	lead := unusedDays - models.FaceNoticeDays
	cutoff := s.clock().AddDate(0, 0, -lead)
	owners, err := s.faceOwners(ctx, `SELECT user_id FROM faces WHERE `+due, cutoff, 24*lead)
	if err != nil {
		return 0, err
	}
	for _, owner := range owners {
		err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
			if err := lockUser(ctx, tx, owner); err != nil {
				return err
			}
			var used time.Time
			err := tx.QueryRow(ctx, `
				UPDATE faces
				SET purge_notified_at = $3
				WHERE user_id = $4 AND `+due+`
				RETURNING last_used_at`, cutoff, 24*lead, now, owner).Scan(&used)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil // used or erased meanwhile
			}
			if err != nil {
				return err
			}
			told++
			return s.record(ctx, tx, now, models.Session{User: models.User{ID: owner}}, "face_purge_ahead", map[string]any{
				"last_used_at": used, "erased_at": models.FaceErasedAt(used, now, unusedDays),
			})
		})
		if err != nil {
			return told, err
		}
	}
	return told, nil
}

// purgeFace erases a face and withdraws what was consented to of it: whoever wants
// it back is asked anew.
func (s *Store) purgeFace(ctx context.Context, tx pgx.Tx, owner models.ID, now time.Time) error {
	if _, err := s.eraseFace(ctx, tx, owner); err != nil {
		return err
	}
	if _, err := withdrawConsents(ctx, tx, owner, now); err != nil {
		return err
	}
	return s.record(ctx, tx, now, models.Session{User: models.User{ID: owner}}, "face_purged", map[string]any{"factor": models.Face})
}
