package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres"
)

// tailEvery is how often the records are looked at for what is new.
const tailEvery = 500 * time.Millisecond

type eventsTailCommand struct {
	Type  []string      `help:"Type of the events to show; several are possible. All without."`
	Since time.Duration `help:"Begin so long ago, such as 1h." default:"0s"`
	Once  bool          `help:"Show what there is, and end."`
}

// Run prints events as webhooks are told them, one JSON object a line, until it is told to
// stop.
func (e eventsTailCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	for _, t := range e.Type {
		if !slices.Contains(models.EventTypes(), t) {
			return fmt.Errorf("no event is of the type %q", t)
		}
	}
	return c.withStore(ctx, func(_ Config, store *postgres.Store) error {
		tail := models.NewTail(store.PublishedEvents, time.Now().Add(-e.Since), e.Type)
		lines := json.NewEncoder(out)
		for {
			messages, more, err := tail.Next(ctx)
			if err != nil && ctx.Err() == nil { // else it was cut off for being told to stop
				return err
			}
			for _, m := range messages {
				if err := lines.Encode(m); err != nil {
					return err
				}
			}
			if more {
				continue
			}
			if e.Once {
				return nil
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(tailEvery):
			}
		}
	})
}
