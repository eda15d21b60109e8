package postgres

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// Channels that the schema and the store notify.
const (
	ChannelSessionEnded = "sallyport_session_ended"
	ChannelChat         = "sallyport_chat"
)

// Listener hears what other statements and instances announce. NOTIFY only
// wakes: whoever is told looks the truth up in the tables.
type Listener struct {
	SessionEnded func(models.ID)
	ChatPosted   func(models.ID)
	// CohortChanged is called when another cohort is active, or a member less.
	CohortChanged func()
	// LogoutNoted is called when an app is to hear that a session is over.
	LogoutNoted func()
	// Missed is called after a lost connection is back: anything may have
	// been announced in between.
	Missed func()
}

// Listen hears until ctx ends. It reconnects by itself.
func (s *Store) Listen(ctx context.Context, l Listener, log *slog.Logger) {
	for first := true; ctx.Err() == nil; first = false {
		err := s.listenOnce(ctx, l, first)
		if ctx.Err() != nil {
			return
		}
		log.Warn("listening for announcements was cut off, trying again", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func (s *Store) listenOnce(ctx context.Context, l Listener, first bool) error {
	// Its own connection, outside the pool: it stays busy for good.
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig.Copy())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, channel := range []string{ChannelSessionEnded, ChannelChat, ChannelCohort, ChannelLogouts} {
		if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
			return err
		}
	}
	if !first {
		l.Missed()
	}
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		switch n.Channel {
		case ChannelCohort:
			l.CohortChanged()
			continue
		case ChannelLogouts:
			l.LogoutNoted()
			continue
		}
		id, err := models.ParseID(n.Payload)
		if err != nil {
			continue // not ours: NOTIFY is open to whoever may connect
		}
		switch n.Channel {
		case ChannelSessionEnded:
			l.SessionEnded(id)
		case ChannelChat:
			l.ChatPosted(id)
		}
	}
}
