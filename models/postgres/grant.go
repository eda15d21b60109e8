package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// invalidGrant is told for whatever is wrong with a code or a refresh token.
func invalidGrant() error {
	return models.Refuse(models.CodeInvalidGrant, "this code or token is not valid, or no longer")
}

// GiveGrant keeps what a session gives to an app, and its code where there is one. Where
// the request waited it is used up. session_required when the session ended or moved on
// meanwhile; not_found when the request that waited was used already.
func (s *Store) GiveGrant(ctx context.Context, ref models.Ref, grant models.Grant, code *models.AuthCode, waited models.ID) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := lockUser(ctx, tx, ref.UserID); err != nil {
			return err
		}
		session, err := sessionByRef(ctx, tx, ref)
		if err != nil {
			return err
		}
		if waited != "" {
			tag, err := tx.Exec(ctx, `DELETE FROM authorizations WHERE id = $1`, waited)
			if err != nil {
				return err
			}
			if tag.RowsAffected() == 0 {
				return notFound()
			}
		}
		methods, err := json.Marshal(grant.Methods)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO grants (id, client_id, user_id, session_id, scopes, claims, nonce, methods, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			grant.ID, grant.AppID, grant.UserID, grant.SessionID, grant.Scopes, grant.Claims, grant.Nonce, methods, now)
		if violates(err) != "" {
			return notFound() // the app was deleted meanwhile
		}
		if err != nil {
			return err
		}
		if code != nil {
			_, err := tx.Exec(ctx, `
				INSERT INTO authorization_codes (code_hash, grant_id, redirect_uri, challenge, expires_at)
				VALUES ($1, $2, $3, $4, $5)`, code.Hash[:], grant.ID, code.RedirectURI, code.Challenge, code.ExpiresAt)
			if err != nil {
				return err
			}
		}
		return s.record(ctx, tx, now, session, "app_signed_in", map[string]any{"app": grant.AppID})
	})
}

const grantColumns = `
	g.id,
	g.client_id,
	g.user_id,
	g.session_id,
	g.scopes,
	g.claims,
	g.nonce,
	g.methods,
	g.created_at`

func scanGrant(row pgx.Row, more ...any) (models.Grant, error) {
	var g models.Grant
	var methods []byte
	err := row.Scan(append([]any{&g.ID, &g.AppID, &g.UserID, &g.SessionID, &g.Scopes, &g.Claims, &g.Nonce, &methods, &g.CreatedAt}, more...)...)
	if err != nil {
		return g, err
	}
	return g, json.Unmarshal(methods, &g.Methods)
}

// RedeemCode uses a code up and keeps what it gives. accept says whether whoever brings
// it may; mint makes what it gives. invalid_grant for a code that is over, was used, or
// was not accepted: then what it gave, or would have given, ends, for it was in wrong
// hands.
func (s *Store) RedeemCode(ctx context.Context, hash models.TokenHash, accept func(models.Grant, models.AuthCode) bool, mint func(models.Grant) models.Mint) (models.Grant, models.User, error) {
	fact := "code_reused"
	return s.exchange(ctx, hash, fact, func(tx pgx.Tx, now time.Time) (grant models.Grant, used bool, err error) {
		code := models.AuthCode{Hash: hash}
		grant, err = scanGrant(tx.QueryRow(ctx, `
			UPDATE authorization_codes c
			SET used_at = $2
			FROM grants g
			WHERE c.code_hash = $1 AND c.used_at IS NULL AND c.expires_at > $2 AND g.id = c.grant_id
			RETURNING `+grantColumns+`, c.redirect_uri, c.challenge`, hash[:], now), &code.RedirectURI, &code.Challenge)
		if errors.Is(err, pgx.ErrNoRows) {
			grant, err = scanGrant(tx.QueryRow(ctx, `
				SELECT `+grantColumns+`
				FROM authorization_codes c
				JOIN grants g ON g.id = c.grant_id
				WHERE c.code_hash = $1 AND c.used_at IS NOT NULL`, hash[:]))
			return grant, true, err
		}
		return grant, err == nil && !accept(grant, code), err
	}, mint)
}

// RotateRefresh uses a refresh token up and keeps what takes its place. invalid_grant for
// one that is over; for one that was used before or is not accepted all of its family
// ends, for one of the two who have it stole it (RFC 9700 section 4.14.2).
func (s *Store) RotateRefresh(ctx context.Context, hash models.TokenHash, accept func(models.Grant) bool, mint func(models.Grant) models.Mint) (models.Grant, models.User, error) {
	fact := "refresh_token_reused"
	return s.exchange(ctx, hash, fact, func(tx pgx.Tx, now time.Time) (grant models.Grant, used bool, err error) {
		grant, err = scanGrant(tx.QueryRow(ctx, `
			UPDATE refresh_tokens r
			SET used_at = $2
			FROM grants g
			WHERE r.token_hash = $1 AND r.used_at IS NULL AND r.idle_ends_at > $2 AND g.id = r.grant_id
			RETURNING `+grantColumns, hash[:], now))
		if errors.Is(err, pgx.ErrNoRows) {
			grant, err = scanGrant(tx.QueryRow(ctx, `
				SELECT `+grantColumns+`
				FROM refresh_tokens r
				JOIN grants g ON g.id = r.grant_id
				WHERE r.token_hash = $1 AND r.used_at IS NOT NULL`, hash[:]))
			return grant, true, err
		}
		return grant, err == nil && !accept(grant), err
	}, mint)
}

// exchange takes something single-use for tokens. take finds its grant, and tells whether
// that has to end. The end is committed, and only then refused.
func (s *Store) exchange(ctx context.Context, hash models.TokenHash, fact string, take func(pgx.Tx, time.Time) (models.Grant, bool, error), mint func(models.Grant) models.Mint) (models.Grant, models.User, error) {
	var grant models.Grant
	var user models.User
	var stolen bool
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := lockDeviceSession(ctx, tx, `
			SELECT grant_id FROM refresh_tokens WHERE token_hash = $1`, hash[:]); err != nil {
			return err
		}
		// The grant's lock before all else of it: of many who use one at once each waits for its turn.
		_, err := tx.Exec(ctx, `
			SELECT 1
			FROM grants
			WHERE id IN (
				SELECT grant_id FROM authorization_codes WHERE code_hash = $1
				UNION ALL
				SELECT grant_id FROM refresh_tokens WHERE token_hash = $1
			)
			FOR UPDATE`, hash[:])
		if err != nil {
			return err
		}
		grant, stolen, err = take(tx, now)
		if errors.Is(err, pgx.ErrNoRows) {
			return invalidGrant()
		}
		if err != nil {
			return err
		}
		if user, err = userByID(ctx, tx, grant.UserID); err != nil {
			return err
		}
		if !stolen {
			return s.keepMinted(ctx, tx, now, grant, mint(grant))
		}
		tag, err := tx.Exec(ctx, `DELETE FROM grants WHERE id = $1`, grant.ID)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return s.record(ctx, tx, now, models.Session{ID: grant.SessionID, User: user}, fact, map[string]any{"app": grant.AppID})
	})
	if err == nil && stolen {
		err = invalidGrant()
	}
	return grant, user, err
}

// lockDeviceSession locks the session of a device's grant before the grant, as whatever
// ends a session does: what is given is that session's use, and the two must not wait for
// each other.
func lockDeviceSession(ctx context.Context, tx pgx.Tx, grants string, args ...any) error {
	_, err := tx.Exec(ctx, `
		SELECT 1
		FROM sessions
		WHERE transport = 'app' AND id IN (SELECT session_id FROM grants WHERE id IN (`+grants+`))
		FOR NO KEY UPDATE`, args...)
	return err
}

func (s *Store) keepMinted(ctx context.Context, tx pgx.Tx, now time.Time, grant models.Grant, m models.Mint) error {
	scopes := m.Scopes
	if scopes == nil {
		scopes = grant.Scopes
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO access_tokens (id, token_hash, client_id, grant_id, scopes, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, m.AccessID, hashOrNull(m.AccessHash), grant.AppID, grant.ID, scopes, now, m.AccessExpires)
	if violates(err) != "" {
		return invalidGrant() // the grant ended meanwhile
	}
	if err != nil {
		return err
	}
	// Nobody but the app uses a device's session, so that this is its use. Other sessions
	// are not kept alive by what an app does while nobody is there.
	_, err = tx.Exec(ctx, `
		UPDATE sessions
		SET last_seen_at = $2, idle_ends_at = $3
		WHERE id = $1 AND transport = 'app'`, grant.SessionID, now, m.SessionIdleEnd)
	if err != nil || m.Refresh == (models.TokenHash{}) {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO refresh_tokens (token_hash, grant_id, created_at, idle_ends_at)
		VALUES ($1, $2, $3, $4)`, m.Refresh[:], grant.ID, now, m.RefreshIdleEnd)
	return err
}

// GiveAppToken keeps an access token that an app got for itself.
func (s *Store) GiveAppToken(ctx context.Context, appID string, m models.Mint) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO access_tokens (id, token_hash, client_id, scopes, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6)`, m.AccessID, hashOrNull(m.AccessHash), appID, m.Scopes, s.clock(), m.AccessExpires)
	return fail(err)
}

// AccessToken finds a live access token: an opaque one by its hash, a signed one by its
// id. not_found for any other.
func (s *Store) AccessToken(ctx context.Context, hash models.TokenHash, id models.ID) (models.AccessToken, error) {
	var t models.AccessToken
	var grantID *models.ID
	err := s.pool.QueryRow(ctx, `
		SELECT id, client_id, grant_id, scopes, created_at, expires_at
		FROM access_tokens
		WHERE (token_hash = $1 OR id = $2 AND token_hash IS NULL) AND expires_at > $3`, hash[:], id, s.clock(),
	).Scan(&t.ID, &t.AppID, &grantID, &t.Scopes, &t.CreatedAt, &t.ExpiresAt)
	if err == nil && grantID != nil {
		err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			grant, err := scanGrant(tx.QueryRow(ctx, `SELECT `+grantColumns+` FROM grants g WHERE g.id = $1`, *grantID))
			if err != nil {
				return err
			}
			t.Grant = &grant
			t.User, err = userByID(ctx, tx, grant.UserID)
			return err
		})
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return t, notFound()
	}
	return t, fail(err)
}

// RefreshGrant finds the grant of a live refresh token; not_found for any other.
func (s *Store) RefreshGrant(ctx context.Context, hash models.TokenHash) (models.Grant, error) {
	grant, err := scanGrant(s.pool.QueryRow(ctx, `
		SELECT `+grantColumns+`
		FROM refresh_tokens r
		JOIN grants g ON g.id = r.grant_id
		WHERE r.token_hash = $1 AND r.used_at IS NULL AND r.idle_ends_at > $2`, hash[:], s.clock()))
	if errors.Is(err, pgx.ErrNoRows) {
		return grant, notFound()
	}
	return grant, fail(err)
}

// RevokeToken ends a token of an app: a refresh token with all of its grant (RFC 7009
// section 2.1), an access token alone. A token of another app, or none, is let be.
func (s *Store) RevokeToken(ctx context.Context, appID string, hash models.TokenHash, id models.ID) error {
	_, err := s.pool.Exec(ctx, `
		DELETE FROM grants g
		USING refresh_tokens r
		WHERE r.token_hash = $1 AND g.id = r.grant_id AND g.client_id = $2`, hash[:], appID)
	if err != nil {
		return fail(err)
	}
	_, err = s.pool.Exec(ctx, `
		DELETE FROM access_tokens
		WHERE (token_hash = $1 OR id = $3) AND client_id = $2`, hash[:], appID, id)
	return fail(err)
}

// SpendAssertion uses up an app's signed assertion by the hash of its jti; conflict when
// it was used before.
func (s *Store) SpendAssertion(ctx context.Context, appID string, jti models.TokenHash, expiresAt time.Time) error {
	tag, err := s.pool.Exec(ctx, `
		INSERT INTO spent_assertions (client_id, jti_hash, expires_at)
		VALUES ($1, $2, $3)
		ON CONFLICT DO NOTHING`, appID, jti[:], expiresAt)
	if err == nil && tag.RowsAffected() == 0 {
		return models.Refuse(models.CodeConflict, "this assertion was used before")
	}
	return fail(err)
}

// SessionGrants names the apps that a session is signed in to.
func (s *Store) SessionGrants(ctx context.Context, sessionID models.ID) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT DISTINCT client_id FROM grants WHERE session_id = $1 ORDER BY 1`, sessionID)
	if err != nil {
		return nil, fail(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return list, fail(err)
}

// SessionGrant finds the newest of what a session gave to an app, and whose it is;
// not_found when that is over, or never was.
func (s *Store) SessionGrant(ctx context.Context, appID string, sessionID models.ID) (models.Grant, models.User, error) {
	var grant models.Grant
	var user models.User
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var err error
		grant, err = scanGrant(tx.QueryRow(ctx, `
			SELECT `+grantColumns+`
			FROM grants g
			WHERE g.client_id = $1 AND g.session_id = $2
			ORDER BY g.created_at DESC
			LIMIT 1`, appID, sessionID))
		if err != nil {
			return err
		}
		user, err = userByID(ctx, tx, grant.UserID)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return grant, user, notFound()
	}
	return grant, user, fail(err)
}

// endGrants ends what every session of an account gave to apps.
func endGrants(ctx context.Context, tx pgx.Tx, userID models.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM grants WHERE user_id = $1`, userID)
	return err
}
