package evaluate

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/sallyport/sallyport/biometrics"
)

// Modes: how alike the frames of one capture are.
const (
	// ModeIndependent makes a capture of several photos that were taken apart.
	ModeIndependent = "independent"
	// ModeCorrelated makes a capture of one photo: its frames, or, where a photo
	// has a single descriptor, a model of them (see frames).
	ModeCorrelated = "correlated"
)

// CohortHalf takes the cohort from half of the people, group by group, and tests
// the others.
const CohortHalf = "half"

// Options say what is measured. Zero values have no defaults but where said.
type Options struct {
	Enrol, Probe   int    // photos, or frames, of a template and of a probe
	Metric, Fusion string // of package biometrics
	Mode           string
	Seed           uint64 // of the split into halves and of modelled frames

	// The cohort, for the normalised metric: CohortHalf and no members, or a
	// name and the members.
	Cohort     string
	Members    []biometrics.CohortMember
	Neighbours int
	Bound      float64 // of isolation; 0 for none

	// From is the group whose comparisons set the thresholds for Targets; empty
	// for all of them.
	From      string
	Targets   []float64 // false match rates
	Threshold float64   // one more to tell rates at; 0 for none

	// What tests try other ways by; nil for those of package biometrics.
	fuse      func([]biometrics.Descriptor) (biometrics.Descriptor, error)
	normalize func(distance float64, template, probe biometrics.Neighbourhood) float64
}

// DefaultTargets are the false match rates that thresholds are told for.
func DefaultTargets() []float64 { return []float64{1e-3, 1e-4, 1e-5} }

func (o Options) check(subjects []Subject) error {
	switch {
	case o.Enrol < 1 || o.Probe < 1:
		return fmt.Errorf("templates of %d photos and probes of %d: both need one at least", o.Enrol, o.Probe)
	case o.Mode != ModeIndependent && o.Mode != ModeCorrelated:
		return fmt.Errorf("unknown mode %q", o.Mode)
	case o.Metric != biometrics.MetricEuclidean && o.Metric != biometrics.MetricNormalized:
		return fmt.Errorf("unknown metric %q", o.Metric)
	case o.Metric == biometrics.MetricNormalized && o.Cohort == "":
		return errors.New("the normalised metric needs a cohort")
	case o.Cohort != "" && o.Cohort != CohortHalf && len(o.Members) == 0:
		return fmt.Errorf("the cohort %s has no members", o.Cohort)
	case o.Bound < 0 || math.IsNaN(o.Bound):
		return fmt.Errorf("isolation bound %v is negative", o.Bound)
	case o.From != "" && !slices.ContainsFunc(subjects, func(s Subject) bool { return s.Group == o.From }):
		return fmt.Errorf("nobody is in the group %q that thresholds are to be set by", o.From)
	}
	for _, t := range o.Targets {
		if !(t > 0 && t < 1) {
			return fmt.Errorf("false match rate %v is not between 0 and 1", t)
		}
	}
	return nil
}
