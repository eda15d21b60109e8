package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

// MintLink makes the token of a letter's link, when the letter is made: only its
// hash is kept. A letter that is made again, since nobody knows whether the first
// arrived, voids the token before; not_found when that one was used.
func (s *Store) MintLink(ctx context.Context, n models.Notice, kind models.LinkKind) (string, error) {
	token, now := seal.NewToken(), s.clock()
	hash := models.HashToken(token)
	tag, err := s.pool.Exec(ctx, `
		INSERT INTO mail_links AS l (id, kind, user_id, notice_id, token_hash, bound, address, created_at, expires_at)
		SELECT $1, $2, u.id, $4, $5, CASE WHEN $6 THEN sha256(convert_to(u.password_hash, 'UTF8')) END, $7, $8, $9
		FROM users u
		WHERE u.id = $3
		ON CONFLICT ON CONSTRAINT mail_links_notice_key DO UPDATE
		SET token_hash = EXCLUDED.token_hash, bound = EXCLUDED.bound, created_at = EXCLUDED.created_at, expires_at = EXCLUDED.expires_at
		WHERE l.used_at IS NULL`,
		models.NewID(now), kind, n.UserID, n.ID, hash[:], kind.Bound(), n.Address, now, now.Add(kind.Lifetime()))
	if err != nil {
		return "", fail(err)
	}
	if tag.RowsAffected() == 0 {
		return "", notFound()
	}
	return token, nil
}

func deadLink() error {
	return models.Refuse(models.CodeChallengeExpired, "this link was used already or is too old")
}

// takeLink uses a link up, in the transaction of what it does. There is one
// answer for links that expired, were used, are of another kind or never were:
// challenge_expired.
func takeLink(ctx context.Context, tx pgx.Tx, now time.Time, kind models.LinkKind, hash models.TokenHash) (models.MailLink, error) {
	var l models.MailLink
	err := tx.QueryRow(ctx, `
		UPDATE mail_links
		SET used_at = $3
		WHERE token_hash = $1 AND kind = $2 AND used_at IS NULL AND expires_at > $3
		RETURNING id, kind, user_id, notice_id, bound, address`, hash[:], kind, now,
	).Scan(&l.ID, &l.Kind, &l.UserID, &l.NoticeID, &l.Bound, &l.Address)
	if errors.Is(err, pgx.ErrNoRows) {
		return l, deadLink()
	}
	return l, err
}

// takeLinkOf uses a link up, locks its account, and gives it with the address that the
// link was sent to. A link that is bound to the password doesn't work once there is
// another, nor one that leads in once the address is no more the account's: one for a
// new password serves at the first address alone.
func takeLinkOf(ctx context.Context, tx pgx.Tx, now time.Time, kind models.LinkKind, token models.TokenHash) (models.User, string, error) {
	link, err := takeLink(ctx, tx, now, kind, token)
	if err != nil {
		return models.User{}, "", err
	}
	if err := lockUser(ctx, tx, link.UserID); err != nil {
		return models.User{}, "", err
	}
	var hash string
	var first, second bool
	err = tx.QueryRow(ctx, `
		SELECT password_hash, email = $2 AND email_canonical IS NOT NULL, second_email IS NOT DISTINCT FROM $2
		FROM users
		WHERE id = $1`, link.UserID, link.Address).Scan(&hash, &first, &second)
	if err != nil {
		return models.User{}, "", err
	}
	if bound := sha256.Sum256([]byte(hash)); kind.Bound() && !bytes.Equal(bound[:], link.Bound) {
		return models.User{}, "", deadLink()
	}
	if !first && kind != models.LinkStopRecovery && (!second || kind == models.LinkPasswordReset) {
		return models.User{}, "", deadLink()
	}
	user, err := userByID(ctx, tx, link.UserID)
	return user, link.Address, err
}
