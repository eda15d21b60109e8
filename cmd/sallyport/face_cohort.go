package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/face"
)

type faceCohortCommands struct {
	Build    cohortBuildCommand    `cmd:"" help:"Draw a cohort from the people who agreed to it, and try it on the reference set."`
	Activate cohortActivateCommand `cmd:"" help:"Put a cohort in place of the active one."`
	Info     cohortInfoCommand     `cmd:"" help:"List the cohorts, and what the reference set showed of them."`
}

type cohortBuildCommand struct {
	Threshold float64 `help:"Threshold of the metric normalized to try it at; without it the policy's, if its metric is normalized."`
	Activate  bool    `help:"Activate it at once if it keeps the bounds of the policy."`
}

// Run builds a cohort. Its error says why it may not become active.
func (b cohortBuildCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	return withFaceRecords(ctx, c, func(r faceRecords) error {
		threshold := b.Threshold
		if threshold == 0 && r.policy.Face.Metric == biometrics.MetricNormalized {
			threshold = r.policy.Face.Threshold
		}
		if threshold <= 0 {
			return errors.New("--threshold: must be the one that face evaluate --metric normalized found, for the policy's metric is euclidean")
		}
		built, err := r.cohorts.Build(ctx, r.policy.Face, r.model, threshold)
		if err != nil {
			return err
		}
		if built.Refused != "" {
			return fmt.Errorf("cohort %d may not become active: %s", built.Version, built.Refused)
		}
		fmt.Fprintf(out, "cohort %d was built: %d members\n", built.Version, len(built.Members))
		if !b.Activate {
			fmt.Fprintf(out, "activate it by: sallyport face cohort activate %d\n", built.Version)
			return nil
		}
		return activate(ctx, r, out, built.Version)
	})
}

func activate(ctx context.Context, r faceRecords, out io.Writer, version int) error {
	err := r.store.ActivateCohort(ctx, version)
	if models.CodeOf(err) == models.CodeNotFound {
		return fmt.Errorf("there is no cohort %d", version)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "cohort %d is active\n", version)
	return nil
}

type cohortActivateCommand struct {
	Version int `arg:"" help:"As info lists it."`
}

// Run activates a cohort that was not refused.
func (a cohortActivateCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	return withFaceRecords(ctx, c, func(r faceRecords) error { return activate(ctx, r, out, a.Version) })
}

type cohortInfoCommand struct {
	JSON bool `help:"Print JSON for programs." name:"json"`
}

// cohortInfo is what an admin sees of a cohort: counts and rates, nothing of
// anybody.
type cohortInfo struct {
	Version       int     `json:"version"`
	State         string  `json:"state"` // active, retired, refused or built
	Model         string  `json:"model"` // by name if it is the installed one, else the key that templates bear
	Members       int     `json:"members"`
	Threshold     float64 `json:"threshold"`
	Bound         float64 `json:"bound"`
	FMR           float64 `json:"fmr"`
	FNMR          float64 `json:"fnmr"`
	WorstGroup    string  `json:"worst_group"`
	WorstGroupFMR float64 `json:"worst_group_fmr"`
	// Comparisons behind the rates; 0 where it wasn't tried.
	Genuine         int        `json:"genuine"`
	Impostors       int        `json:"impostors"`
	WorstGroupTries int        `json:"worst_group_tries"`
	Refused         string     `json:"refused,omitempty"`
	CreatedAt       time.Time  `json:"created_at"`
	ActivatedAt     *time.Time `json:"activated_at,omitempty"`
}

// Run lists the cohorts, newest first.
func (i cohortInfoCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	return withFaceRecords(ctx, c, func(r faceRecords) error {
		cohorts, err := r.store.Cohorts(ctx)
		if err != nil {
			return err
		}
		infos := make([]cohortInfo, len(cohorts))
		for n, cohort := range cohorts {
			if infos[n], err = describeCohort(cohort, r.model); err != nil {
				return err
			}
		}
		if i.JSON {
			enc := json.NewEncoder(out)
			enc.SetIndent("", "  ")
			return enc.Encode(infos)
		}
		return printCohorts(out, infos)
	})
}

func describeCohort(c models.Cohort, installed biometrics.Model) (cohortInfo, error) {
	var report face.CohortReport
	if err := json.Unmarshal(c.Report, &report); err != nil {
		return cohortInfo{}, fmt.Errorf("cohort %d: report: %w", c.Version, err)
	}
	check := report.Check
	info := cohortInfo{
		Version: c.Version, State: "built", Model: "key " + c.ModelKey, Members: c.Size, Threshold: c.Threshold, Bound: c.Bound,
		FMR: check.FMR, FNMR: check.FNMR, WorstGroup: check.WorstGroup, WorstGroupFMR: check.WorstGroupFMR,
		Genuine: check.Genuine, Impostors: check.Impostors, WorstGroupTries: check.WorstGroupTries, Refused: c.Refused, CreatedAt: c.CreatedAt, ActivatedAt: c.ActivatedAt,
	}
	if c.ModelKey == installed.Key() {
		info.Model = installed.Name
	}
	switch {
	case c.Refused != "":
		info.State = "refused"
	case c.RetiredAt != nil:
		info.State = "retired"
	case c.ActivatedAt != nil:
		info.State = "active"
	}
	return info, nil
}

func printCohorts(out io.Writer, infos []cohortInfo) error {
	if len(infos) == 0 {
		fmt.Fprintln(out, "there is no cohort: sallyport face cohort build makes one")
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "version\tstate\tmodel\tmembers\tthreshold\tbound\tFMR\tFNMR\tworst group\tbuilt")
	for _, i := range infos {
		fmt.Fprintf(w, "%d\t%s\t%s\t%d\t%g\t%.3f\t%s\t%s\t%s\t%s\n", i.Version, i.State, i.Model, i.Members, i.Threshold, i.Bound,
			share(i.FMR, i.Impostors), share(i.FNMR, i.Genuine), worst(i), i.CreatedAt.UTC().Format("2006-01-02 15:04"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, i := range infos {
		if i.Refused != "" {
			fmt.Fprintf(out, "cohort %d is refused: %s\n", i.Version, i.Refused)
		}
	}
	return nil
}

// share is a rate and of how many comparisons, for 0 of few shows nothing.
func share(rate float64, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3f %% of %d", 100*rate, of)
}

func worst(i cohortInfo) string {
	if i.WorstGroup == "" {
		return "-"
	}
	return i.WorstGroup + ": " + share(i.WorstGroupFMR, i.WorstGroupTries)
}
