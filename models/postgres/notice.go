package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// notify writes a notice and has it sent once the transaction is committed. It
// does nothing without mail, for a notice that was written already, and beyond
// what an account gets of one kind in an hour or a day. Callers hold the user's
// lock, so parallel facts don't slip past the bounds. Without an address it goes to the
// account's, while that is its own, and where its owner may deny the fact to the second
// one as well, each with a link of its own.
func (s *Store) notify(ctx context.Context, tx pgx.Tx, now time.Time, n models.Notice) error {
	if s.MailPerHour == nil {
		return nil
	}
	detail, err := json.Marshal(n.Detail)
	if err != nil {
		return err
	}
	perDay := n.Kind.PerDay()
	if perDay == 0 {
		perDay = math.MaxInt32
	}
	rows, err := tx.Query(ctx, `
		INSERT INTO notices (id, user_id, kind, event_id, address, language, detail, created_at)
		SELECT a.id, u.id, $3, $4, a.address, u.language, $6, $7
		FROM users u
		CROSS JOIN LATERAL (VALUES
			($1::uuid, CASE WHEN $5 <> '' THEN $5 WHEN u.email_canonical IS NOT NULL THEN u.email END),
			($12::uuid, CASE WHEN $5 = '' AND $13 THEN u.second_email END)
		) AS a (id, address)
		WHERE u.id = $2 AND a.address IS NOT NULL
			AND (SELECT count(DISTINCT event_id) FROM notices WHERE user_id = $2 AND kind = $3 AND created_at > $8) < $9
			AND (SELECT count(DISTINCT event_id) FROM notices WHERE user_id = $2 AND kind = $3 AND created_at > $10) < $11
		ON CONFLICT ON CONSTRAINT notices_event_key DO NOTHING
		RETURNING id`,
		models.NewID(now), n.UserID, n.Kind, n.EventID, n.Address, detail, now, now.Add(-time.Hour), s.MailPerHour(), now.Add(-24*time.Hour), perDay,
		models.NewID(now), n.Kind.Everywhere())
	if err != nil {
		return err
	}
	written, err := pgx.CollectRows(rows, pgx.RowTo[models.ID])
	if err != nil {
		return err
	}
	for _, id := range written {
		if err := enqueue(ctx, tx, sendNotice{NoticeID: id}); err != nil {
			return err
		}
	}
	return nil
}

// Notice gives a letter that is to be sent. not_found when it was sent or given
// up, or there is nothing to tell any more: the face that would be erased was used.
func (s *Store) Notice(ctx context.Context, id models.ID) (models.Notice, error) {
	var n models.Notice
	var detail []byte
	err := s.pool.QueryRow(ctx, `
		SELECT id, user_id, kind, event_id, address, language, detail, created_at
		FROM notices
		WHERE id = $1 AND sent_at IS NULL AND given_up_at IS NULL
			AND (kind <> 'face_purge' OR EXISTS (
				SELECT 1 FROM faces f WHERE f.user_id = notices.user_id AND f.purge_notified_at IS NOT NULL))`, id,
	).Scan(&n.ID, &n.UserID, &n.Kind, &n.EventID, &n.Address, &n.Language, &detail, &n.CreatedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return n, notFound()
	}
	if err != nil {
		return n, fail(err)
	}
	return n, json.Unmarshal(detail, &n.Detail)
}

// NoticeSent notes that the mail server took a letter.
func (s *Store) NoticeSent(ctx context.Context, id models.ID) error {
	_, err := s.pool.Exec(ctx, `UPDATE notices SET sent_at = $2 WHERE id = $1 AND sent_at IS NULL`, id, s.clock())
	return fail(err)
}

// GiveUpNotice notes that a letter can't be delivered.
func (s *Store) GiveUpNotice(ctx context.Context, id models.ID) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE notices
		SET given_up_at = $2
		WHERE id = $1 AND sent_at IS NULL AND given_up_at IS NULL`, id, s.clock())
	return fail(err)
}
