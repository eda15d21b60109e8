package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

// ChannelCohort is notified when another cohort became active or a member was
// erased: whoever holds one in memory reads it anew.
const ChannelCohort = "sallyport_face_cohort"

func memberPlace(id models.ID, column string) seal.Place {
	return seal.Place{Table: "face_cohort_members", Column: column, Row: id}
}

// ownerDigest finds an account's rows among the members without naming it.
func (s *Store) ownerDigest(userID models.ID) []byte {
	return s.sealer.Digest("face_cohort_owner", string(userID))
}

// CohortCandidates gives the accounts whose newest templates of a model may
// become members: they agreed to it, are older than their cutoff, have signed in
// at aal2 since, and their face is not disabled.
func (s *Store) CohortCandidates(ctx context.Context, modelKey string, createdBefore time.Time) ([]models.CohortCandidate, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT u.id, encode(c.network, 'hex'), to_char(c.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), t.id, t.descriptor
		FROM users u
		JOIN faces f ON f.user_id = u.id AND f.disabled_at IS NULL
		JOIN LATERAL (
			SELECT id, network, created_at
			FROM face_captures
			WHERE user_id = u.id AND model_key = $1
			ORDER BY created_at DESC, id DESC
			LIMIT 1
		) c ON true
		JOIN face_templates t ON t.capture_id = c.id AND t.pose = 'straight'
		WHERE u.created_at <= $2
		  AND EXISTS (SELECT 1 FROM face_consents WHERE user_id = u.id AND kind = 'cohort' AND withdrawn_at IS NULL)
		  AND EXISTS (
			SELECT 1 FROM events
			WHERE user_id = u.id AND fact IN ('signed_in', 'stepped_up') AND detail ->> 'factor' IN ('passkey', 'totp')
		  )
		ORDER BY u.id, t.id`, modelKey, createdBefore)
	if err != nil {
		return nil, fail(err)
	}
	var out []models.CohortCandidate
	var owner, template models.ID
	var network, day string
	var sealed []byte
	_, err = pgx.ForEachRow(rows, []any{&owner, &network, &day, &template, &sealed}, func() error {
		open, err := s.sealer.Open(sealed, facePlace(template, owner, modelKey))
		if err != nil {
			return err
		}
		if n := len(out); n == 0 || out[n-1].Owner != owner {
			out = append(out, models.CohortCandidate{Owner: owner, Network: network, Day: day})
		}
		last := &out[len(out)-1]
		last.Descriptors = append(last.Descriptors, open)
		return nil
	})
	return out, fail(err)
}

// SaveCohort keeps a new cohort, which is not active yet, and gives it with its
// id and version. Members whose owner withdrew meanwhile are left out.
func (s *Store) SaveCohort(ctx context.Context, c models.Cohort) (models.Cohort, error) {
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		c.ID, c.CreatedAt = models.NewID(now), now
		err := tx.QueryRow(ctx, `
			INSERT INTO face_cohorts (id, model_key, fusion, k, threshold, bound, report, refused, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			RETURNING version`, c.ID, c.ModelKey, c.Fusion, c.Neighbours, c.Threshold, c.Bound, c.Report, c.Refused, now).Scan(&c.Version)
		if err != nil {
			return err
		}
		for _, m := range c.Members {
			if err := s.insertMember(ctx, tx, c.ID, m, now); err != nil {
				return err
			}
		}
		return nil
	})
	return c, err
}

func (s *Store) insertMember(ctx context.Context, tx pgx.Tx, cohort models.ID, m models.CohortMember, now time.Time) error {
	id := models.NewID(now)
	owner, err := s.sealer.Seal([]byte(m.Owner), memberPlace(id, "owner"))
	if err != nil {
		return err
	}
	descriptor, err := s.sealer.Seal(m.Descriptor, memberPlace(id, "descriptor"))
	if err != nil {
		return err
	}
	// The consent's row is locked, so a withdrawal either comes first and is
	// seen here, or waits and then finds this member.
	_, err = tx.Exec(ctx, `
		WITH consent AS (
			SELECT 1 FROM face_consents
			WHERE user_id = $6 AND kind = 'cohort' AND withdrawn_at IS NULL
			LIMIT 1
			FOR SHARE
		)
		INSERT INTO face_cohort_members (id, cohort_id, owner, owner_digest, descriptor)
		SELECT $1, $2, $3, $4, $5
		FROM consent`, id, cohort, owner, s.ownerDigest(m.Owner), descriptor, m.Owner)
	return err
}

// leaveCohorts erases an account's member from every cohort.
func (s *Store) leaveCohorts(ctx context.Context, tx pgx.Tx, userID models.ID) (int64, error) {
	// See insertMember: whoever withdraws waits here for a cohort being saved.
	_, err := tx.Exec(ctx, `SELECT 1 FROM face_consents WHERE user_id = $1 AND kind = 'cohort' FOR UPDATE`, userID)
	if err != nil {
		return 0, err
	}
	tag, err := tx.Exec(ctx, `DELETE FROM face_cohort_members WHERE owner_digest = $1`, s.ownerDigest(userID))
	if err != nil || tag.RowsAffected() == 0 {
		return 0, err
	}
	_, err = tx.Exec(ctx, `SELECT pg_notify($1, '')`, ChannelCohort)
	return tag.RowsAffected(), err
}

// ActivateCohort puts a cohort in place of the active one of its model, in one
// statement each under the table's unique index. conflict when it was refused;
// not_found when there is no such version.
func (s *Store) ActivateCohort(ctx context.Context, version int) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		var modelKey, refused string
		err := tx.QueryRow(ctx, `
			SELECT model_key, refused
			FROM face_cohorts
			WHERE version = $1
			FOR UPDATE`, version).Scan(&modelKey, &refused)
		if errors.Is(err, pgx.ErrNoRows) {
			return notFound()
		}
		if err != nil {
			return err
		}
		if refused != "" {
			return models.Refuse(models.CodeConflict, fmt.Sprintf("cohort %d may not become active: %s", version, refused))
		}
		_, err = tx.Exec(ctx, `
			UPDATE face_cohorts
			SET retired_at = $2
			WHERE model_key = $1 AND activated_at IS NOT NULL AND retired_at IS NULL AND version <> $3`, modelKey, now, version)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			UPDATE face_cohorts
			SET activated_at = coalesce(activated_at, $2), retired_at = NULL
			WHERE version = $1`, version, now)
		if err != nil {
			return err
		}
		if err := s.record(ctx, tx, now, models.Session{}, "face_cohort_activated", map[string]any{"version": version}); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `SELECT pg_notify($1, '')`, ChannelCohort)
		return err
	})
}

const cohortColumns = `
	id,
	version,
	model_key,
	fusion,
	k,
	threshold,
	bound,
	report,
	refused,
	created_at,
	activated_at,
	retired_at`

func scanCohort(row pgx.CollectableRow) (models.Cohort, error) {
	var c models.Cohort
	err := row.Scan(&c.ID, &c.Version, &c.ModelKey, &c.Fusion, &c.Neighbours, &c.Threshold, &c.Bound, &c.Report, &c.Refused,
		&c.CreatedAt, &c.ActivatedAt, &c.RetiredAt)
	return c, err
}

// Cohorts lists the cohorts, newest first, without their members but with their
// number.
func (s *Store) Cohorts(ctx context.Context) ([]models.Cohort, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT `+cohortColumns+`
		FROM face_cohorts
		ORDER BY version DESC`)
	if err != nil {
		return nil, fail(err)
	}
	cohorts, err := pgx.CollectRows(rows, scanCohort)
	if err != nil {
		return nil, fail(err)
	}
	for i := range cohorts {
		err := s.pool.QueryRow(ctx, `
			SELECT count(*)
			FROM face_cohort_members
			WHERE cohort_id = $1`, cohorts[i].ID).Scan(&cohorts[i].Size)
		if err != nil {
			return nil, fail(err)
		}
	}
	return cohorts, nil
}

// ActiveCohorts gives the active cohort of each model, members open.
func (s *Store) ActiveCohorts(ctx context.Context) ([]models.Cohort, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT `+cohortColumns+`
		FROM face_cohorts
		WHERE activated_at IS NOT NULL AND retired_at IS NULL`)
	if err != nil {
		return nil, fail(err)
	}
	cohorts, err := pgx.CollectRows(rows, scanCohort)
	if err != nil {
		return nil, fail(err)
	}
	for i := range cohorts {
		if cohorts[i].Members, err = s.members(ctx, cohorts[i].ID); err != nil {
			return nil, err
		}
	}
	return cohorts, nil
}

func (s *Store) members(ctx context.Context, cohort models.ID) ([]models.CohortMember, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, owner, descriptor
		FROM face_cohort_members
		WHERE cohort_id = $1`, cohort)
	if err != nil {
		return nil, fail(err)
	}
	members, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (models.CohortMember, error) {
		var m models.CohortMember
		var id models.ID
		var owner, descriptor []byte
		if err := row.Scan(&id, &owner, &descriptor); err != nil {
			return m, err
		}
		open, err := s.sealer.Open(owner, memberPlace(id, "owner"))
		if err != nil {
			return m, err
		}
		m.Owner = models.ID(open)
		m.Descriptor, err = s.sealer.Open(descriptor, memberPlace(id, "descriptor"))
		return m, err
	})
	return members, fail(err)
}

// PruneCohorts removes what is neither active nor among the newest: members are
// kept no longer than they serve.
func (s *Store) PruneCohorts(ctx context.Context, keep int) error {
	_, err := s.pool.Exec(ctx, `
		DELETE FROM face_cohorts
		WHERE (activated_at IS NULL OR retired_at IS NOT NULL)
		  AND version NOT IN (SELECT version FROM face_cohorts ORDER BY version DESC LIMIT $1)`, keep)
	return fail(err)
}
