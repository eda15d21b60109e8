package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

const chatColumns = `
	m.id,
	m.user_id,
	u.username,
	u.display_name,
	m.body,
	m.created_at`

func scanChatMessage(row pgx.CollectableRow) (models.ChatMessage, error) {
	var m models.ChatMessage
	err := row.Scan(&m.ID, &m.UserID, &m.Username, &m.DisplayName, &m.Body, &m.At)
	return m, err
}

// PostChatMessage adds a line to the demo's room and tells every instance.
func (s *Store) PostChatMessage(ctx context.Context, by models.User, body string) (models.ChatMessage, error) {
	var m models.ChatMessage
	err := s.tx(ctx, func(tx pgx.Tx, now time.Time) error {
		m = models.ChatMessage{ID: models.NewID(now), UserID: by.ID, Username: by.Username, DisplayName: by.DisplayName, Body: body, At: now}
		_, err := tx.Exec(ctx, `
			INSERT INTO chat_messages (id, user_id, body, created_at)
			VALUES ($1, $2, $3, $4)`, m.ID, m.UserID, m.Body, m.At)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `SELECT pg_notify($1, $2)`, ChannelChat, string(m.ID))
		return err
	})
	return m, err
}

// ChatMessages gives the newest lines, oldest first.
func (s *Store) ChatMessages(ctx context.Context, newest int) ([]models.ChatMessage, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT `+chatColumns+`
		FROM chat_messages m
		JOIN users u ON u.id = m.user_id
		ORDER BY m.id DESC
		LIMIT $1`, newest)
	if err != nil {
		return nil, fail(err)
	}
	messages, err := pgx.CollectRows(rows, scanChatMessage)
	slices.Reverse(messages)
	return messages, fail(err)
}

// ChatMessage gives one line; not_found when there is no such.
func (s *Store) ChatMessage(ctx context.Context, id models.ID) (models.ChatMessage, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT `+chatColumns+`
		FROM chat_messages m
		JOIN users u ON u.id = m.user_id
		WHERE m.id = $1`, id)
	if err != nil {
		return models.ChatMessage{}, fail(err)
	}
	found, err := pgx.CollectRows(rows, scanChatMessage)
	if err == nil && len(found) == 0 {
		return models.ChatMessage{}, notFound()
	}
	if err != nil {
		return models.ChatMessage{}, fail(err)
	}
	return found[0], nil
}
