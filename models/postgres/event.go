package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// FactorsByUse lists the factors that the account signed in with or stepped
// up by, the last used first. The audit log knows.
func (s *Store) FactorsByUse(ctx context.Context, userID models.ID) ([]models.Factor, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT detail ->> 'factor'
		FROM events
		WHERE user_id = $1 AND fact IN ('signed_in', 'stepped_up', 'factor_added')
		GROUP BY 1
		ORDER BY max(at) DESC`, userID)
	if err != nil {
		return nil, fail(err)
	}
	factors, err := pgx.CollectRows(rows, pgx.RowTo[models.Factor])
	return factors, fail(err)
}

// record writes the audit row of a fact, in the fact's own transaction, and with
// it the letter that tells the account of it, where there is one.
func (s *Store) record(ctx context.Context, tx pgx.Tx, now time.Time, session models.Session, fact string, detail map[string]any) error {
	return s.recordTo(ctx, tx, now, session, fact, detail, "")
}

// recordSecond is record for a fact whose letter goes to the account's second address
// alone.
func (s *Store) recordSecond(ctx context.Context, tx pgx.Tx, now time.Time, session models.Session, fact string, detail map[string]any) error {
	var address string
	err := tx.QueryRow(ctx, `SELECT coalesce(second_email, '') FROM users WHERE id = $1`, session.User.ID).Scan(&address)
	if err != nil {
		return err
	}
	return s.recordTo(ctx, tx, now, session, fact, detail, address)
}

func (s *Store) recordTo(ctx context.Context, tx pgx.Tx, now time.Time, session models.Session, fact string, detail map[string]any, address string) error {
	e, err := insertEvent(ctx, tx, now, session, fact, detail)
	if err != nil {
		return err
	}
	if err := s.publish(ctx, tx, now, e); err != nil {
		return err
	}
	kind := models.NoticeOf(fact)
	if kind == "" {
		return nil
	}
	doc, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	n := models.Notice{UserID: e.UserID, Kind: kind, EventID: e.ID, Address: address}
	if err := json.Unmarshal(doc, &n.Detail); err != nil {
		return err
	}
	n.Detail.IP, n.Detail.UserAgent = session.Client.IP, session.Client.UserAgent
	return s.notify(ctx, tx, now, n)
}

// insertEvent writes the row of a fact and gives it as it will be read.
func insertEvent(ctx context.Context, tx pgx.Tx, now time.Time, session models.Session, fact string, detail map[string]any) (models.AuditEvent, error) {
	e := models.AuditEvent{ID: models.NewID(now), At: now, UserID: session.User.ID, SessionID: session.ID, Fact: fact}
	doc, err := json.Marshal(detail)
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(doc, &e.Detail); err != nil {
		return e, err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO events (id, at, user_id, session_id, fact, detail, policy_version, ip, user_agent)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		e.ID, now, e.UserID, e.SessionID, fact, doc, session.PolicyVersion, session.Client.IP, session.Client.UserAgent)
	return e, err
}
