package postgres_test

import (
	"context"
	"log/slog"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres"
)

// listenForEnd closes ended when the end of one session is announced. The channel it returns is closed once the
// listener is known to hear: an end announced for the purpose has come through.
func (b bundle) listenForEnd(ctx context.Context, of models.ID, ended chan<- struct{}) <-chan struct{} {
	ready := make(chan struct{})
	probe := models.NewID(b.Clock.Now())
	seen := false
	go b.Listen(ctx, postgres.Listener{
		SessionEnded: func(id models.ID) {
			switch {
			case id == probe && !seen:
				seen = true
				close(ready)
			case id == of: // NOTIFY reaches the whole database: other tests' ends come too
				close(ended)
			}
		},
		ChatPosted: func(models.ID) {},
		Missed:     func() {},
	}, slog.New(slog.DiscardHandler))
	go func() {
		for ctx.Err() == nil {
			if _, err := b.Pool.Exec(ctx, `SELECT pg_notify($1, $2)`, postgres.ChannelSessionEnded, string(probe)); err != nil {
				return
			}
			select {
			case <-ready:
				return
			default:
			}
		}
	}()
	return ready
}
