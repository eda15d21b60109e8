package postgres

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

var errRehearsed = errors.New("a rehearsal is rolled back")

// ImportUsers makes accounts of those that don't exist yet, each with its factor
// and its fact, all in one transaction. It never changes what exists: an account
// that was imported before is told from one that merely has the same address. A
// rehearsal says what would come of it and writes nothing.
func (s *Store) ImportUsers(ctx context.Context, users []models.ImportedUser, rehearsal bool) ([]models.ImportOutcome, error) {
	outcomes := make([]models.ImportOutcome, len(users))
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		created, err := insertImported(ctx, tx, now, users)
		if err != nil {
			return err
		}
		if err := dropReserved(ctx, tx, now, created); err != nil {
			return err
		}
		if err := s.importTOTP(ctx, tx, now, created); err != nil {
			return err
		}
		if err := recordImported(ctx, tx, now, created); err != nil {
			return err
		}
		if err := sortImported(ctx, tx, users, created, outcomes); err != nil || !rehearsal {
			return err
		}
		return errRehearsed
	})
	if err != nil && !errors.Is(err, errRehearsed) {
		return nil, err
	}
	return outcomes, nil
}

// insertImported gives those that were inserted, by id.
func insertImported(ctx context.Context, tx pgx.Tx, now time.Time, users []models.ImportedUser) (map[models.ID]models.ImportedUser, error) {
	n := len(users)
	ids, emails, canonicals, verified := make([]string, n), make([]string, n), make([]string, n), make([]bool, n)
	names, nameCanonicals, displays, hashes := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	handles, second, births := make([][]byte, n), make([]bool, n), make([]time.Time, n)
	externals, languages := make([]string, n), make([]string, n)
	all := make(map[models.ID]models.ImportedUser, n)
	for i, u := range users {
		ids[i], emails[i], canonicals[i], verified[i] = string(u.ID), u.Email, u.EmailCanonical, u.EmailVerified
		names[i], nameCanonicals[i], displays[i], hashes[i] = u.Username, u.UsernameCanonical, u.DisplayName, u.PasswordHash
		handles[i], second[i], births[i] = u.Handle, u.TOTPSecret != nil, u.CreatedAt
		externals[i], languages[i] = u.ExternalID, u.Language
		all[u.ID] = u
	}
	rows, err := tx.Query(ctx, `
		INSERT INTO users (
			id, email, email_canonical, email_verified, username, username_canonical, display_name, password_hash,
			webauthn_handle, mfa_established_at, created_at, external_id, language, imported_at
		)
		SELECT
			r.id::uuid, r.email, r.email_canonical, r.email_verified, r.username, r.username_canonical, r.display_name, r.password_hash,
			r.handle, CASE WHEN r.second THEN $14::timestamptz END, r.created_at, NULLIF(r.external_id, ''), r.language, $14
		FROM unnest(
			$1::text[], $2::text[], $3::text[], $4::boolean[], $5::text[], $6::text[], $7::text[], $8::text[],
			$9::bytea[], $10::boolean[], $11::timestamptz[], $12::text[], $13::text[]
		) AS r (
			id, email, email_canonical, email_verified, username, username_canonical, display_name, password_hash,
			handle, second, created_at, external_id, language
		)
		ON CONFLICT DO NOTHING
		RETURNING id`,
		ids, emails, canonicals, verified, names, nameCanonicals, displays, hashes, handles, second, births, externals, languages, now)
	if err != nil {
		return nil, err
	}
	inserted, err := pgx.CollectRows(rows, pgx.RowTo[models.ID])
	if err != nil {
		return nil, err
	}
	created := make(map[models.ID]models.ImportedUser, len(inserted))
	for _, id := range inserted {
		created[id] = all[id]
	}
	return created, nil
}

// dropReserved leaves those out whose address belongs to an account that has just
// changed it: it may take that back.
func dropReserved(ctx context.Context, tx pgx.Tx, now time.Time, created map[models.ID]models.ImportedUser) error {
	rows, err := tx.Query(ctx, `
		DELETE FROM users u
		WHERE u.id = ANY($1::uuid[]) AND EXISTS (
			SELECT FROM former_addresses f WHERE f.email_canonical = u.email_canonical AND f.changed_at > $2)
		RETURNING u.id`, slices.Collect(maps.Keys(created)), now.Add(-models.UndoWithin))
	if err != nil {
		return err
	}
	dropped, err := pgx.CollectRows(rows, pgx.RowTo[models.ID])
	for _, id := range dropped {
		delete(created, id)
	}
	return err
}

func (s *Store) importTOTP(ctx context.Context, tx pgx.Tx, now time.Time, created map[models.ID]models.ImportedUser) error {
	var ids, owners []string
	var secrets [][]byte
	for userID, u := range created {
		if u.TOTPSecret == nil {
			continue
		}
		id := models.NewID(now)
		sealed, err := s.sealer.Seal(u.TOTPSecret, totpPlace(id))
		if err != nil {
			return err
		}
		ids, owners, secrets = append(ids, string(id)), append(owners, string(userID)), append(secrets, sealed)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO totp (id, user_id, secret, last_step, created_at)
		SELECT r.id::uuid, r.user_id::uuid, r.secret, 0, $4
		FROM unnest($1::text[], $2::text[], $3::bytea[]) AS r (id, user_id, secret)`, ids, owners, secrets, now)
	return err
}

// recordImported writes the fact of each account. Nobody's session did it, and no
// policy was asked.
func recordImported(ctx context.Context, tx pgx.Tx, now time.Time, created map[models.ID]models.ImportedUser) error {
	n := len(created)
	ids, owners := make([]string, 0, n), make([]string, 0, n)
	verified, second := make([]bool, 0, n), make([]bool, 0, n)
	for userID, u := range created {
		ids, owners = append(ids, string(models.NewID(now))), append(owners, string(userID))
		verified, second = append(verified, u.EmailVerified), append(second, u.TOTPSecret != nil)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO events (id, at, user_id, fact, detail, policy_version, ip)
		SELECT r.id::uuid, $5, r.user_id::uuid, 'user_imported', jsonb_build_object('email_verified', r.verified, 'totp', r.second), '', ''
		FROM unnest($1::text[], $2::text[], $3::boolean[], $4::boolean[]) AS r (id, user_id, verified, second)`,
		ids, owners, verified, second, now)
	return err
}

// likeness is how an existing account is like one that could not be inserted.
type likeness struct {
	row                       int
	imported                  bool
	external, email, username bool
}

// sortImported says what came of each account: of those that were not inserted, who
// stands in their way.
func sortImported(ctx context.Context, tx pgx.Tx, users []models.ImportedUser, created map[models.ID]models.ImportedUser, outcomes []models.ImportOutcome) error {
	var at []int
	var externals, emails, names []string
	for i, u := range users {
		if _, ok := created[u.ID]; ok {
			outcomes[i].Kind = models.ImportCreated
			continue
		}
		outcomes[i].Kind = models.ImportConflict
		at, externals, emails, names = append(at, i), append(externals, u.ExternalID), append(emails, u.EmailCanonical), append(names, u.UsernameCanonical)
	}
	if len(at) == 0 {
		return nil
	}
	// One branch for each index, for a join with OR may use none.
	rows, err := tx.Query(ctx, `
		WITH r AS MATERIALIZED (
			SELECT * FROM unnest($1::integer[], $2::text[], $3::text[], $4::text[]) AS r (n, external_id, email, username)
		), found AS (
			SELECT r.n, u.id FROM r JOIN users u ON u.external_id = r.external_id
			UNION SELECT r.n, u.id FROM r JOIN users u ON u.email_canonical = r.email
			UNION SELECT r.n, u.id FROM r JOIN users u ON u.username_canonical = r.username
			UNION SELECT r.n, f.user_id FROM r JOIN former_addresses f ON f.email_canonical = r.email
		)
		SELECT
			r.n,
			u.imported_at IS NOT NULL,
			coalesce(u.external_id = r.external_id, false),
			coalesce(u.email_canonical = r.email, false) OR EXISTS (
				SELECT FROM former_addresses f WHERE f.user_id = u.id AND f.email_canonical = r.email),
			u.username_canonical = r.username
		FROM found
		JOIN r ON r.n = found.n
		JOIN users u ON u.id = found.id`, at, externals, emails, names)
	if err != nil {
		return err
	}
	var like likeness
	_, err = pgx.ForEachRow(rows, []any{&like.row, &like.imported, &like.external, &like.email, &like.username}, func() error {
		outcomes[like.row] = like.outcome(outcomes[like.row], users[like.row].ExternalID != "")
		return nil
	})
	return err
}

// outcome takes one more likeness into account. The same account is one that was
// imported under the same name, whatever its owner changed since, unless nothing
// else of it is the same; where the other system gave no names, one that was
// imported with this address and this user name.
func (l likeness) outcome(sofar models.ImportOutcome, named bool) models.ImportOutcome {
	switch {
	case l.imported && l.external && (l.email || l.username), l.imported && !named && l.email && l.username:
		return models.ImportOutcome{Kind: models.ImportUnchanged}
	case sofar.Kind == models.ImportUnchanged, sofar.Field == "external_id":
		return sofar
	case l.external:
		sofar.Field = "external_id"
	case l.email:
		sofar.Field = "email"
	case sofar.Field == "":
		sofar.Field = "username"
	}
	return sofar
}
