package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

// SessionByHost finds the live session behind a token that a browser has at an app's
// host. session_required when there is none, the token is another host's, or the session
// is over.
func (s *Store) SessionByHost(ctx context.Context, hash models.TokenHash, host string) (models.Session, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT `+sessionColumns+`
		FROM host_sessions h
		JOIN sessions s ON s.id = h.session_id
		JOIN users u ON u.id = s.user_id
		WHERE h.token_hash = $1 AND h.host = $2 AND s.idle_ends_at > $3 AND s.ends_at > $3`, hash[:], host, s.clock())
	return oneSession(rows, err)
}

// IssueHostCode keeps a code that leads the session's browser to an app's host.
// session_required when the session has ended meanwhile.
func (s *Store) IssueHostCode(ctx context.Context, by models.Session, code models.HostCode) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO host_codes (code_hash, session_id, host, binding, leads_to, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6)`,
		code.Code[:], by.ID, code.Host, code.Binding[:], code.To, code.ExpiresAt)
	if violates(err) != "" {
		return sessionOver()
	}
	return fail(err)
}

// EnterHost spends a code where it was issued for, and gives its session a new token for
// that host in place of the one that it may have. There is one answer for codes that
// expired, were used, are for another host or browser, or never were: challenge_expired.
func (s *Store) EnterHost(ctx context.Context, code, binding models.TokenHash, host string) (session models.Session, token, to string, err error) {
	token = seal.NewToken()
	err = s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		var userID models.ID
		err := tx.QueryRow(ctx, `
			SELECT s.user_id
			FROM host_codes c
			JOIN sessions s ON s.id = c.session_id
			WHERE c.code_hash = $1`, code[:]).Scan(&userID)
		if errors.Is(err, pgx.ErrNoRows) {
			return deadCode()
		}
		if err != nil {
			return err
		}
		if err := lockUser(ctx, tx, userID); err != nil {
			return err
		}
		var sessionID models.ID
		err = tx.QueryRow(ctx, `
			DELETE FROM host_codes
			WHERE code_hash = $1 AND host = $2 AND binding = $3 AND expires_at > $4
			RETURNING session_id, leads_to`, code[:], host, binding[:], now).Scan(&sessionID, &to)
		if errors.Is(err, pgx.ErrNoRows) {
			return deadCode()
		}
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `
			SELECT `+sessionColumns+`
			FROM sessions s
			JOIN users u ON u.id = s.user_id
			WHERE s.id = $1 AND s.idle_ends_at > $2 AND s.ends_at > $2`, sessionID, now)
		if session, err = oneSession(rows, err); err != nil {
			return err
		}
		hash := models.HashToken(token)
		_, err = tx.Exec(ctx, `
			INSERT INTO host_sessions (token_hash, session_id, host, created_at)
			VALUES ($1, $2, $3, $4)
			ON CONFLICT ON CONSTRAINT host_sessions_session_key DO UPDATE
			SET token_hash = EXCLUDED.token_hash, created_at = EXCLUDED.created_at`, hash[:], sessionID, host, now)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, now, session, "app_entered", map[string]any{"host": host})
	})
	return session, token, to, err
}

func deadCode() error {
	return models.Refuse(models.CodeChallengeExpired, "this way into the app was used already, is too old, or began in another browser")
}
