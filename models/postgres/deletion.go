package postgres

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// farewellWithin is how long an account whose time has come waits for the letter
// that says so: afterwards there is no address to send it to.
const farewellWithin = 24 * time.Hour

// RequestDeletion has the account erased after the grace, and ends every session of
// it. It gives the time. Asking again while one is pending changes nothing of it.
func (s *Store) RequestDeletion(ctx context.Context, ref models.Ref, grace time.Duration, decide models.Decide) (time.Time, error) {
	var due time.Time
	_, _, err := s.advance(ctx, ref, decide, func(tx pgx.Tx, now time.Time) error {
		err := tx.QueryRow(ctx, `
			UPDATE users
			SET deletion_due_at = coalesce(deletion_due_at, $2)
			WHERE id = $1
			RETURNING deletion_due_at`, ref.UserID, now.Add(grace)).Scan(&due)
		if err != nil || due.After(now) {
			return err
		}
		return enqueue(ctx, tx, eraseAccounts{})
	})
	return due, err
}

// DeletionDue is when the account will be erased, nil when it will not.
func (s *Store) DeletionDue(ctx context.Context, userID models.ID) (*time.Time, error) {
	var due *time.Time
	err := s.pool.QueryRow(ctx, `SELECT deletion_due_at FROM users WHERE id = $1`, userID).Scan(&due)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, sessionOver()
	}
	return due, fail(err)
}

// KeepAccount takes a deletion back. conflict when its time has come or none was
// asked for.
func (s *Store) KeepAccount(ctx context.Context, by models.Session) error {
	return s.held(ctx, by, func(tx pgx.Tx, now time.Time) error {
		kept, err := s.keepAccount(ctx, tx, now, by)
		if err == nil && !kept {
			return models.Refuse(models.CodeConflict, "there is no deletion that could be taken back")
		}
		return err
	})
}

// keepAccount takes a deletion back that is not due yet, and tells whether there was
// one.
func (s *Store) keepAccount(ctx context.Context, tx pgx.Tx, now time.Time, by models.Session) (bool, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE users
		SET deletion_due_at = NULL
		WHERE id = $1 AND deletion_due_at > $2`, by.User.ID, now)
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	return true, s.record(ctx, tx, now, by, "deletion_taken_back", nil)
}

// EraseAccounts erases the accounts whose time has come, and counts them. Where there
// is mail it first has each told, and waits until that letter has left or
// farewellWithin is over. Each account is a transaction of its own: whoever runs this
// again after it was cut off goes on where it was.
func (s *Store) EraseAccounts(ctx context.Context) (erased int, err error) {
	err = s.eachAccount(ctx, func(tx pgx.Tx, now time.Time, id models.ID) error {
		told, err := s.farewell(ctx, tx, now, id)
		if err != nil || !told {
			return err
		}
		erased++
		return s.eraseAccount(ctx, tx, now, id)
	}, `
		SELECT id
		FROM users
		WHERE deletion_due_at <= $1`, s.clock())
	return erased, err
}

// farewell has the owner told, once, that the account goes, and says whether nothing
// holds its erasure up any more.
func (s *Store) farewell(ctx context.Context, tx pgx.Tx, now time.Time, userID models.ID) (bool, error) {
	if s.MailPerHour == nil {
		return true, nil
	}
	var asked, left, late bool
	err := tx.QueryRow(ctx, `
		SELECT n.id IS NOT NULL, coalesce(n.sent_at, n.given_up_at) IS NOT NULL, u.deletion_due_at <= $3 OR u.email_canonical IS NULL
		FROM users u
		LEFT JOIN notices n ON n.user_id = u.id AND n.kind = $2 AND n.created_at >= u.deletion_due_at
		WHERE u.id = $1`, userID, models.NoticeAccountDeleted, now.Add(-farewellWithin)).Scan(&asked, &left, &late)
	if err != nil || asked || late {
		return left || late, err
	}
	return false, s.record(ctx, tx, now, models.Session{User: models.User{ID: userID}}, "deletion_begun", nil)
}

// eraseAccount takes an account away, wherever it stands. Of its audit log stays that
// something happened and when; everything that names anybody goes. What is not erased
// here by a statement of its own hangs on the user's row and goes with it.
func (s *Store) eraseAccount(ctx context.Context, tx pgx.Tx, now time.Time, userID models.ID) error {
	if err := s.eraseUser(ctx, tx, now, userID); err != nil {
		return err
	}
	fact := "account_erased"
	e, err := insertEvent(ctx, tx, now, models.Session{}, fact, nil)
	if err != nil {
		return err
	}
	e.UserID = userID // for those who are told alone: the row no longer says
	return s.publish(ctx, tx, now, e)
}

// eraseUser takes away the row of an account or of an app's subject, and all that hangs on it.
func (s *Store) eraseUser(ctx context.Context, tx pgx.Tx, now time.Time, userID models.ID) error {
	// The face first, with its member in a cohort: no cascade finds that.
	if _, err := s.eraseFace(ctx, tx, userID); err != nil {
		return err
	}
	if _, err := withdrawConsents(ctx, tx, userID, now); err != nil {
		return err
	}
	if err := s.forgetLimits(ctx, tx, userID); err != nil {
		return err
	}
	for _, sql := range []string{
		// A job that failed quotes the mail server, which quotes addresses.
		`DELETE FROM river_job
		 WHERE kind = 'send_notice' AND args ->> 'notice_id' IN (SELECT id::text FROM notices WHERE user_id = $1)`,
		`UPDATE events SET user_id = NULL, session_id = NULL, detail = '{}', ip = '', user_agent = '' WHERE user_id = $1`,
		`DELETE FROM users WHERE id = $1`,
	} {
		if _, err := tx.Exec(ctx, sql, userID); err != nil {
			return err
		}
	}
	return nil
}

// forgetLimits takes away what is counted for an account: by its id, by its known
// devices, and by the names that are typed for it.
func (s *Store) forgetLimits(ctx context.Context, tx pgx.Tx, userID models.ID) error {
	var email, username, app, subject string // no address that isn't the account's: its counts are another's
	var devices []models.ID
	err := tx.QueryRow(ctx, `
		SELECT coalesce(u.email_canonical, ''), coalesce(u.username_canonical, ''), coalesce(u.client_id, ''), coalesce(u.subject, ''), ARRAY(SELECT d.id FROM known_devices d WHERE d.user_id = u.id)
		FROM users u
		WHERE u.id = $1`, userID).Scan(&email, &username, &app, &subject, &devices)
	if err != nil {
		return err
	}
	subjects := []string{models.AccountSubject(userID)}
	if app != "" {
		subjects = append(subjects, models.NameSubject(hex.EncodeToString(s.sealer.Digest("subject", app+"\n"+subject))))
	}
	for _, name := range []string{email, username} {
		subjects = append(subjects, models.NameSubject(hex.EncodeToString(s.sealer.Digest("identifier", name))))
	}
	for _, device := range devices {
		subjects = append(subjects, models.DeviceSubject(device))
	}
	// A subject may be narrowed by a network behind it: models.From.
	for _, sql := range []string{
		`DELETE FROM limit_buckets WHERE split_part(subject, ' ', 1) = ANY($1)`,
		`DELETE FROM failure_streaks WHERE split_part(subject, ' ', 1) = ANY($1)`,
	} {
		if _, err := tx.Exec(ctx, sql, subjects); err != nil {
			return err
		}
	}
	return nil
}
