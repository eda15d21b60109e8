package evaluate

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"github.com/sallyport/sallyport/biometrics"
)

// Run makes every comparison that the subjects allow and counts: each capture
// that a person has photos for is a template and a probe, and no two are compared
// twice. It uses all cores; what it returns depends on its arguments alone. When
// ctx ends it stops with ctx's error.
//
// With CohortHalf each half of the people is tested with the other as its cohort.
// In normalised comparisons template and probe both leave out the cohort's members
// of their own person.
func Run(ctx context.Context, subjects []Subject, o Options) (*Report, error) {
	err := o.check(subjects)
	if err != nil {
		return nil, err
	}
	r, subjects := newRun(subjects, o)
	report := newReport(o, subjects)
	if o.Cohort == CohortHalf {
		first, second := r.halve(subjects)
		err = cmp.Or(r.half(ctx, first, second, report), r.half(ctx, second, first, report))
	} else {
		err = r.against(ctx, subjects, o.Members, report)
	}
	if err != nil {
		return nil, err
	}
	if all := &r.counts[0].all; all.genuineCount+all.impostorCount == 0 {
		return nil, fmt.Errorf("no two captures to compare: a template takes %d photos and a probe %d", o.Enrol, o.Probe)
	}
	r.fill(report, subjects)
	return report, nil
}

// newRun begins a run with the subjects in an order that does not depend on the
// inputs'.
func newRun(subjects []Subject, o Options) (*run, []Subject) {
	subjects = slices.SortedFunc(slices.Values(subjects), func(a, b Subject) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.ID, b.ID))
	})
	if o.fuse == nil {
		o.fuse = func(ds []biometrics.Descriptor) (biometrics.Descriptor, error) { return biometrics.Fuse(o.Fusion, ds) }
	}
	if o.normalize == nil {
		o.normalize = biometrics.Normalize
	}
	r := &run{
		Options: o, counts: []*counts{{metric: o.Metric, groups: make(map[string]*tally)}},
		random: rand.New(rand.NewPCG(o.Seed, 0)), //nolint:gosec // reproducible, not secret
	}
	if o.Metric == biometrics.MetricNormalized {
		r.counts = append(r.counts, &counts{metric: biometrics.MetricEuclidean, groups: make(map[string]*tally)})
	}
	r.frames = newFramer(subjects, r.random)
	return r, subjects
}

// run is one evaluation under way.
type run struct {
	Options
	random          *rand.Rand
	frames          *framer
	counts          []*counts
	templates, thin int
}

// counts are those of one metric.
type counts struct {
	metric string
	all    tally
	groups map[string]*tally
}

// merge adds what one template of a group gave.
func (c *counts) merge(group string, all, within *tally) {
	c.all.merge(all)
	if c.groups[group] == nil {
		c.groups[group] = new(tally)
	}
	c.groups[group].merge(within)
}

// against tests subjects with a cohort of these members; none for the Euclidean
// metric.
func (r *run) against(ctx context.Context, subjects []Subject, members []biometrics.CohortMember, report *Report) error {
	var cohort *biometrics.Cohort
	var err error
	if r.Metric == biometrics.MetricNormalized {
		if need := biometrics.DefaultCohortRules().MinUsable; len(members) < need {
			report.note("a cohort of %d members is below the %d that a policy may choose it with", len(members), need)
		}
		cohort, err = biometrics.NewCohort(r.Cohort, r.Neighbours, cmp.Or(r.Bound, math.Inf(1)), members)
		if err != nil {
			return err
		}
		report.Cohort = &CohortInfo{Source: r.Cohort, Size: cohort.Size(), Neighbours: r.Neighbours, Bound: r.Bound}
	}
	templates, err := r.capturesOf(ctx, subjects, r.Enrol, cohort)
	if err != nil {
		return err
	}
	probes := templates
	if r.Probe != r.Enrol {
		probes, err = r.capturesOf(ctx, subjects, r.Probe, cohort)
		if err != nil {
			return err
		}
	}
	return r.compare(ctx, subjects, templates, probes)
}

// capturesOf makes all captures of n photos or frames, and looks around them.
func (r *run) capturesOf(ctx context.Context, subjects []Subject, n int, cohort *biometrics.Cohort) ([]capture, error) {
	var all []capture
	for i, s := range subjects {
		captures, err := r.captures(i, s, n, r.frames)
		if err != nil {
			return nil, err
		}
		all = append(all, captures...)
	}
	if cohort == nil {
		return all, nil
	}
	return all, inParallel(ctx, len(all), func(i int) {
		all[i].around = cohort.Neighbourhood(subjects[all[i].subject].ID, all[i].fused)
	})
}

// compare makes the comparisons, template by template.
func (r *run) compare(ctx context.Context, subjects []Subject, templates, probes []capture) error {
	// How many genuine comparisons a person has, to weigh them by.
	of := make([]int, len(subjects))
	compared := func(i, j int) bool {
		// With as many photos on both sides the exchanged pair is the same.
		return (r.Enrol != r.Probe || j > i) && !templates[i].overlaps(probes[j])
	}
	probesOf := make(map[int][]int)
	for j, p := range probes {
		probesOf[p.subject] = append(probesOf[p.subject], j)
	}
	for i, t := range templates {
		for _, j := range probesOf[t.subject] {
			if compared(i, j) {
				of[t.subject]++
			}
		}
	}
	var merging sync.Mutex
	return inParallel(ctx, len(templates), func(i int) {
		template := &templates[i]
		group := subjects[template.subject].Group
		all, within := make([]tally, len(r.counts)), make([]tally, len(r.counts))
		isThin := r.Metric == biometrics.MetricNormalized && r.Bound > 0 && !(template.around.Isolation <= r.Bound)
		for j := range probes {
			if isThin || !compared(i, j) {
				continue
			}
			probe := &probes[j]
			distance := biometrics.Distance(template.fused, probe.fused)
			for k, c := range r.counts {
				score := distance
				if c.metric == biometrics.MetricNormalized {
					score = r.normalize(distance, template.around, probe.around)
				}
				if template.subject == probe.subject {
					all[k].addGenuine(score, of[template.subject])
					within[k].addGenuine(score, of[template.subject])
					continue
				}
				all[k].addImpostor(score)
				if subjects[probe.subject].Group == group {
					within[k].addImpostor(score)
				}
			}
		}
		merging.Lock()
		defer merging.Unlock()
		r.templates++
		if isThin {
			r.thin++
		}
		for k, c := range r.counts {
			c.merge(group, &all[k], &within[k])
		}
	})
}

// inParallel calls each for 0 to n-1 on all cores and returns when all calls have.
// Once ctx ends it begins no more.
func inParallel(ctx context.Context, n int, each func(i int)) error {
	next := make(chan int)
	var busy sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		busy.Go(func() {
			for i := range next {
				each(i)
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	busy.Wait()
	return ctx.Err()
}

// half tests one half of the people with a cohort drawn from the other.
func (r *run) half(ctx context.Context, tested, others []Subject, report *Report) error {
	var candidates []biometrics.Candidate
	for _, s := range others {
		n := r.Enrol
		if r.Mode == ModeIndependent {
			n = min(n, len(s.Photos))
		}
		captures, err := r.captures(0, s, n, r.frames)
		if err != nil {
			return err
		}
		candidates = append(candidates, biometrics.Candidate{Owner: s.ID, Descriptor: captures[0].fused, Network: s.ID})
	}
	members, drawn := biometrics.DrawCohort(candidates, biometrics.DefaultCohortRules(), r.random)
	report.note("cohort of one half: %d of %d people, %d passed over as near-duplicates", drawn.Members, drawn.Candidates, drawn.Duplicates)
	return r.against(ctx, tested, members, report)
}

// halve splits the people at random, group by group.
func (r *run) halve(subjects []Subject) (first, second []Subject) {
	groups := make(map[string][]Subject)
	for _, s := range subjects {
		groups[s.Group] = append(groups[s.Group], s)
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		people := groups[name]
		r.random.Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
		first = append(first, people[:len(people)/2]...)
		second = append(second, people[len(people)/2:]...)
	}
	return first, second
}
