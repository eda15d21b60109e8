package biometrics_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/evaluate"
	"github.com/sallyport/sallyport/biometrics/facetest"
)

// The tests of this file play what an attacker, or chance, may do to a cohort, with
// descriptors of real photos. Each shows the harm to a cohort that takes everybody,
// and what the defence leaves of it.

// crowd is two sets of people: half of each may become the cohort, the others are
// those it is tried on.
type crowd struct {
	wildIn, wildOut, groupIn, groupOut []evaluate.Subject
}

func newCrowd(t *testing.T) crowd {
	t.Helper()
	if testing.Short() || facetest.Race {
		t.Skip("some hundred thousand looks around a cohort")
	}
	var halves [][]evaluate.Subject
	for _, name := range []string{"wild", "group"} {
		path := filepath.Join(facetest.Dir(t), "faces", "descriptors-"+name+".jsonl")
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		people, err := evaluate.ReadDescriptors(path, f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		rand.New(rand.NewPCG(1, 0)).Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
		halves = append(halves, people[:len(people)/2], people[len(people)/2:])
	}
	return crowd{halves[0], halves[1], halves[2], halves[3]}
}

// photos are the descriptors of a person's photos from one on.
func photos(s evaluate.Subject, from, n int) []biometrics.Descriptor {
	var ds []biometrics.Descriptor
	for _, p := range s.Photos[from:min(from+n, len(s.Photos))] {
		ds = append(ds, p[0])
	}
	return ds
}

// mean is the fused template of photos.
func mean(t *testing.T, ds []biometrics.Descriptor) biometrics.Descriptor {
	t.Helper()
	d, err := biometrics.Mean(ds)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// candidates are honest accounts, each enrolled from a network of its own.
func candidates(t *testing.T, people []evaluate.Subject) []biometrics.Candidate {
	t.Helper()
	var out []biometrics.Candidate
	for _, s := range people {
		out = append(out, biometrics.Candidate{Owner: s.ID, Network: s.ID, Descriptor: mean(t, photos(s, 0, 3))})
	}
	return out
}

// naive takes a sample of everybody, without any rule.
func naive(all []biometrics.Candidate) []biometrics.CohortMember {
	rules := biometrics.DefaultCohortRules()
	rules.Duplicate, rules.PerNetworkDay = 0, math.MaxInt
	members, _ := biometrics.DrawCohort(all, rules, rand.New(rand.NewPCG(2, 0)))
	return members
}

func careful(all []biometrics.Candidate) []biometrics.CohortMember {
	members, _ := biometrics.DrawCohort(all, biometrics.DefaultCohortRules(), rand.New(rand.NewPCG(2, 0)))
	return members
}

const (
	poisonThreshold = 0.9
	poisonK         = biometrics.DefaultNeighbours
)

func yardstick(t *testing.T, members []biometrics.CohortMember, bound float64) biometrics.Yardstick {
	t.Helper()
	c, err := biometrics.NewCohort("test", poisonK, bound, members)
	if err != nil {
		t.Fatal(err)
	}
	return biometrics.Yardstick{Metric: biometrics.MetricNormalized, Fusion: biometrics.FusionMean, Threshold: poisonThreshold, Cohort: c}
}

// outcome counts accepted and thin comparisons.
type outcome struct{ tries, accepted, thin int }

func (o outcome) rate() float64     { return float64(o.accepted) / float64(max(o.tries, 1)) }
func (o outcome) thinRate() float64 { return float64(o.thin) / float64(max(o.tries, 1)) }

func (o *outcome) try(t *testing.T, y biometrics.Yardstick, owner string, templates, probes []biometrics.Descriptor) {
	t.Helper()
	decision, err := y.Compare(owner, templates, probes)
	o.tries++
	switch {
	case errors.Is(err, biometrics.ErrThin):
		o.thin++
	case err != nil:
		t.Fatal(err)
	case decision.Accepted:
		o.accepted++
	}
}

// strangers compares everybody's first three photos with everybody else's next.
func strangers(t *testing.T, y biometrics.Yardstick, people []evaluate.Subject) (o outcome) {
	t.Helper()
	for _, a := range people {
		for _, b := range people {
			if a.ID != b.ID && len(a.Photos) >= 6 && len(b.Photos) >= 6 {
				o.try(t, y, a.ID, photos(a, 0, 3), photos(b, 3, 3))
			}
		}
	}
	return o
}

func reference(people []evaluate.Subject, group string) []biometrics.ReferenceSubject {
	var out []biometrics.ReferenceSubject
	for _, s := range people {
		if len(s.Photos) >= 6 {
			out = append(out, biometrics.ReferenceSubject{Label: s.ID, Group: group, Descriptors: photos(s, 0, 6)})
		}
	}
	return out
}

// bounds are what a rebuilt cohort is held to in these tests: the data has too few
// genuine and in-group comparisons to ask for more.
var bounds = biometrics.CohortBounds{MaxFMR: 1e-3, MaxGroupFMR: 5e-3, MaxFNMR: 0.4}

// One-face fakes: accounts with frames of one photo push honest people out of the
// sample, and with them the group that needs them.
func TestOneFaceFakesDoNotFillTheCohort(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	honest := candidates(t, append(c.wildIn[:1466:1466], c.groupIn...))
	all := honest
	r := rand.New(rand.NewPCG(3, 0))
	face := photos(c.wildOut[0], 0, 1)[0]
	for i := range 3 * len(honest) {
		d := face
		for j := range d {
			d[j] += float32(r.NormFloat64() * 0.008) // about 0.13 apart from each other
		}
		all = append(all, biometrics.Candidate{Owner: fmt.Sprint("fake", i), Network: fmt.Sprint(i), Descriptor: d})
	}
	harmed := strangers(t, yardstick(t, naive(all), math.Inf(1)), c.groupOut)
	defended := strangers(t, yardstick(t, careful(all), math.Inf(1)), c.groupOut)
	clean := strangers(t, yardstick(t, careful(honest), math.Inf(1)), c.groupOut)
	t.Logf("FMR within the group: %.3f %% with fakes, %.3f %% with the rules, %.3f %% without fakes", 100*harmed.rate(), 100*defended.rate(), 100*clean.rate())
	if harmed.rate() < 10*clean.rate()+0.001 {
		t.Errorf("fakes did no harm: %v of %v", harmed, clean)
	}
	if defended.rate() > clean.rate()+0.001 {
		t.Errorf("with the rules %v, without fakes %v", defended, clean)
	}
}

// Twenty accounts with a victim's photos crowd him, so that he is refused.
func TestAVictimsPhotosDoNotLockHimOut(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	honest := candidates(t, append(c.wildIn[:1466:1466], c.groupIn...))
	r := rand.New(rand.NewPCG(4, 0))
	var clean, harmed, defended outcome
	victims := 0
	for _, victim := range c.wildOut {
		if len(victim.Photos) < 10 || victims == 6 {
			continue
		}
		victims++
		all := append([]biometrics.Candidate{{Owner: victim.ID, Network: victim.ID, Descriptor: mean(t, photos(victim, 0, 3))}}, honest...)
		// Each is enrolled with three of four photos that the victim published, all
		// from one network within a day.
		published := photos(victim, 6, 4)
		for i := range 20 {
			d := mean(t, append(append([]biometrics.Descriptor{}, published[:i%4]...), published[i%4+1:]...))
			for j := range d {
				d[j] += float32(r.NormFloat64() * 0.004)
			}
			all = append(all, biometrics.Candidate{Owner: fmt.Sprint("fake", i), Network: "attacker", Descriptor: d})
		}
		clean.try(t, yardstick(t, naive(all[:1+len(honest)]), math.Inf(1)), victim.ID, photos(victim, 0, 3), photos(victim, 3, 3))
		harmed.try(t, yardstick(t, naive(all), math.Inf(1)), victim.ID, photos(victim, 0, 3), photos(victim, 3, 3))
		members := careful(all)
		defended.try(t, yardstick(t, members, learn(t, c, members)), victim.ID, photos(victim, 0, 3), photos(victim, 3, 3))
	}
	t.Logf("victims who get in: %d of %d without fakes, %d with them, %d with the rules (%d are told to use another way)", clean.accepted, victims, harmed.accepted, defended.accepted, defended.thin)
	if victims < 6 || harmed.accepted > clean.accepted/2 {
		t.Errorf("%d fakes did no harm: %v, %v", 20, clean, harmed)
	}
	if defended.accepted < clean.accepted-1 {
		t.Errorf("with the rules %v, without fakes %v", defended, clean)
	}
}

// learn is the bound learnt from wild people alone: a reference set that knows
// nothing of the group.
func learn(t *testing.T, c crowd, members []biometrics.CohortMember) float64 {
	t.Helper()
	check, err := biometrics.CheckCohort("test", poisonK, members, reference(c.wildOut, ""), poisonThreshold, bounds)
	if err != nil {
		t.Fatal(err)
	}
	return check.Bound
}

// A group that the cohort has little or nothing of. The bound refuses most of those
// who would be let into each other's accounts, not all: the rest is for a reference
// set that knows the group, which rejects the cohort.
func TestAGroupThatTheCohortLacks(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	var clean outcome
	for _, n := range []int{0, 3, 6, 12, len(c.groupIn)} {
		members := careful(candidates(t, append(c.wildIn[:1466:1466], c.groupIn[:n]...)))
		harmed := strangers(t, yardstick(t, members, math.Inf(1)), c.groupOut)
		bound := learn(t, c, members)
		defended := strangers(t, yardstick(t, members, bound), c.groupOut)
		var wild outcome
		for _, s := range c.wildOut {
			if len(s.Photos) >= 6 {
				wild.try(t, yardstick(t, members, bound), s.ID, photos(s, 0, 3), photos(s, 3, 3))
			}
		}
		both := append(reference(c.wildOut, "wild"), reference(c.groupOut, "group")...)
		check, err := biometrics.CheckCohort("test", poisonK, members, both, poisonThreshold, bounds)
		t.Logf("%d of the group in the cohort: FMR within it %.2f %%, behind the bound %.2f %% (%.0f %% thin, of wild people %.1f %%); the reference set says %v (thin %.2f)",
			n, 100*harmed.rate(), 100*defended.rate(), 100*defended.thinRate(), 100*wild.thinRate(), err, check.Thin)
		switch {
		case n < 10:
			if harmed.rate() < 0.03 {
				t.Errorf("%d members: no harm: %v", n, harmed)
			}
			if defended.rate() > harmed.rate()/2 {
				t.Errorf("%d members: behind the bound %v, without %v", n, defended, harmed)
			}
			if err == nil && check.Thin < 0.1 {
				t.Errorf("%d members: a reference set that knows the group lets the cohort pass: %+v", n, check)
			}
		case n == len(c.groupIn):
			clean = defended
			if clean.rate() > 0.002 || clean.thinRate() > 0.05 || err != nil {
				t.Errorf("a cohort with the group: %v, %v", clean, err)
			}
		}
		if wild.thinRate() > 0.02 {
			t.Errorf("%d members: %v of wild people are thin", n, wild.thinRate())
		}
	}
}
