package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// Freeze tells whether the account is frozen, and since when.
func (s *Store) Freeze(ctx context.Context, userID models.ID) (models.Freeze, error) {
	f, err := freezeOf(ctx, s.pool, userID)
	return f, fail(err)
}

func freezeOf(ctx context.Context, db queryer, userID models.ID) (models.Freeze, error) {
	var f models.Freeze
	var begun, until, lifted, since *time.Time
	err := db.QueryRow(ctx, `
		SELECT frozen_at, frozen_until, freeze_lifted_at, password_distrusted_at
		FROM users
		WHERE id = $1`, userID).Scan(&begun, &until, &lifted, &since)
	for at, read := range map[*time.Time]*time.Time{&f.BegunAt: begun, &f.Until: until, &f.LiftedAt: lifted, &f.Since: since} {
		if read != nil {
			*at = *read
		}
	}
	return f, err
}

// lift ends a freeze: whoever signed in held a factor before the fact that was
// denied.
func lift(ctx context.Context, tx pgx.Tx, userID models.ID, now time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE users
		SET frozen_until = NULL, password_distrusted_at = NULL, freeze_lifted_at = $2
		WHERE id = $1`, userID, now)
	return err
}

// Deny is "this wasn't me": it uses the link up, and does to the account what
// models.Freeze.Deny says. challenge_expired for a link that doesn't work.
func (s *Store) Deny(ctx context.Context, token models.TokenHash, client models.Client) (models.Denial, error) {
	var denial models.Denial
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		link, event, at, err := takeDenial(ctx, tx, now, models.LinkNotMe, token)
		if err != nil {
			return err
		}
		denial, err = s.deny(ctx, tx, now, models.Session{User: models.User{ID: link.UserID}, Client: client}, event, at)
		return err
	})
	return denial, err
}

// takeDenial uses a link up by which a fact is denied, and tells which and when that
// was. The account is locked then, and so are addresses: one may be restored.
func takeDenial(ctx context.Context, tx pgx.Tx, now time.Time, kind models.LinkKind, token models.TokenHash) (link models.MailLink, event models.ID, at time.Time, err error) {
	if err = lockAddresses(ctx, tx); err != nil {
		return link, event, at, err
	}
	if link, err = takeLink(ctx, tx, now, kind, token); err != nil {
		return link, event, at, err
	}
	if err = lockUser(ctx, tx, link.UserID); err != nil {
		return link, event, at, err
	}
	err = tx.QueryRow(ctx, `
		SELECT e.id, e.at
		FROM notices n
		JOIN events e ON e.id = n.event_id AND e.at = n.created_at
		WHERE n.id = $1`, link.NoticeID).Scan(&event, &at)
	return link, event, at, err
}

// deny does to an account what denying a fact of a time means, and offers a new
// password.
func (s *Store) deny(ctx context.Context, tx pgx.Tx, now time.Time, about models.Session, event models.ID, at time.Time) (models.Denial, error) {
	freeze, err := freezeOf(ctx, tx, about.User.ID)
	if err != nil {
		return "", err
	}
	denial := freeze.Deny(at, now)
	ended, err := s.carryOut(ctx, tx, now, about.User.ID, denial, at)
	if err != nil {
		return denial, err
	}
	if err := s.recordRevoked(ctx, tx, now, about, ended); err != nil {
		return denial, err
	}
	// Whoever denies anything about the account doesn't want it erased under them.
	if _, err := s.keepAccount(ctx, tx, now, about); err != nil {
		return denial, err
	}
	// Nor wants them let in who say that they lost everything.
	if _, err := s.stopRecovery(ctx, tx, now, about); err != nil {
		return denial, err
	}
	if err := s.record(ctx, tx, now, about, "denied", map[string]any{"event": event, "denial": denial}); err != nil {
		return denial, err
	}
	if denial == models.DenialSettled {
		return denial, nil
	}
	return denial, s.record(ctx, tx, now, about, "password_reset_offered", nil)
}

// carryOut does what a denial of a fact at a time means to its account, and gives the
// sessions that it ended.
func (s *Store) carryOut(ctx context.Context, tx pgx.Tx, now time.Time, userID models.ID, denial models.Denial, at time.Time) ([]models.ID, error) {
	switch denial {
	case models.DenialSetAside:
		added, err := s.quarantine(ctx, tx, now, userID, at, at)
		if err != nil || added == 0 {
			return nil, err
		}
		return endAll(ctx, tx, userID)
	case models.DenialFrozen:
		// And what was added since: whoever added one thing may have added more.
		if _, err := s.quarantine(ctx, tx, now, userID, at, now); err != nil {
			return nil, err
		}
		_, err := tx.Exec(ctx, `
			UPDATE users
			SET frozen_at = $2, frozen_until = $3, password_distrusted_at = LEAST(password_distrusted_at, $4)
			WHERE id = $1`, userID, now, now.Add(models.FreezeFor), at)
		if err != nil {
			return nil, err
		}
		return endAll(ctx, tx, userID)
	default:
		return nil, nil
	}
}

// endAll ends every session of the account, and with them what they began, and gives
// them. No device is remembered beyond it.
func endAll(ctx context.Context, tx pgx.Tx, userID models.ID) ([]models.ID, error) {
	_, err := tx.Exec(ctx, `DELETE FROM remembered_devices WHERE user_id = $1`, userID)
	if err != nil {
		return nil, err
	}
	return deleteSessions(ctx, tx, `DELETE FROM sessions WHERE user_id = $1 RETURNING id`, userID)
}

// quarantine sets aside what was added to the account between two times, both
// included, and counts it. What is written in the transaction of a fact bears the
// fact's very time. Factors stay for their owner to look at and remove. Recovery
// codes, device keys, known and remembered devices, a second address and what waits for a letter's link
// go: they show nothing, and are made anew in a moment. An address that was changed is
// the one before again. Whatever else a fact may add to an account belongs here.
func (s *Store) quarantine(ctx context.Context, tx pgx.Tx, now time.Time, userID models.ID, from, until time.Time) (int64, error) {
	var all int64
	for sql, args := range map[string][]any{
		`UPDATE passkeys SET quarantined_at = $4
		 WHERE user_id = $1 AND created_at BETWEEN $2 AND $3 AND quarantined_at IS NULL`: {userID, from, until, now},
		`UPDATE totp SET quarantined_at = $4
		 WHERE user_id = $1 AND created_at BETWEEN $2 AND $3 AND quarantined_at IS NULL`: {userID, from, until, now},
		// One sitting of another's among the templates lets them in, so the whole face goes.
		`UPDATE faces SET quarantined_at = $4, disabled_at = $4
		 WHERE user_id = $1 AND quarantined_at IS NULL
			AND EXISTS (SELECT 1 FROM face_captures WHERE user_id = $1 AND created_at BETWEEN $2 AND $3)`: {userID, from, until, now},
		`DELETE FROM recovery_codes WHERE user_id = $1 AND created_at BETWEEN $2 AND $3`:     {userID, from, until},
		`DELETE FROM device_keys WHERE user_id = $1 AND created_at BETWEEN $2 AND $3`:        {userID, from, until},
		`DELETE FROM known_devices WHERE user_id = $1 AND created_at BETWEEN $2 AND $3`:      {userID, from, until},
		`DELETE FROM remembered_devices WHERE user_id = $1 AND created_at BETWEEN $2 AND $3`: {userID, from, until},
		`UPDATE users SET second_email = NULL, second_email_canonical = NULL, second_email_at = NULL
		 WHERE id = $1 AND second_email_at BETWEEN $2 AND $3`: {userID, from, until},
		`DELETE FROM address_claims WHERE user_id = $1 AND created_at BETWEEN $2 AND $3`: {userID, from, until},
	} {
		tag, err := tx.Exec(ctx, sql, args...)
		if err != nil {
			return 0, err
		}
		all += tag.RowsAffected()
	}
	if err := restoreTOTP(ctx, tx, userID, from, until); err != nil {
		return 0, err
	}
	restored, err := s.restoreEmail(ctx, tx, now, userID, from, until)
	if restored {
		all++
	}
	return all, err
}
