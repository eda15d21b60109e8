package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// errGone is for what is not there, or not any more.
var errGone = errors.New("there is nothing here")

// records are the chat's tables.
type records struct{ pool *pgxpool.Pool }

// hash is all that is kept of what whoever holds it may use.
type hash [sha256.Size]byte

func newToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: crypto/rand crashes the program first
	return base64.RawURLEncoding.EncodeToString(b)
}

func hashOf(token string) hash { return sha256.Sum256([]byte(token)) }

// signIn is one that is on its way.
type signIn struct {
	Verifier, Nonce, LeadsTo string
	Act                      string // what it is to allow; "" for a sign-in alone
	BegunAt                  time.Time
}

func (r *records) beginSignIn(ctx context.Context, state, browser hash, s signIn, ends time.Time) error {
	_, err := r.pool.Exec(ctx, `
		INSERT INTO sign_ins (state_hash, browser_hash, verifier, nonce, leads_to, act, begun_at, ends_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, state[:], browser[:], s.Verifier, s.Nonce, s.LeadsTo, s.Act, s.BegunAt, ends)
	return err
}

// endSignIn takes a sign-in: each state once, and in the browser that began it alone.
func (r *records) endSignIn(ctx context.Context, state, browser hash, now time.Time) (signIn, error) {
	rows, _ := r.pool.Query(ctx, `
		DELETE FROM sign_ins
		WHERE state_hash = $1 AND browser_hash = $2 AND ends_at > $3
		RETURNING verifier, nonce, leads_to, act, begun_at`, state[:], browser[:], now)
	return one[signIn](rows)
}

// session is a person in a browser, as well proven as the issuer says.
type session struct {
	Token     hash
	Sub       string
	Name      string
	SID       string
	ACR       string
	AuthTime  time.Time
	Moderator bool
	IDToken   string
	Act       string    // what it was signed in afresh for
	ActEnds   time.Time // until when that is so
	EndsAt    time.Time
}

// openSession knows the person by their sub, under the name that they have now, in the
// place of the session that their browser had before.
func (r *records) openSession(ctx context.Context, s session, before hash) error {
	return pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO users (sub, name)
			VALUES ($1, $2)
			ON CONFLICT (sub) DO UPDATE SET name = EXCLUDED.name`, s.Sub, s.Name)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM sessions WHERE token_hash = $1`, before[:]); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO sessions (token_hash, sub, sid, acr, auth_time, moderator, id_token, act, act_ends, ends_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, s.Token[:], s.Sub, s.SID, s.ACR, s.AuthTime, s.Moderator, s.IDToken, s.Act, s.ActEnds, s.EndsAt)
		return err
	})
}

func (r *records) session(ctx context.Context, token hash, now time.Time) (session, error) {
	s := session{Token: token}
	err := r.pool.QueryRow(ctx, `
		SELECT s.sub, u.name, s.sid, s.acr, s.auth_time, s.moderator, s.id_token, s.act, s.act_ends, s.ends_at
		FROM sessions s
		JOIN users u ON u.sub = s.sub
		WHERE s.token_hash = $1 AND s.ends_at > $2`, token[:], now,
	).Scan(&s.Sub, &s.Name, &s.SID, &s.ACR, &s.AuthTime, &s.Moderator, &s.IDToken, &s.Act, &s.ActEnds, &s.EndsAt)
	if errors.Is(err, pgx.ErrNoRows) {
		err = errGone
	}
	return s, err
}

func (r *records) endSession(ctx context.Context, token hash) error {
	_, err := r.pool.Exec(ctx, `DELETE FROM sessions WHERE token_hash = $1`, token[:])
	return err
}

// logOut ends what a logout token names, once: errGone for one that came before. It gives
// the sessions that ended.
func (r *records) logOut(ctx context.Context, jti, sub, sid string, ends time.Time) (tokens [][]byte, err error) {
	err = pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			INSERT INTO logouts (jti, ends_at)
			VALUES ($1, $2)
			ON CONFLICT DO NOTHING`, jti, ends)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return errGone
		}
		rows, _ := tx.Query(ctx, `
			DELETE FROM sessions
			WHERE ($1 = '' OR sub = $1) AND ($2 = '' OR sid = $2)
			RETURNING token_hash`, sub, sid)
		tokens, err = pgx.CollectRows(rows, pgx.RowTo[[]byte])
		return err
	})
	return tokens, err
}

// tidy forgets what is over.
func (r *records) tidy(ctx context.Context, now time.Time) error {
	for _, sql := range []string{`DELETE FROM sign_ins WHERE ends_at <= $1`, `DELETE FROM sessions WHERE ends_at <= $1`, `DELETE FROM logouts WHERE ends_at <= $1`} {
		if _, err := r.pool.Exec(ctx, sql, now); err != nil {
			return err
		}
	}
	return nil
}

type room struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	MadeBy string `json:"made_by"`
}

const roomColumns = `id::text, name, made_by`

func (r *records) rooms(ctx context.Context) ([]room, error) {
	rows, _ := r.pool.Query(ctx, `SELECT `+roomColumns+` FROM rooms ORDER BY made_at`)
	return pgx.CollectRows(rows, pgx.RowToStructByPos[room])
}

func (r *records) room(ctx context.Context, id string) (room, error) {
	rows, _ := r.pool.Query(ctx, `SELECT `+roomColumns+` FROM rooms WHERE id::text = $1`, id)
	return one[room](rows)
}

func (r *records) makeRoom(ctx context.Context, name, sub string) (room, error) {
	rows, _ := r.pool.Query(ctx, `INSERT INTO rooms (name, made_by) VALUES ($1, $2) RETURNING `+roomColumns, name, sub)
	return one[room](rows)
}

// deleteRoom uses up what the session was signed in afresh for: errGone where it wasn't, or
// the room is not there any more.
func (r *records) deleteRoom(ctx context.Context, id string, s session, now time.Time) error {
	tag, err := r.pool.Exec(ctx, `
		WITH allowed AS (
			UPDATE sessions
			SET act = ''
			WHERE token_hash = $2 AND act = $3 AND act_ends > $4
			RETURNING sub
		)
		DELETE FROM rooms
		WHERE id::text = $1 AND EXISTS (SELECT 1 FROM allowed)`, id, s.Token[:], s.Act, now)
	if err == nil && tag.RowsAffected() == 0 {
		err = errGone
	}
	return err
}

type message struct {
	ID   int64     `json:"id"`
	Name string    `json:"name"`
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

// messages are the newest hundred of a room, the oldest of them first.
func (r *records) messages(ctx context.Context, room string) ([]message, error) {
	rows, _ := r.pool.Query(ctx, `
		SELECT id, name, body, at
		FROM (
			SELECT m.id, u.name, m.body, m.at
			FROM messages m
			JOIN users u ON u.sub = m.sub
			WHERE m.room_id::text = $1
			ORDER BY m.id DESC
			LIMIT 100
		) newest
		ORDER BY id`, room)
	return pgx.CollectRows(rows, pgx.RowToStructByPos[message])
}

func (r *records) say(ctx context.Context, room string, who session, text string) (message, error) {
	m := message{Name: who.Name, Text: text}
	err := r.pool.QueryRow(ctx, `
		INSERT INTO messages (room_id, sub, body)
		SELECT id, $2, $3 FROM rooms WHERE id::text = $1
		RETURNING id, at`, room, who.Sub, text).Scan(&m.ID, &m.At)
	if errors.Is(err, pgx.ErrNoRows) {
		err = errGone
	}
	return m, err
}

func one[T any](rows pgx.Rows) (T, error) {
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[T])
	if errors.Is(err, pgx.ErrNoRows) {
		err = errGone
	}
	return found, err
}
