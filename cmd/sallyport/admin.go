package main

import (
	"context"
	"fmt"
	"os"

	"github.com/sallyport/sallyport/models/postgres"
)

// adminCommands make admins. There is no other way to become one: whoever can run this
// can read the database anyway.
type adminCommands struct {
	Grant  adminGrantCommand  `cmd:"" help:"Make an account an admin."`
	Revoke adminRevokeCommand `cmd:"" help:"Take that away."`
	List   adminListCommand   `cmd:"" help:"Name the admins."`
}

type adminGrantCommand struct {
	Username string `arg:"" help:"User name of the account."`
}

// Run makes an account an admin.
func (a adminGrantCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	return setAdmin(ctx, c, out, a.Username, true)
}

type adminRevokeCommand struct {
	Username string `arg:"" help:"User name of the account."`
}

// Run takes it away.
func (a adminRevokeCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	return setAdmin(ctx, c, out, a.Username, false)
}

func setAdmin(ctx context.Context, c *cli, out *os.File, username string, admin bool) error {
	return withStore(ctx, c, func(store *postgres.Store) error {
		if err := store.SetAdmin(ctx, username, admin); err != nil {
			return fmt.Errorf("%s: %w", username, err)
		}
		verb := map[bool]string{true: "is an admin", false: "is no admin any more"}[admin]
		fmt.Fprintf(out, "%s %s\n", username, verb)
		return nil
	})
}

type adminListCommand struct{}

// Run names the admins.
func (adminListCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	return withStore(ctx, c, func(store *postgres.Store) error {
		names, err := store.Admins(ctx)
		for _, name := range names {
			fmt.Fprintln(out, name)
		}
		return err
	})
}
