package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres"
)

// webhookCommands manage who is told what happens, without a running server.
type webhookCommands struct {
	Add          webhookAddCommand        `cmd:"" help:"Have a program told what happens. Its secret is printed, this once."`
	List         webhookListCommand       `cmd:"" help:"List the webhooks."`
	Remove       webhookRemoveCommand     `cmd:"" help:"Remove a webhook with its deliveries."`
	RotateSecret webhookRotateCommand     `cmd:"" help:"Make a new secret and print it, this once. The one before works for another day."`
	Deliveries   webhookDeliveriesCommand `cmd:"" help:"List the newest deliveries of a webhook."`
	Replay       webhookReplayCommand     `cmd:"" help:"Send a delivery again that is dead or arrived."`
}

// withStore runs do over the records of the configuration.
func (c *cli) withStore(ctx context.Context, do func(Config, *postgres.Store) error) error {
	config, err := c.configuration()
	if err != nil {
		return err
	}
	return withRecords(ctx, config, func(store *postgres.Store) error { return do(config, store) })
}

// idFlag reads an id of the command line.
func idFlag(text string) (models.ID, error) {
	id, err := models.ParseID(text)
	if err != nil {
		return "", errors.New("give an id, as the lists have it")
	}
	return id, nil
}

type webhookAddCommand struct {
	URL         string   `arg:"" help:"Where it is told: an https address."`
	Type        []string `help:"Type of the events that it is told; several are possible. All without."`
	Description string   `help:"For people."`
}

// Run adds a webhook.
func (a webhookAddCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	return c.withStore(ctx, func(config Config, store *postgres.Store) error {
		w := models.Webhook{ID: models.NewID(time.Now()), URL: a.URL, Description: a.Description, Types: append([]string{}, a.Type...)}
		change := models.WebhookChange{URL: &w.URL, Description: &w.Description, Types: &w.Types}
		if err := change.Check(config.Outbound.CheckURL); err != nil {
			return err
		}
		secret, err := store.AddWebhook(ctx, models.Ref{}, w, nil)
		if err == nil {
			fmt.Fprintf(out, "%s\n%s\n", w.ID, secret)
		}
		return err
	})
}

type webhookListCommand struct{}

// Run lists the webhooks.
func (webhookListCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	return c.withStore(ctx, func(_ Config, store *postgres.Store) error {
		list, err := store.Webhooks(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
		for _, w := range list {
			state, types := "enabled", "all"
			if w.DisabledAt != nil {
				state = "disabled"
			}
			if len(w.Types) > 0 {
				types = strings.Join(w.Types, ",")
			}
			fmt.Fprintf(table, "%s\t%s\t%d waiting\t%d dead\t%s\t%s\t%s\n", w.ID, state, w.Waiting, w.Dead, w.URL, types, w.Description)
		}
		return table.Flush()
	})
}

type webhookRemoveCommand struct {
	ID string `arg:"" help:"Id of the webhook."`
}

// Run removes a webhook.
func (r webhookRemoveCommand) Run(ctx context.Context, c *cli) error {
	id, err := idFlag(r.ID)
	if err != nil {
		return err
	}
	return c.withStore(ctx, func(_ Config, store *postgres.Store) error { return store.RemoveWebhook(ctx, models.Ref{}, id, nil) })
}

type webhookRotateCommand struct {
	ID string `arg:"" help:"Id of the webhook."`
}

// Run rotates a secret.
func (r webhookRotateCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	id, err := idFlag(r.ID)
	if err != nil {
		return err
	}
	return c.withStore(ctx, func(_ Config, store *postgres.Store) error {
		secret, err := store.RotateWebhookSecret(ctx, models.Ref{}, id, nil)
		if err == nil {
			fmt.Fprintln(out, secret)
		}
		return err
	})
}

type webhookDeliveriesCommand struct {
	ID     string `arg:"" help:"Id of the webhook."`
	State  string `help:"waiting, delivered or dead alone." enum:",waiting,delivered,dead" default:""`
	Before string `help:"Those before this delivery."`
	Limit  int    `help:"How many." default:"50"`
}

// Run lists deliveries, one JSON object a line.
func (d webhookDeliveriesCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	id, err := idFlag(d.ID)
	if err != nil {
		return err
	}
	var before models.ID
	if d.Before != "" {
		if before, err = idFlag(d.Before); err != nil {
			return err
		}
	}
	return c.withStore(ctx, func(_ Config, store *postgres.Store) error {
		list, err := store.Deliveries(ctx, id, models.DeliveryState(d.State), before, d.Limit)
		if err != nil {
			return err
		}
		lines := json.NewEncoder(out)
		for _, delivery := range list {
			if err := lines.Encode(delivery); err != nil {
				return err
			}
		}
		return nil
	})
}

type webhookReplayCommand struct {
	ID string `arg:"" help:"Id of the delivery."`
}

// Run sends a delivery again.
func (r webhookReplayCommand) Run(ctx context.Context, c *cli) error {
	id, err := idFlag(r.ID)
	if err != nil {
		return err
	}
	return c.withStore(ctx, func(_ Config, store *postgres.Store) error { return store.ReplayDelivery(ctx, id) })
}
