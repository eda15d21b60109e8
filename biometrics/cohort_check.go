package biometrics

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// ReferenceSubject is one person of the labelled set that a rebuilt cohort is
// judged by. Label is the owner by which the cohort may know the same person;
// subjects of one Group are alike to the net, as far as whoever labelled them
// knows. Descriptors are single photos, in the order they were taken.
type ReferenceSubject struct {
	Label, Group string
	Descriptors  []Descriptor
}

// CohortBounds are the rates up to which a rebuilt cohort may become active,
// from 0 to 1.
type CohortBounds struct {
	MaxFMR      float64 // over all impostor comparisons
	MaxGroupFMR float64 // over those within any one group
	MaxFNMR     float64 // over genuine comparisons; who is refused as thin counts
}

// CohortCheck is what a cohort does to the reference set at the threshold.
type CohortCheck struct {
	// Bound is the learnt bound for [NewCohort]: the isolation that 99 % of the
	// reference subjects stay within, or the largest below it with which FMR and
	// group FMR keep their limits.
	Bound float64
	// Thin is the share of reference subjects whose templates lie beyond Bound.
	Thin float64

	FMR, FNMR     float64
	WorstGroup    string // with the highest FMR within it; empty without groups
	WorstGroupFMR float64

	Genuine, Impostors int // comparisons behind FNMR and FMR
	WorstGroupTries    int // comparisons behind WorstGroupFMR
}

// checkFrames is how many descriptors of a subject are fused at most: what an
// enrolment and a sign-in have.
const checkFrames = 3

// CheckCohort tries a cohort on the reference set: each subject's first
// descriptors are the templates, the following ones the probes, and every
// subject's probes attack every other's templates. It learns the neighbour bound
// and says by an error which of bounds the cohort breaks; the check is filled in
// all the same. A reference without a genuine or an impostor comparison is an
// error.
func CheckCohort(version string, k int, members []CohortMember, reference []ReferenceSubject, threshold float64, bounds CohortBounds) (CohortCheck, error) {
	cohort, err := NewCohort(version, k, math.Inf(1), members)
	if err != nil {
		return CohortCheck{}, err
	}
	trials, err := newTrials(cohort, reference, threshold)
	if err != nil {
		return CohortCheck{}, err
	}
	candidates := trials.isolations()
	if len(candidates) == 0 {
		return CohortCheck{}, fmt.Errorf("face cohort %s: no subject of the reference set has %d neighbours", version, k)
	}
	// From the most isolated subject inwards, until those who are left are safe.
	widest := trials.rates(candidates[len(candidates)-1])
	for _, bound := range slices.Backward(candidates) {
		check := trials.rates(bound)
		if check.FMR <= bounds.MaxFMR && check.WorstGroupFMR <= bounds.MaxGroupFMR {
			if check.FNMR > bounds.MaxFNMR {
				return check, fmt.Errorf("face cohort %s: FNMR %.4f on the reference set is above %.4f (%.1f %% of its people have too few neighbours; with %.1f %% FMR would be %.6f, within group %q %.6f)",
					version, check.FNMR, bounds.MaxFNMR, 100*check.Thin, 100*widest.Thin, widest.FMR, widest.WorstGroup, widest.WorstGroupFMR)
			}
			return check, nil
		}
	}
	if widest.FMR > bounds.MaxFMR {
		return widest, fmt.Errorf("face cohort %s: FMR %.6f on the reference set is above %.6f", version, widest.FMR, bounds.MaxFMR)
	}
	return widest, fmt.Errorf("face cohort %s: FMR %.6f within group %q of the reference set is above %.6f",
		version, widest.WorstGroupFMR, widest.WorstGroup, bounds.MaxGroupFMR)
}

// trials are all comparisons of a reference set under one cohort.
type trials struct {
	subjects []trialSubject
	pairs    []trialPair // those below the threshold alone
}

type trialSubject struct {
	label, group    string
	template, probe Neighbourhood
	fused           [2]Descriptor
	frames          int
}

// tested tells whether the subject has templates and probes of its own.
func (s trialSubject) tested() bool { return s.frames > 1 }

// trialPair is an accepted comparison of the template of one subject with the
// probe of another or the same, as indices.
type trialPair struct{ template, probe int }

// isolations are those of the tested subjects, ascending, up to the 99th
// percentile: beyond it a bound would rest on the oddest of them.
func (t *trials) isolations() []float64 {
	var values []float64
	for _, s := range t.subjects {
		if s.tested() && !math.IsNaN(s.template.Isolation) {
			values = append(values, s.template.Isolation)
		}
	}
	slices.Sort(values)
	return values[:(len(values)*99+99)/100]
}

func newTrials(cohort *Cohort, reference []ReferenceSubject, threshold float64) (*trials, error) {
	err := Yardstick{Metric: MetricNormalized, Fusion: FusionMean, Threshold: threshold, Cohort: cohort}.Check()
	if err != nil {
		return nil, err
	}
	t := &trials{}
	tested := 0
	for _, r := range reference {
		s := trialSubject{label: r.Label, group: r.Group, frames: len(r.Descriptors)}
		if r.Label == "" || s.frames == 0 {
			return nil, errors.New("face reference set: a subject without label or descriptors")
		}
		templates, probes := r.Descriptors, r.Descriptors
		if s.tested() {
			n := min(s.frames/2, checkFrames)
			templates, probes = r.Descriptors[:n], r.Descriptors[n:2*n]
			tested++
		}
		for i, ds := range [][]Descriptor{templates, probes} {
			s.fused[i], err = Mean(ds)
			if err != nil {
				return nil, err
			}
		}
		s.template = cohort.Neighbourhood(s.label, s.fused[0])
		s.probe = cohort.Neighbourhood(s.label, s.fused[1])
		t.subjects = append(t.subjects, s)
	}
	if tested == 0 || len(t.subjects) < 2 {
		return nil, fmt.Errorf("face reference set: %d subjects, %d of them with two descriptors or more", len(t.subjects), tested)
	}
	for i, a := range t.subjects {
		for j, b := range t.subjects {
			if a.tested() && Normalize(Distance(a.fused[0], b.fused[1]), a.template, b.probe) <= threshold {
				t.pairs = append(t.pairs, trialPair{i, j})
			}
		}
	}
	return t, nil
}

// rates are those of the comparisons with templates that are not thin; genuine
// ones count as refused where they are.
func (t *trials) rates(bound float64) CohortCheck {
	check := CohortCheck{Bound: bound}
	inGroup := make(map[string]int)
	for _, s := range t.subjects {
		inGroup[s.group]++
	}
	tested, matched, falsely := 0, 0, 0
	tries, falselyIn := make(map[string]int), make(map[string]int)
	for _, s := range t.subjects {
		if !s.tested() {
			continue
		}
		tested++
		if s.template.Isolation <= bound {
			check.Impostors += len(t.subjects) - 1
			tries[s.group] += inGroup[s.group] - 1
		} else {
			check.Thin++
		}
	}
	for _, p := range t.pairs {
		a, b := t.subjects[p.template], t.subjects[p.probe]
		switch {
		case !(a.template.Isolation <= bound):
		case p.template == p.probe:
			matched++
		default:
			falsely++
			if a.group == b.group {
				falselyIn[a.group]++
			}
		}
	}
	check.Genuine = tested
	check.Thin /= float64(tested)
	check.FNMR = 1 - float64(matched)/float64(tested)
	check.FMR = share(falsely, check.Impostors)
	for group, n := range tries {
		rate := share(falselyIn[group], n)
		if group != "" && (check.WorstGroup == "" || rate > check.WorstGroupFMR || rate == check.WorstGroupFMR && group < check.WorstGroup) {
			check.WorstGroup, check.WorstGroupFMR, check.WorstGroupTries = group, rate, n
		}
	}
	return check
}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}
