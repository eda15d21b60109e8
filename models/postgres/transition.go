package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

// write is what a transition does beside moving the session. It runs after the
// state machine agreed, in the same transaction and under the user's lock.
type write func(tx pgx.Tx, now time.Time) error

// advance moves a session by one decision of the state machine. It gives the
// session as it is now and its new token, or "" where the token stayed.
//
// Errors: session_required when the token was rotated or the session ended
// meanwhile; whatever decide and then refuse.
func (s *Store) advance(ctx context.Context, ref models.Ref, decide models.Decide, then write) (models.Session, string, error) {
	var session models.Session
	var token string
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := lockUser(ctx, tx, ref.UserID); err != nil {
			return err
		}
		before, err := sessionByRef(ctx, tx, ref)
		if err != nil {
			return err
		}
		attempt, err := attemptOf(ctx, tx, before, now)
		if err != nil {
			return err
		}
		attempt.State, attempt.Methods = before.State, before.Methods
		attempt.PolicyVersion, attempt.BegunAt = before.PolicyVersion, before.CreatedAt
		attempt.IdleEndsAt, attempt.EndsAt = before.IdleEndsAt, before.EndsAt
		// Used up before it is judged: a refusal takes that back with everything else.
		if attempt.StepUp, err = spendStepUp(ctx, tx, ref.ID, ref.Act); err != nil {
			return err
		}
		after, effects, err := decide(attempt)
		if err != nil {
			return err
		}
		if then != nil {
			if err := then(tx, now); err != nil {
				return err
			}
		}
		session, token, err = s.apply(ctx, tx, before, after, effects, ref.For, now)
		return err
	})
	if err != nil {
		return models.Session{}, "", err
	}
	return session, token, nil
}

// open starts a session by one decision of the state machine.
func (s *Store) open(ctx context.Context, userID models.ID, client models.Client, transport models.Transport, decide models.Decide, then write) (models.Session, string, error) {
	var session models.Session
	var token string
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		if err := lockUser(ctx, tx, userID); err != nil {
			return err
		}
		var err error
		session, token, err = s.openLocked(ctx, tx, now, userID, client, transport, decide)
		if err != nil {
			return err
		}
		return then(tx, now)
	})
	if err != nil {
		return models.Session{}, "", err
	}
	return session, token, nil
}

func (s *Store) openLocked(ctx context.Context, tx pgx.Tx, now time.Time, userID models.ID, client models.Client, transport models.Transport, decide models.Decide) (models.Session, string, error) {
	user, err := userByID(ctx, tx, userID)
	if err != nil {
		return models.Session{}, "", err
	}
	before := models.Session{ID: models.NewID(now), User: user, Transport: transport, Client: client, CreatedAt: now}
	return s.begin(ctx, tx, now, before, decide)
}

// begin opens a session that has no row yet.
func (s *Store) begin(ctx context.Context, tx pgx.Tx, now time.Time, before models.Session, decide models.Decide) (models.Session, string, error) {
	attempt, err := attemptOf(ctx, tx, before, now)
	if err != nil {
		return models.Session{}, "", err
	}
	attempt.State = models.Anonymous
	after, effects, err := decide(attempt)
	if err != nil {
		return models.Session{}, "", err
	}
	return s.apply(ctx, tx, before, after, effects, "", now)
}

// attemptOf fills what the machine must know of a session's account, and of its transaction.
func attemptOf(ctx context.Context, tx pgx.Tx, session models.Session, now time.Time) (models.Attempt, error) {
	user := session.User
	enrolled, err := enrolledOf(ctx, tx, user.ID, session.ID, now)
	if err != nil {
		return models.Attempt{}, err
	}
	freeze, err := freezeOf(ctx, tx, user.ID)
	if err != nil {
		return models.Attempt{}, err
	}
	wayBack, err := wayBackOf(ctx, tx, user.ID)
	if err != nil {
		return models.Attempt{}, err
	}
	attempt := models.Attempt{Established: user.MFAEstablishedAt != nil, Enrolled: enrolled, Freeze: freeze, WayBack: wayBack, EmailVerified: user.EmailVerified, Subject: user.AppID != ""}
	if session.Transaction != "" {
		if attempt.Terms, err = termsOf(ctx, tx, session.Transaction); err != nil {
			return models.Attempt{}, err
		}
	}
	err = tx.QueryRow(ctx, `SELECT second_email IS NOT NULL FROM users WHERE id = $1`, user.ID).Scan(&attempt.SecondAddress)
	return attempt, err
}

// apply does the effects and writes the session row. proves is the step-up that a
// proof was given for, if any.
func (s *Store) apply(ctx context.Context, tx pgx.Tx, before models.Session, after models.Attempt, effects []models.Effect, proves models.ID, now time.Time) (models.Session, string, error) {
	session := before
	session.State, session.Methods = after.State, after.Methods
	session.PolicyVersion = after.PolicyVersion
	session.IdleEndsAt, session.EndsAt = after.IdleEndsAt, after.EndsAt
	session.LastSeenAt = now

	token, opened, gone := "", false, false
	var revoked []models.ID
	for _, effect := range effects {
		var err error
		var ended []models.ID
		switch effect.Kind {
		case models.EffectOpen:
			token, opened = seal.NewToken(), true
		case models.EffectRotate:
			token = seal.NewToken()
		case models.EffectEndOthers:
			ended, err = endOthers(ctx, tx, session)
		case models.EffectEndAll:
			gone = true
			ended, err = endAll(ctx, tx, session.User.ID)
		case models.EffectDropEnrolments:
			err = dropEnrolments(ctx, tx, session.User.ID)
		case models.EffectEstablish:
			err = establish(ctx, tx, session, now)
		case models.EffectResetCount:
			err = resetCount(ctx, tx, now, session.User.ID, effect.Factor, effect.Try)
		case models.EffectProve:
			err = proveStepUp(ctx, tx, now, session.ID, proves, effect.Proof)
		case models.EffectPassTransaction:
			err = passTransaction(ctx, tx, now, session, effect.Enrolled)
		case models.EffectLift:
			err = lift(ctx, tx, session.User.ID, now)
		case models.EffectRecord:
			err = s.recordEffect(ctx, tx, now, session, effect)
		case models.EffectStopRecovery:
			_, err = endRecovery(ctx, tx, session.User.ID)
		case models.EffectReissue:
			err = reissue(ctx, tx, now, effect.Code)
		case models.EffectForgetDevices:
			ended, err = forgetAllRemembered(ctx, tx, session)
		case models.EffectDropSecondEmail:
			err = dropSecondEmail(ctx, tx, session.User.ID)
		case models.EffectKnowDevice:
			err = s.knowDevice(ctx, tx, now, session, effect.Device)
		default:
			err = fmt.Errorf("no such effect %q", effect.Kind)
		}
		if err != nil {
			return models.Session{}, "", err
		}
		revoked = append(revoked, ended...)
	}
	if err := s.recordRevoked(ctx, tx, now, session, revoked); err != nil {
		return models.Session{}, "", err
	}
	if gone {
		return session, "", nil
	}
	if token != "" {
		session.TokenHash = models.HashToken(token)
	}
	if opened {
		return session, token, insertSession(ctx, tx, session)
	}
	return session, token, updateSession(ctx, tx, before.TokenHash, session)
}

// recordEffect writes the audit row of a transition. Where it is of recovery codes
// it says how many are left.
func (s *Store) recordEffect(ctx context.Context, tx pgx.Tx, now time.Time, session models.Session, effect models.Effect) error {
	detail := map[string]any{}
	if effect.Factor != "" {
		detail["factor"] = effect.Factor
	}
	if effect.Object != "" {
		detail["id"] = effect.Object
	}
	if effect.Factor == models.Recovery {
		enrolled, err := enrolledOf(ctx, tx, session.User.ID, session.ID, now)
		if err != nil {
			return err
		}
		detail["left"] = enrolled.Codes
	}
	if session.Transaction != "" {
		detail["app"], detail["transaction"] = session.User.AppID, session.Transaction
	}
	if effect.Second {
		return s.recordSecond(ctx, tx, now, session, effect.Fact, detail)
	}
	return s.record(ctx, tx, now, session, effect.Fact, detail)
}

// establish notes that the account has had a second factor, once. Recovery codes
// that other sessions were issued before go.
func establish(ctx context.Context, tx pgx.Tx, session models.Session, now time.Time) error {
	tag, err := tx.Exec(ctx, `
		UPDATE users
		SET mfa_established_at = $2
		WHERE id = $1 AND mfa_established_at IS NULL`, session.User.ID, now)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	_, err = tx.Exec(ctx, `
		DELETE FROM recovery_codes
		WHERE user_id = $1 AND issued_by IS DISTINCT FROM $2`, session.User.ID, session.ID)
	return err
}

// lockUser serialises everything that moves sessions or factors of one account.
func lockUser(ctx context.Context, tx pgx.Tx, id models.ID) error {
	tag, err := tx.Exec(ctx, `SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE`, id)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return sessionOver()
	}
	return nil
}

// eachAccount does something to every account that a query names, each under its lock
// and in a transaction of its own. Accounts that go meanwhile are left out.
func (s *Store) eachAccount(ctx context.Context, do func(tx pgx.Tx, now time.Time, id models.ID) error, sql string, args ...any) error {
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return fail(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[models.ID])
	if err != nil {
		return fail(err)
	}
	for _, id := range ids {
		err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
			if err := lockUser(ctx, tx, id); err != nil {
				return err
			}
			return do(tx, now, id)
		})
		if err != nil && models.CodeOf(err) != models.CodeSessionRequired { // it has gone
			return err
		}
	}
	return nil
}
