package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres"
	"github.com/sallyport/sallyport/server/auth"
)

type userImportCommand struct {
	File        string `arg:"" help:"File of accounts; - is standard input."`
	Format      string `help:"csv or jsonl; else the file's ending tells." enum:",csv,jsonl" default:""`
	DryRun      bool   `help:"Say what would come of it and write nothing."`
	TrustEmails bool   `help:"Take email_verified for true where the file says so."`
	Report      string `help:"File to write every line to that was not imported, and why." type:"path"`
}

// importBatch is how many accounts are written in one transaction.
const importBatch = 500

// Run imports. Accounts that can't be imported are told of with their lines and
// left out whole; its error, by which the program exits with 1, counts them.
func (i userImportCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	config, err := c.configuration()
	if err != nil {
		return err
	}
	format := i.Format
	if format == "" {
		for _, known := range []string{"csv", "jsonl"} {
			if strings.HasSuffix(strings.ToLower(i.File), "."+known) {
				format = known
			}
		}
	}
	if format == "" {
		return errors.New("the file's ending tells no format: say --format csv or --format jsonl")
	}
	in, err := input(i.File)
	if err != nil {
		return err
	}
	defer in.Close()
	rows, err := newUserRows(format, in)
	if err != nil {
		return err
	}
	report := io.Discard
	if i.Report != "" {
		file, err := os.OpenFile(i.Report, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		defer file.Close()
		report = file
	}
	return withRecords(ctx, config, func(store *postgres.Store) error {
		run := userImport{command: i, store: store, report: report, bar: newProgress(os.Stderr, "accounts", 0), counts: map[models.ImportKind]int{}}
		err := run.all(ctx, rows)
		run.bar.Close()
		verb := ""
		if i.DryRun {
			verb = "nothing was written; would be "
		}
		fmt.Fprintf(out, "%screated %d, unchanged %d, conflicting %d, refused %d\n", verb,
			run.counts[models.ImportCreated], run.counts[models.ImportUnchanged], run.counts[models.ImportConflict], run.refused)
		return err
	})
}

// userImport is an import that is under way.
type userImport struct {
	command userImportCommand
	store   *postgres.Store
	report  io.Writer
	bar     *progress
	told    int
	counts  map[models.ImportKind]int
	refused int

	batch []models.ImportedUser
	lines []int // where the batch's accounts stand
}

func (r *userImport) all(ctx context.Context, rows userRows) error {
	for {
		row, broken := rows.next()
		if broken != nil {
			if err := r.flush(ctx); err != nil {
				return err
			}
			if broken != io.EOF {
				return fmt.Errorf("the rest of the file can't be read: %w", broken)
			}
			break
		}
		if err := r.add(row); err != nil {
			r.refused++
			if err := r.tell(row.line, "refused: "+err.Error()); err != nil {
				return err
			}
		}
		if len(r.batch) == importBatch {
			if err := r.flush(ctx); err != nil {
				return err
			}
		}
	}
	if conflicting := r.counts[models.ImportConflict]; r.refused+conflicting > 0 {
		return fmt.Errorf("not imported: %d accounts were refused, %d conflict with others", r.refused, conflicting)
	}
	return nil
}

// add puts an account into the batch.
func (r *userImport) add(row userRow) error {
	if row.err != nil {
		return row.err
	}
	u, err := auth.ReadImported(row.columns, r.command.TrustEmails, time.Now())
	var refusal *models.Error
	if errors.As(err, &refusal) {
		return fmt.Errorf("%s: %s", refusal.Field, refusal.Message)
	}
	if err != nil {
		return err
	}
	r.batch, r.lines = append(r.batch, u), append(r.lines, row.line)
	return nil
}

// flush writes the batch, all of it or nothing.
func (r *userImport) flush(ctx context.Context) error {
	if len(r.batch) == 0 {
		return nil
	}
	outcomes, err := r.store.ImportUsers(ctx, r.batch, r.command.DryRun)
	if err != nil {
		return fmt.Errorf("stopped before line %d, and nothing from there on was imported; running it again goes on from there: %w", r.lines[0], err)
	}
	for n, outcome := range outcomes {
		r.counts[outcome.Kind]++
		if outcome.Kind != models.ImportConflict {
			continue
		}
		if err := r.tell(r.lines[n], "conflicting: "+cmp.Or(outcome.Field, "email or username")+" belongs to another account"); err != nil {
			return err
		}
	}
	r.bar.Add(len(r.batch))
	r.batch, r.lines = r.batch[:0], r.lines[:0]
	return nil
}

// tell reports a line that was not imported; on standard error the first ones.
func (r *userImport) tell(line int, what string) error {
	if r.told++; r.told <= toldLines {
		fmt.Fprintf(os.Stderr, "line %d: %s\n", line, what)
	} else if r.told == toldLines+1 {
		fmt.Fprintln(os.Stderr, "and more: --report has them all")
	}
	_, err := fmt.Fprintf(r.report, "line %d: %s\n", line, what)
	return err
}
