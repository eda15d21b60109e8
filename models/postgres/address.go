package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// lockAddresses lets one transaction at a time decide whose an address is. It comes
// before the lock of any account: two accounts that take addresses from each other
// would wait for each other.
func lockAddresses(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('sallyport_addresses'))`)
	return err
}

// ownerOf finds who else has an address so that nobody can take it: who has proven
// it, or had it before a change that can still be taken back; "" for nobody.
func ownerOf(ctx context.Context, tx pgx.Tx, now time.Time, canonical string, but models.ID) (models.ID, error) {
	var owner models.ID
	err := tx.QueryRow(ctx, `
		SELECT id FROM users WHERE email_canonical = $1 AND email_verified AND id <> $2
		UNION ALL
		SELECT user_id FROM former_addresses WHERE email_canonical = $1 AND user_id <> $2 AND changed_at > $3
		LIMIT 1`, canonical, but, now.Add(-models.UndoWithin)).Scan(&owner)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return owner, err
}

// takeAddress makes room for an account at an address that it has proven: from an
// account that has it unproven it is taken. False when it is somebody's. Callers hold
// lockAddresses.
func (s *Store) takeAddress(ctx context.Context, tx pgx.Tx, now time.Time, userID models.ID, canonical string) (bool, error) {
	owner, err := ownerOf(ctx, tx, now, canonical, userID)
	if err != nil || owner != "" {
		return false, err
	}
	var loser models.ID
	err = tx.QueryRow(ctx, `
		UPDATE users
		SET email_canonical = NULL
		WHERE email_canonical = $1 AND id <> $2
		RETURNING id`, canonical, userID).Scan(&loser)
	if errors.Is(err, pgx.ErrNoRows) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return true, s.record(ctx, tx, now, models.Session{User: models.User{ID: loser}}, "email_lost", nil)
}

func emailTaken() error {
	return &models.Error{Code: models.CodeConflict, Field: "email", Reason: "taken", Message: "an account with this email address exists: sign in to it, or use another"}
}

// claimAddress notes that an account says an address is its own, in place of what it
// said before, and has that answered by a job: the request does the same for
// addresses that are free and that are taken.
func claimAddress(ctx context.Context, tx pgx.Tx, now time.Time, userID models.ID, claim models.Claim, client models.Client) error {
	id := models.NewID(now)
	_, err := tx.Exec(ctx, `
		INSERT INTO address_claims (id, user_id, kind, email, email_canonical, ip, user_agent, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (user_id, kind) DO UPDATE
		SET id = EXCLUDED.id, email = EXCLUDED.email, email_canonical = EXCLUDED.email_canonical,
			ip = EXCLUDED.ip, user_agent = EXCLUDED.user_agent, created_at = EXCLUDED.created_at`,
		id, userID, claim.Kind, claim.Email, claim.Canonical, client.IP, client.UserAgent, now)
	if err != nil {
		return err
	}
	return enqueue(ctx, tx, answerClaim{ClaimID: id})
}

// AnswerClaim writes to an address that an account says is its own, with the link
// that proves it; or to the account that has it, of whom somebody else knows nothing
// by that.
func (s *Store) AnswerClaim(ctx context.Context, id models.ID) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		var claim models.Claim
		var by models.Session
		err := tx.QueryRow(ctx, `
			SELECT user_id, kind, email, email_canonical, ip, user_agent
			FROM address_claims
			WHERE id = $1`, id,
		).Scan(&by.User.ID, &claim.Kind, &claim.Email, &claim.Canonical, &by.Client.IP, &by.Client.UserAgent)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // another took its place
		}
		if err != nil {
			return err
		}
		owner, err := ownerOf(ctx, tx, now, claim.Canonical, by.User.ID)
		if err != nil {
			return err
		}
		if owner != "" && claim.Kind != models.LinkSecondEmail {
			by.User.ID = owner
			if err := lockUser(ctx, tx, owner); err != nil {
				return err
			}
			return s.record(ctx, tx, now, by, "email_claimed", nil)
		}
		if err := lockUser(ctx, tx, by.User.ID); err != nil {
			return err
		}
		return s.notify(ctx, tx, now, models.Notice{
			UserID: by.User.ID, Kind: claim.Kind.Notice(), EventID: id, Address: claim.Email,
			Detail: models.NoticeDetail{IP: by.Client.IP, UserAgent: by.Client.UserAgent},
		})
	})
}

// spendClaim uses a claim up that a link has proven. challenge_expired when another
// took its place, or the password is another by now.
func spendClaim(ctx context.Context, tx pgx.Tx, link models.MailLink) (models.Claim, error) {
	claim := models.Claim{Kind: link.Kind}
	err := tx.QueryRow(ctx, `
		DELETE FROM address_claims c
		USING notices n, users u
		WHERE n.id = $1 AND c.id = n.event_id AND c.user_id = $2 AND c.kind = $3 AND u.id = c.user_id
			AND ($4::bytea IS NULL OR $4 = sha256(convert_to(u.password_hash, 'UTF8')))
		RETURNING c.email, c.email_canonical`, link.NoticeID, link.UserID, link.Kind, link.Bound).Scan(&claim.Email, &claim.Canonical)
	if errors.Is(err, pgx.ErrNoRows) {
		return claim, deadLink()
	}
	return claim, err
}

// ClaimEmail has a letter sent to the address of an account that is not proven.
// conflict when it is by now.
func (s *Store) ClaimEmail(ctx context.Context, by models.Session, canonical string) error {
	return s.held(ctx, by, func(tx pgx.Tx, now time.Time) error {
		user, err := userByID(ctx, tx, by.User.ID)
		if err != nil {
			return err
		}
		if user.EmailVerified {
			return &models.Error{Code: models.CodeConflict, Reason: "confirmed", Message: "your email address is confirmed already"}
		}
		return claimAddress(ctx, tx, now, user.ID, models.Claim{Kind: models.LinkVerifyEmail, Email: user.Email, Canonical: canonical}, by.Client)
	})
}

// AskEmail has a letter sent to the address that the account is to have, or to have
// beside its own.
func (s *Store) AskEmail(ctx context.Context, ref models.Ref, claim models.Claim, client models.Client, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		return claimAddress(ctx, tx, now, ref.UserID, claim, client)
	})
}

// ProveEmail follows the link of a letter that proves an address, once, and does what
// it was claimed for. challenge_expired when the link doesn't work or the address is
// somebody's; conflict while the account is frozen.
func (s *Store) ProveEmail(ctx context.Context, kind models.LinkKind, token models.TokenHash, client models.Client) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := lockAddresses(ctx, tx); err != nil {
			return err
		}
		link, err := takeLink(ctx, tx, now, kind, token)
		if err != nil {
			return err
		}
		if err := lockUser(ctx, tx, link.UserID); err != nil {
			return err
		}
		claim, err := spendClaim(ctx, tx, link)
		if err != nil {
			return err
		}
		by := models.Session{User: models.User{ID: link.UserID}, Client: client}
		if kind == models.LinkVerifyEmail {
			return s.verifyEmail(ctx, tx, now, by, claim)
		}
		freeze, err := freezeOf(ctx, tx, link.UserID)
		if err != nil {
			return err
		}
		if freeze.Active(now) {
			return models.Frozen()
		}
		if kind == models.LinkSecondEmail {
			return s.addSecondEmail(ctx, tx, now, by, claim)
		}
		moved, err := s.moveEmail(ctx, tx, now, by, claim, true)
		if err == nil && !moved {
			return deadLink()
		}
		return err
	})
}

// verifyEmail makes an address the account's own, which it had unproven.
func (s *Store) verifyEmail(ctx context.Context, tx pgx.Tx, now time.Time, by models.Session, claim models.Claim) error {
	taken, err := s.takeAddress(ctx, tx, now, by.User.ID, claim.Canonical)
	if err != nil {
		return err
	}
	if !taken {
		return deadLink()
	}
	tag, err := tx.Exec(ctx, `
		UPDATE users
		SET email_canonical = $3, email_verified = true
		WHERE id = $1 AND email = $2`, by.User.ID, claim.Email, claim.Canonical)
	if violates(err) == "users_email_key" || err == nil && tag.RowsAffected() == 0 {
		return deadLink()
	}
	if err != nil {
		return err
	}
	return s.record(ctx, tx, now, by, "email_confirmed", nil)
}
