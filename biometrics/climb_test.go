package biometrics

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// scattered is a made-up face: a place of its own, about 0.7 from every other.
func scattered(r *rand.Rand) Descriptor {
	var d Descriptor
	for i := range d {
		d[i] = float32(r.NormFloat64() * 0.044)
	}
	return d
}

// A climber changes his picture a little and keeps the change if the answer got
// warmer. With scores he is in well before his 10,000th try; what Compare tells
// is the same for every one that is refused, so he has nothing to climb.
func TestAHillClimberLearnsOneBitATry(t *testing.T) {
	t.Parallel()
	const tries = 10_000
	r := rand.New(rand.NewPCG(1, 0))
	var members []CohortMember
	for i := range 40 {
		members = append(members, CohortMember{Owner: fmt.Sprint(i), Descriptor: scattered(r)})
	}
	cohort, err := NewCohort("test", DefaultNeighbours, 1e6, members)
	if err != nil {
		t.Fatal(err)
	}
	templates := []Descriptor{scattered(r), scattered(r)}
	for _, y := range []Yardstick{
		{Metric: MetricEuclidean, Fusion: FusionMean, Threshold: 0.4},
		{Metric: MetricNormalized, Fusion: FusionMean, Threshold: 0.8, Cohort: cohort},
	} {
		// Everything that Compare returns, to the last field.
		seen := func(probe Descriptor) string {
			decision, err := y.Compare("owner", templates, []Descriptor{probe})
			return fmt.Sprintf("%#v %+v %v", decision, decision, err)
		}
		told := make(map[string]bool)
		for probe, i := scattered(r), 0; i < tries; i++ {
			told[seen(probe)] = true
			probe = nudged(probe, r)
		}
		if len(told) != 1 {
			t.Errorf("%s: %d tries were answered in %d ways", y.Metric, tries, len(told))
		}
		// The same climber, had he the score.
		probe, best, in := scattered(r), 1e9, false
		for range tries {
			next := nudged(probe, r)
			score, err := y.Score("owner", templates, []Descriptor{next})
			if err != nil {
				t.Fatal(err)
			}
			value := score.Distance
			if y.Metric == MetricNormalized {
				value = score.Normalized
			}
			if value < best {
				probe, best = next, value
			}
			in = in || value <= y.Threshold
		}
		if !in {
			t.Errorf("%s: a climber who sees scores does not get in either: the test shows nothing", y.Metric)
		}
	}
}

func nudged(d Descriptor, r *rand.Rand) Descriptor {
	for i := range d {
		d[i] += float32(r.NormFloat64() * 0.002)
	}
	return d
}

// BenchmarkCompare is one decision by a full cohort: bounded by 1 ms.
func BenchmarkCompare(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 0))
	var members []CohortMember
	for i := range DefaultCohortRules().Size {
		members = append(members, CohortMember{Owner: fmt.Sprint(i), Descriptor: scattered(r)})
	}
	cohort, err := NewCohort("bench", DefaultNeighbours, 1e6, members)
	if err != nil {
		b.Fatal(err)
	}
	y := Yardstick{Metric: MetricNormalized, Fusion: FusionMean, Threshold: 1, Cohort: cohort}
	templates := []Descriptor{scattered(r), scattered(r), scattered(r)}
	for b.Loop() {
		if _, err := y.Compare("owner", templates, templates); err != nil {
			b.Fatal(err)
		}
	}
}
