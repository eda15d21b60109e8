package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// WayBack is the account's recovery that is under way; nil for none.
func (s *Store) WayBack(ctx context.Context, userID models.ID) (*models.WayBack, error) {
	w, err := wayBackOf(ctx, s.pool, userID)
	return w, fail(err)
}

func wayBackOf(ctx context.Context, db queryer, userID models.ID) (*models.WayBack, error) {
	var w models.WayBack
	var ready *time.Time
	err := db.QueryRow(ctx, `
		SELECT id, kind, begun_at, by_mail, ready_at
		FROM recoveries
		WHERE user_id = $1`, userID).Scan(&w.ID, &w.Kind, &w.BegunAt, &w.ByMail, &ready)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if ready != nil {
		w.ReadyAt = *ready
	}
	return &w, err
}

// AskRecovery has the letter sent by whose link a waiting recovery begins.
func (s *Store) AskRecovery(ctx context.Context, ref models.Ref, decide models.Decide) error {
	_, _, err := s.advance(ctx, ref, decide, nil)
	return err
}

// BeginRecovery begins to wait, by the link of a letter, where may agrees.
// challenge_expired when the link doesn't work or the password is another by now;
// conflict when a recovery is under way.
func (s *Store) BeginRecovery(ctx context.Context, token models.TokenHash, client models.Client, may func(models.Attempt) error) (models.WayBack, error) {
	w := models.WayBack{Kind: models.WaitingRecovery}
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		user, address, err := takeLinkOf(ctx, tx, now, models.LinkBeginRecovery, token)
		if err != nil {
			return err
		}
		w.ID, w.BegunAt = models.NewID(now), now
		attempt, err := attemptOf(ctx, tx, models.Session{ID: w.ID, User: user}, now)
		if err != nil {
			return err
		}
		if err := may(attempt); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO recoveries (id, user_id, kind, by_mail, begun_at, told_at)
			VALUES ($1, $2, $3, $4, $5, $5)`, w.ID, user.ID, w.Kind, address != user.Email, now)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, now, models.Session{User: user, Client: client}, "recovery_begun", nil)
	})
	return w, err
}

// FinishRecovery moves a session that proved the password by the link of the letter
// that ended the waiting.
func (s *Store) FinishRecovery(ctx context.Context, ref models.Ref, token models.TokenHash, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		link, err := takeLink(ctx, tx, now, models.LinkFinishRecovery, token)
		if err == nil && link.UserID != ref.UserID {
			return deadLink()
		}
		return err
	})
}

// FollowAssisted opens a session by the link that two admins had sent.
func (s *Store) FollowAssisted(ctx context.Context, token models.TokenHash, client models.Client, transport models.Transport, decide models.Decide) (models.Session, string, error) {
	var session models.Session
	var opened string
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		user, _, err := takeLinkOf(ctx, tx, now, models.LinkAssistedRecovery, token)
		if err != nil {
			return err
		}
		session, opened, err = s.openLocked(ctx, tx, now, user.ID, client, transport, decide)
		return err
	})
	return session, opened, err
}

// LeaveReset moves a session that a letter's link opened by its wish to set up what
// was lost instead of choosing a password.
func (s *Store) LeaveReset(ctx context.Context, ref models.Ref, decide models.Decide) (models.Session, string, error) {
	return s.advance(ctx, ref, decide, nil)
}

// StopRecoveryByLink ends the account's recovery by the link of a letter.
// challenge_expired when the link doesn't work or there is nothing to stop.
func (s *Store) StopRecoveryByLink(ctx context.Context, token models.TokenHash, client models.Client) error {
	return s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		user, _, err := takeLinkOf(ctx, tx, now, models.LinkStopRecovery, token)
		if err != nil {
			return err
		}
		stopped, err := s.stopRecovery(ctx, tx, now, models.Session{User: user, Client: client})
		if err == nil && !stopped {
			return deadLink()
		}
		return err
	})
}

// StopRecovery ends the account's recovery for somebody who is signed in; conflict when
// there is none.
func (s *Store) StopRecovery(ctx context.Context, by models.Session) error {
	return s.held(ctx, by, func(tx pgx.Tx, now time.Time) error {
		stopped, err := s.stopRecovery(ctx, tx, now, by)
		if err == nil && !stopped {
			return models.Refuse(models.CodeConflict, "there is no way back that could be stopped")
		}
		return err
	})
}

// stopRecovery ends a recovery and tells so, and says whether there was one.
func (s *Store) stopRecovery(ctx context.Context, tx pgx.Tx, now time.Time, about models.Session) (bool, error) {
	gone, err := endRecovery(ctx, tx, about.User.ID)
	if err != nil || !gone {
		return false, err
	}
	return true, s.record(ctx, tx, now, about, "recovery_stopped", nil)
}

func endRecovery(ctx context.Context, tx pgx.Tx, userID models.ID) (bool, error) {
	tag, err := tx.Exec(ctx, `DELETE FROM recoveries WHERE user_id = $1`, userID)
	return err == nil && tag.RowsAffected() > 0, err
}

// tellEvery is how often the owner is told of a recovery that is under way.
const tellEvery = 24 * time.Hour

// AttendRecoveries does what time asks of recoveries, under the policy in force: it
// tells their owners once a day, has the letter sent that ends the waiting, and stops
// those that the policy lets no more or that nobody came for. Each is a transaction of
// its own.
func (s *Store) AttendRecoveries(ctx context.Context, policy models.RecoveryPolicy) error {
	return s.eachAccount(ctx, func(tx pgx.Tx, now time.Time, owner models.ID) error {
		return s.attend(ctx, tx, now, owner, policy)
	}, `SELECT user_id FROM recoveries`)
}

func (s *Store) attend(ctx context.Context, tx pgx.Tx, now time.Time, owner models.ID, policy models.RecoveryPolicy) error {
	w, err := wayBackOf(ctx, tx, owner)
	if err != nil || w == nil {
		return err
	}
	about := models.Session{User: models.User{ID: owner}}
	waiting := w.Kind == models.WaitingRecovery
	switch {
	case waiting && !policy.Waiting, w.Past(now):
		_, err := s.stopRecovery(ctx, tx, now, about)
		return err
	case waiting && w.ReadyAt.IsZero() && !now.Before(w.OverAt(policy)):
		_, err := tx.Exec(ctx, `UPDATE recoveries SET ready_at = $2, told_at = $2 WHERE user_id = $1`, owner, now)
		if err != nil {
			return err
		}
		if !w.ByMail {
			return s.record(ctx, tx, now, about, "recovery_ready", nil)
		}
		return s.recordSecond(ctx, tx, now, about, "recovery_ready", nil)
	}
	tag, err := tx.Exec(ctx, `
		UPDATE recoveries
		SET told_at = $2
		WHERE user_id = $1 AND told_at <= $3`, owner, now, now.Add(-tellEvery))
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	return s.record(ctx, tx, now, about, "recovery_waiting", nil)
}
