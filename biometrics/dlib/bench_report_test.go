//go:build dlib

package dlib

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"
)

// side is one of the parties of a comparison.
type side struct {
	name   string
	frames int    // looked at in a turn
	pids   []int  // processes that work for it, beside this one
	run    func() // one turn

	took []time.Duration
	cpu  time.Duration // of all turns
}

// measure takes one turn.
func (s *side) measure(b *testing.B) {
	b.Helper()
	cpu, start := s.processorTime(b), time.Now()
	s.run()
	s.took = append(s.took, time.Since(start))
	s.cpu += s.processorTime(b) - cpu
}

// processorTime is what this process and the side's own have used until now; to 10
// ms for the latter.
func (s *side) processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	if err != nil {
		b.Fatal(err)
	}
	total := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	for _, pid := range s.pids {
		total += time.Duration(ticks(b, pid)) * 10 * time.Millisecond
	}
	return total
}

// turn is the quantile q of what a turn took.
func (s *side) turn(q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(s.took))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

// against is the median over the turns of how many times as long a frame took
// here as on the other side in the same turn.
func (s *side) against(other *side) float64 {
	ratios := make([]float64, len(s.took))
	for i := range s.took {
		ratios[i] = float64(s.took[i]) / float64(s.frames) / (float64(other.took[i]) / float64(other.frames))
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// report prints a table with a column of ratios for each base (a benchmark's log is
// cut after ten lines), and gives every side's ratio to the first base as a metric.
func report(b *testing.B, sides []*side, bases ...*side) {
	b.Helper()
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "%d turns\tframes\tp50 ms\tp95 ms\tper frame ms\tframes/s\tCPU ms per frame\t", len(sides[0].took))
	for _, base := range bases {
		fmt.Fprintf(table, "times %s\t", base.name)
	}
	fmt.Fprintln(table)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	for _, s := range sides {
		cpu := s.cpu / time.Duration(len(s.took)*s.frames)
		fmt.Fprintf(table, "%s\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t", s.name, s.frames,
			ms(s.turn(0.5)), ms(s.turn(0.95)), ms(s.turn(0.5))/float64(s.frames), float64(s.frames)/s.turn(0.5).Seconds(), ms(cpu))
		for _, base := range bases {
			fmt.Fprintf(table, "%.2f\t", s.against(base))
		}
		fmt.Fprintln(table)
		if s != bases[0] {
			b.ReportMetric(s.against(bases[0]), "x:"+strings.NewReplacer(" ", "-", ",", "").Replace(s.name))
		}
	}
	_ = table.Flush()
	fmt.Printf("\n%s:\n%s", b.Name(), out.String())
}
