package postgres

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// Events lists the account's audit log, newest first, at most limit rows that are
// older than before; "" begins with the newest.
func (s *Store) Events(ctx context.Context, userID, before models.ID, limit int) ([]models.AuditEvent, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, at, coalesce(session_id::text, ''), fact, detail, ip, user_agent
		FROM events
		WHERE user_id = $1 AND ($2 = '' OR id < nullif($2, '')::uuid)
		ORDER BY id DESC
		LIMIT $3`, userID, string(before), limit)
	if err != nil {
		return nil, fail(err)
	}
	events, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (models.AuditEvent, error) {
		var e models.AuditEvent
		var detail []byte
		if err := row.Scan(&e.ID, &e.At, &e.SessionID, &e.Fact, &detail, &e.Client.IP, &e.Client.UserAgent); err != nil {
			return e, err
		}
		return e, json.Unmarshal(detail, &e.Detail)
	})
	return events, fail(err)
}

// Dossier gathers what is kept about an account, for its export. session_required
// when it was erased meanwhile.
func (s *Store) Dossier(ctx context.Context, userID models.ID) (models.Dossier, error) {
	var d models.Dossier
	err := s.pool.QueryRow(ctx, `
		SELECT u.language, u.imported_at, coalesce(u.external_id, ''), u.deletion_due_at,
			(SELECT max(e.at) FROM events e WHERE e.user_id = u.id AND e.fact = 'password_changed')
		FROM users u
		WHERE u.id = $1`, userID).Scan(&d.Language, &d.ImportedAt, &d.ExternalID, &d.DeletionDueAt, &d.PasswordChangedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return d, sessionOver()
	}
	if err != nil {
		return d, fail(err)
	}
	if d.Freeze, err = s.Freeze(ctx, userID); err != nil {
		return d, err
	}
	d.KnownDevices, err = listOf[models.SeenDevice](ctx, s, userID, `
		SELECT id, user_agent, created_at, last_used_at
		FROM known_devices
		WHERE user_id = $1
		ORDER BY id`)
	if err != nil {
		return d, err
	}
	d.Failures, err = listOf[models.FactorFailures](ctx, s, userID, `
		SELECT factor, failures, disabled_at
		FROM factor_failures
		WHERE user_id = $1
		ORDER BY factor`)
	if err != nil {
		return d, err
	}
	d.Letters, err = listOf[models.Letter](ctx, s, userID, `
		SELECT kind, address, created_at, sent_at
		FROM notices
		WHERE user_id = $1
		ORDER BY id`)
	if err != nil {
		return d, err
	}
	rows, err := s.pool.Query(ctx, `
		SELECT `+chatColumns+`
		FROM chat_messages m
		JOIN users u ON u.id = m.user_id
		WHERE m.user_id = $1
		ORDER BY m.id`, userID)
	if err != nil {
		return d, fail(err)
	}
	d.Messages, err = pgx.CollectRows(rows, scanChatMessage)
	return d, fail(err)
}

// listOf reads rows of an account whose columns are the fields of T, in their order.
func listOf[T any](ctx context.Context, s *Store, userID models.ID, sql string) ([]T, error) {
	rows, err := s.pool.Query(ctx, sql, userID)
	if err != nil {
		return nil, fail(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	return list, fail(err)
}
