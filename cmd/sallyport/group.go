package main

import (
	"context"
	"fmt"
	"os"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres"
)

// groupCommands say who is in which group. A group is there as long as somebody is in it.
type groupCommands struct {
	Add    groupAddCommand    `cmd:"" help:"Put somebody into a group."`
	Remove groupRemoveCommand `cmd:"" help:"Take somebody out of a group."`
	List   groupListCommand   `cmd:"" help:"List groups and who is in them."`
}

type groupAddCommand struct {
	Group    string `arg:"" help:"Its name."`
	Username string `arg:"" help:"User name of the account."`
}

// Run puts an account into a group.
func (k groupAddCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	return setGroup(ctx, c, out, k.Username, k.Group, true)
}

type groupRemoveCommand struct {
	Group    string `arg:"" help:"Its name."`
	Username string `arg:"" help:"User name of the account."`
}

// Run takes an account out of a group.
func (k groupRemoveCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	return setGroup(ctx, c, out, k.Username, k.Group, false)
}

func setGroup(ctx context.Context, c *cli, out *os.File, username, group string, member bool) error {
	if !models.GroupName(group) {
		return fmt.Errorf("%q can't be a group: 1 to 64 letters, digits, \"_\", \".\", \":\" and \"-\"", group)
	}
	return withStore(ctx, c, func(store *postgres.Store) error {
		if err := store.SetGroup(ctx, username, group, member); err != nil {
			return fmt.Errorf("%s: %w", username, err)
		}
		verb := map[bool]string{true: "is in", false: "is no longer in"}[member]
		fmt.Fprintf(out, "%s %s %s\n", username, verb, group)
		return nil
	})
}

type groupListCommand struct{}

// Run lists the groups.
func (groupListCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	return withStore(ctx, c, func(store *postgres.Store) error {
		members, err := store.GroupMembers(ctx)
		for _, m := range members {
			fmt.Fprintf(out, "%s\t%s\n", m.Group, m.Username)
		}
		return err
	})
}
