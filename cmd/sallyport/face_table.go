package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"github.com/sallyport/sallyport/biometrics/evaluate"
)

// printReport prints what a terminal has room for.
func printReport(out io.Writer, r *evaluate.Report) {
	for _, line := range describeReport(r) {
		fmt.Fprintln(out, line)
	}
	for i := range r.Metrics {
		m := &r.Metrics[i]
		fmt.Fprintf(out, "\n%s: %d genuine and %d impostor comparisons\n", m.Metric, m.All.Genuine, m.All.Impostors)
		printMeasured(out, m)
	}
	fmt.Fprintln(out)
	for _, note := range r.Notes {
		fmt.Fprintln(out, "note: "+note)
	}
}

// describeReport says what was measured on whom.
func describeReport(r *evaluate.Report) []string {
	lines := []string{
		fmt.Sprintf("model %s, fusion %s, %d against %d, %s frames, seed %d", r.Model, r.Fusion, r.Enrol, r.Probe, r.Mode, r.Seed),
		fmt.Sprintf("%d people", r.Metrics[0].All.People),
	}
	if r.Acquisition.Of > 0 {
		lines = append(lines, "failure to acquire: "+r.Acquisition.String())
	}
	if c := r.Cohort; c != nil {
		lines = append(lines, fmt.Sprintf("cohort %s: %d members, %d neighbours", c.Source, c.Size, c.Neighbours))
		if c.Bound > 0 {
			lines = append(lines, fmt.Sprintf("templates beyond the bound of %g, not compared: %s", c.Bound, r.Thin))
		}
	}
	return lines
}

func printMeasured(out io.Writer, m *evaluate.Measured) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "target FMR\tthreshold\tFMR (95 %%)\tFNMR (95 %%)\tby person\tis the target met\n")
	for _, t := range m.Targets {
		if o := t.Operation; o != nil {
			fmt.Fprintf(w, "%g\t%.3f\t%s\t%s\t%.2f %%\t%s\n", t.FMR, o.Threshold, o.FMR, o.FNMR, 100*o.FNMRByPerson, verdict(t))
		} else {
			fmt.Fprintf(w, "%g\tnone\t\t\t\tno: impostors score 0\n", t.FMR)
		}
	}
	if m.At != nil {
		fmt.Fprintf(w, "asked for\t%.3f\t%s\t%s\t%.2f %%\t\n", m.At.Threshold, m.At.FMR, m.At.FNMR, 100*m.At.FNMRByPerson)
	}
	for _, o := range operations(m) {
		for _, g := range o.Groups {
			worst := ""
			if g.Name == o.Worst {
				worst = "worst group"
			}
			fmt.Fprintf(w, "within %s\t%.3f\t%s\t%s\t\t%s\n", g.Name, o.Threshold, g.FMR, g.FNMR, worst)
		}
	}
	_ = w.Flush() // its writer keeps the error
}

// operations are those whose groups are told: the one asked for, or the targets'.
func operations(m *evaluate.Measured) []*evaluate.Operation {
	if m.At != nil {
		return []*evaluate.Operation{m.At}
	}
	var all []*evaluate.Operation
	for _, t := range m.Targets {
		if t.Operation != nil {
			all = append(all, t.Operation)
		}
	}
	return all
}

// verdict says whether a target is met, and never more than the sample shows.
func verdict(t evaluate.Target) string {
	compared := t.Operation.FMR.Of
	switch {
	case compared < t.Needed:
		return "can't be shown: it needs " + strconv.Itoa(t.Needed) + " impostor comparisons, there are " + strconv.Itoa(compared)
	case t.Met:
		return "yes"
	case t.Shown > 0:
		return fmt.Sprintf("on this sample; its bound only at %.3f", t.Shown)
	}
	return "on this sample; its bound nowhere"
}
