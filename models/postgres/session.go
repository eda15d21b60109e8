package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

const sessionColumns = `
	s.id,
	s.token_hash,
	s.state,
	s.methods,
	s.policy_version,
	s.transport,
	s.ip,
	s.user_agent,
	s.created_at,
	s.last_seen_at,
	s.idle_ends_at,
	s.ends_at,
	s.transaction_id,
	u.id,
	u.email,
	u.email_verified,
	u.email_canonical IS NOT NULL,
	u.username,
	u.display_name,
	u.webauthn_handle,
	u.mfa_established_at,
	u.admin_since IS NOT NULL,
	ARRAY(SELECT g.name FROM user_groups g WHERE g.user_id = u.id ORDER BY g.name),
	u.created_at,
	coalesce(u.client_id, ''),
	coalesce(u.subject, ''),
	CASE WHEN s.transport = 'app' THEN (
		SELECT c.settings ->> 'name' FROM grants g JOIN clients c ON c.id = g.client_id WHERE g.session_id = s.id LIMIT 1
	) END`

func scanSession(row pgx.CollectableRow) (models.Session, error) {
	var s models.Session
	var hash, methods []byte
	var app *string
	err := row.Scan(
		&s.ID, &hash, &s.State, &methods, &s.PolicyVersion, &s.Transport, &s.Client.IP, &s.Client.UserAgent,
		&s.CreatedAt, &s.LastSeenAt, &s.IdleEndsAt, &s.EndsAt, &s.Transaction,
		&s.User.ID, &s.User.Email, &s.User.EmailVerified, &s.User.EmailHeld, &s.User.Username, &s.User.DisplayName, &s.User.Handle,
		&s.User.MFAEstablishedAt, &s.User.Admin, &s.User.Groups, &s.User.CreatedAt, &s.User.AppID, &s.User.Subject, &app,
	)
	if err != nil {
		return models.Session{}, err
	}
	if app != nil {
		s.App = *app
	}
	s.TokenHash = models.TokenHash(hash)
	return s, json.Unmarshal(methods, &s.Methods)
}

// SessionByToken finds the live session of a token. session_required when
// there is none, or its idle or absolute end has come.
func (s *Store) SessionByToken(ctx context.Context, hash models.TokenHash) (models.Session, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT `+sessionColumns+`
		FROM sessions s
		JOIN users u ON u.id = s.user_id
		WHERE s.token_hash = $1 AND s.idle_ends_at > $2 AND s.ends_at > $2`, hash[:], s.clock())
	return oneSession(rows, err)
}

// SessionsByID finds those of the sessions that are live, for whoever holds
// something open for them.
func (s *Store) SessionsByID(ctx context.Context, ids []models.ID) ([]models.Session, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT `+sessionColumns+`
		FROM sessions s
		JOIN users u ON u.id = s.user_id
		WHERE s.id = ANY($1) AND s.idle_ends_at > $2 AND s.ends_at > $2`, ids, s.clock())
	if err != nil {
		return nil, fail(err)
	}
	sessions, err := pgx.CollectRows(rows, scanSession)
	return sessions, fail(err)
}

func sessionByRef(ctx context.Context, tx pgx.Tx, ref models.Ref) (models.Session, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+sessionColumns+`
		FROM sessions s
		JOIN users u ON u.id = s.user_id
		WHERE s.id = $1 AND s.token_hash = $2 AND u.id = $3
		FOR NO KEY UPDATE OF s`, ref.ID, ref.TokenHash[:], ref.UserID)
	return oneSession(rows, err)
}

func oneSession(rows pgx.Rows, err error) (models.Session, error) {
	if err != nil {
		return models.Session{}, fail(err)
	}
	session, err := pgx.CollectExactlyOneRow(rows, scanSession)
	if errors.Is(err, pgx.ErrNoRows) {
		return models.Session{}, sessionOver()
	}
	return session, fail(err)
}

// Touch notes that a session was used. It writes at most once a minute, and
// only while the token is still the session's own.
func (s *Store) Touch(ctx context.Context, ref models.Ref, client models.Client, idleEndsAt time.Time) error {
	now := s.clock()
	_, err := s.pool.Exec(ctx, `
		UPDATE sessions
		SET last_seen_at = $3, idle_ends_at = $4, ip = $5, user_agent = $6
		WHERE id = $1 AND token_hash = $2 AND last_seen_at <= $7`,
		ref.ID, ref.TokenHash[:], now, idleEndsAt, client.IP, client.UserAgent, now.Add(-TouchEvery))
	return fail(err)
}

// TouchEvery is how often the use of a session is written at the most. An
// UPDATE on every request would cost three times the lookup.
const TouchEvery = time.Minute

// Sessions lists the live sessions of an account, newest use first.
func (s *Store) Sessions(ctx context.Context, userID models.ID) ([]models.Session, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT `+sessionColumns+`
		FROM sessions s
		JOIN users u ON u.id = s.user_id
		WHERE s.user_id = $1 AND s.idle_ends_at > $2 AND s.ends_at > $2
		ORDER BY s.last_seen_at DESC, s.id DESC`, userID, s.clock())
	if err != nil {
		return nil, fail(err)
	}
	sessions, err := pgx.CollectRows(rows, scanSession)
	return sessions, fail(err)
}

// EndSession ends one session of the account; not_found when it has no such.
func (s *Store) EndSession(ctx context.Context, by models.Session, id models.ID) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := lockUser(ctx, tx, by.User.ID); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			DELETE FROM sessions
			WHERE id = $1 AND user_id = $2`, id, by.User.ID)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return notFound()
		}
		if id != by.ID { // signing out keeps the device's lane
			if err := forgetDevice(ctx, tx, by.User.ID, id); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, now, by, "session_ended", map[string]any{"ended": id})
	})
}

// EndOtherSessions ends every session of the account but this one.
func (s *Store) EndOtherSessions(ctx context.Context, by models.Session) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := lockUser(ctx, tx, by.User.ID); err != nil {
			return err
		}
		ended, err := endOthers(ctx, tx, by)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, now, by, "other_sessions_ended", map[string]any{"ended": ended})
	})
}

// EndAllSessions ends every session of the account, this one as well.
func (s *Store) EndAllSessions(ctx context.Context, by models.Session) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := lockUser(ctx, tx, by.User.ID); err != nil {
			return err
		}
		if err := forgetOtherDevices(ctx, tx, by); err != nil {
			return err
		}
		ended, err := endAll(ctx, tx, by.User.ID)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, now, by, "all_sessions_ended", map[string]any{"ended": ended})
	})
}

// endOthers ends every session of the account but this one, and gives those.
func endOthers(ctx context.Context, tx pgx.Tx, session models.Session) ([]models.ID, error) {
	ended, err := deleteSessions(ctx, tx, `
		DELETE FROM sessions
		WHERE user_id = $1 AND id <> $2
		RETURNING id`, session.User.ID, session.ID)
	if err != nil {
		return nil, err
	}
	// Apps come back by the session that stays; what was stolen of it before does not.
	if err := endGrants(ctx, tx, session.User.ID); err != nil {
		return nil, err
	}
	return ended, forgetOtherDevices(ctx, tx, session)
}

// deleteSessions gives the sessions that a statement ended.
func deleteSessions(ctx context.Context, tx pgx.Tx, sql string, args ...any) ([]models.ID, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[models.ID])
}

// recordRevoked notes the sessions that something else ended beside what it did, if any.
func (s *Store) recordRevoked(ctx context.Context, tx pgx.Tx, now time.Time, by models.Session, ended []models.ID) error {
	if len(ended) == 0 {
		return nil
	}
	return s.record(ctx, tx, now, by, "sessions_revoked", map[string]any{"ended": ended})
}

func insertSession(ctx context.Context, tx pgx.Tx, s models.Session) error {
	methods, err := json.Marshal(s.Methods)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO sessions (
			id, token_hash, user_id, state, methods, policy_version, transport, ip, user_agent,
			created_at, last_seen_at, idle_ends_at, ends_at, transaction_id
		) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		s.ID, s.TokenHash[:], s.User.ID, s.State, methods, s.PolicyVersion, s.Transport, s.Client.IP, s.Client.UserAgent,
		s.CreatedAt, s.LastSeenAt, s.IdleEndsAt, s.EndsAt, s.Transaction)
	return err
}

// updateSession swaps the token and everything else in one statement that only
// holds while the old token is the session's own.
func updateSession(ctx context.Context, tx pgx.Tx, old models.TokenHash, s models.Session) error {
	methods, err := json.Marshal(s.Methods)
	if err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `
		UPDATE sessions
		SET token_hash = $3, state = $4, methods = $5, last_seen_at = $6, idle_ends_at = $7, ends_at = $8
		WHERE id = $1 AND token_hash = $2`,
		s.ID, old[:], s.TokenHash[:], s.State, methods, s.LastSeenAt, s.IdleEndsAt, s.EndsAt)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return sessionOver()
	}
	return nil
}
