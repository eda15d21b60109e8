package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

const passkeyColumns = `
	id,
	user_id,
	credential_id,
	name,
	sign_count,
	clone_warning,
	backup_eligible,
	backup_state,
	aaguid,
	credential,
	created_at,
	last_used_at,
	quarantined_at`

func scanPasskey(row pgx.CollectableRow) (models.PasskeyRecord, error) {
	var p models.PasskeyRecord
	err := row.Scan(&p.ID, &p.UserID, &p.CredentialID, &p.Name, &p.SignCount, &p.CloneWarning,
		&p.BackupEligible, &p.BackupState, &p.AAGUID, &p.Credential, &p.CreatedAt, &p.LastUsedAt, &p.QuarantinedAt)
	return p, err
}

// Passkeys lists an account's passkeys, oldest first, those that are set aside too.
func (s *Store) Passkeys(ctx context.Context, userID models.ID) ([]models.PasskeyRecord, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT `+passkeyColumns+`
		FROM passkeys
		WHERE user_id = $1
		ORDER BY id`, userID)
	if err != nil {
		return nil, fail(err)
	}
	passkeys, err := pgx.CollectRows(rows, scanPasskey)
	return passkeys, fail(err)
}

// EnrolPasskey stores a new passkey and moves the session by it. conflict when
// the credential is registered already, with this account or another.
func (s *Store) EnrolPasskey(ctx context.Context, ref models.Ref, p models.PasskeyRecord, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO passkeys (
				id, user_id, credential_id, name, sign_count, clone_warning, backup_eligible, backup_state, aaguid, credential, created_at, last_used_at
			) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)`,
			p.ID, ref.UserID, p.CredentialID, p.Name, p.SignCount, p.CloneWarning, p.BackupEligible, p.BackupState, p.AAGUID, p.Credential, now)
		if violates(err) == "passkeys_credential_id_key" {
			return models.Refuse(models.CodeConflict, "this passkey is registered already")
		}
		return err
	})
}

// PassPasskey writes back what an assertion changed in its passkey and moves
// the session by it.
func (s *Store) PassPasskey(ctx context.Context, ref models.Ref, p models.PasskeyRecord, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		return writeBackPasskey(ctx, tx, now, p)
	})
}

// OpenSessionByPasskey opens a session for a passkey that signs in alone.
func (s *Store) OpenSessionByPasskey(ctx context.Context, p models.PasskeyRecord, client models.Client, transport models.Transport, decide models.Decide) (models.Session, string, error) {
	return s.open(ctx, p.UserID, client, transport, decide, func(tx pgx.Tx, now time.Time) error {
		return writeBackPasskey(ctx, tx, now, p)
	})
}

// writeBackPasskey refuses when the row has gone or was set aside, or when another assertion
// carried the counter past this one meanwhile: of two with one counter value
// only the first may count, for the second could be a clone's.
func writeBackPasskey(ctx context.Context, tx pgx.Tx, now time.Time, p models.PasskeyRecord) error {
	tag, err := tx.Exec(ctx, `
		UPDATE passkeys
		SET sign_count = $3, clone_warning = $4, backup_eligible = $5, backup_state = $6, credential = $7, last_used_at = $8
		WHERE id = $1 AND user_id = $2 AND quarantined_at IS NULL AND (sign_count < $3 OR sign_count = 0 AND $3 = 0)`,
		p.ID, p.UserID, p.SignCount, p.CloneWarning, p.BackupEligible, p.BackupState, p.Credential, now)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return models.Refuse(models.CodeFactorRejected, "this passkey was not accepted: try again, or use another way")
	}
	return nil
}

// RecordClone notes on the passkey and in the audit log that its counter went
// backwards: somebody may hold a copy of it (WebAuthn Level 3 section 6.1.1).
func (s *Store) RecordClone(ctx context.Context, p models.PasskeyRecord, client models.Client, policyVersion string) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		_, err := tx.Exec(ctx, `
			UPDATE passkeys
			SET clone_warning = true
			WHERE id = $1 AND user_id = $2`, p.ID, p.UserID)
		if err != nil {
			return err
		}
		about := models.Session{User: models.User{ID: p.UserID}, PolicyVersion: policyVersion, Client: client}
		return s.record(ctx, tx, now, about, "passkey_counter_regressed", map[string]any{"passkey": p.ID})
	})
}

// RenamePasskey gives a passkey another name; not_found when it is not the
// account's.
func (s *Store) RenamePasskey(ctx context.Context, userID, id models.ID, name string) (models.PasskeyRecord, error) {
	rows, err := s.pool.Query(ctx, `
		UPDATE passkeys
		SET name = $3
		WHERE id = $1 AND user_id = $2
		RETURNING `+passkeyColumns, id, userID, name)
	if err != nil {
		return models.PasskeyRecord{}, fail(err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanPasskey)
	if errors.Is(err, pgx.ErrNoRows) {
		return models.PasskeyRecord{}, notFound()
	}
	return p, fail(err)
}

// RemovePasskey takes one passkey away; not_found when it is not the
// account's.
func (s *Store) RemovePasskey(ctx context.Context, ref models.Ref, id models.ID, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, _ time.Time) error {
		tag, err := tx.Exec(ctx, `
			DELETE FROM passkeys
			WHERE id = $1 AND user_id = $2`, id, ref.UserID)
		if err == nil && tag.RowsAffected() == 0 {
			return notFound()
		}
		return err
	})
}
