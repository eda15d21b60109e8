package evaluate

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// perUnit is how many thresholds a curve has in a unit of score.
const perUnit = 1000

// steps is the number of thresholds: 0, 0.001, …, 2. Beyond 2 no metric has a
// threshold of use.
const steps = 2001

// Sample is what was counted among one group of people, or among all.
type Sample struct {
	Name      string `json:"name"`
	People    int    `json:"people"`
	Genuine   int    `json:"genuine"`   // comparisons
	Impostors int    `json:"impostors"` // comparisons
	// GenuineAccepted and ImpostorsAccepted have one count for each threshold 0,
	// 0.001, 0.002, …: how many comparisons score at most that.
	GenuineAccepted   []int `json:"genuine_accepted"`
	ImpostorsAccepted []int `json:"impostors_accepted"`
	// PeopleAccepted is GenuineAccepted with each person counting the same,
	// however many comparisons he has, in millionths of a person.
	PeopleAccepted []int `json:"people_accepted"`
}

// person is the weight of all genuine comparisons of one person together.
const person = 1_000_000

// Threshold returns the i-th threshold of the curves.
func Threshold(i int) float64 { return float64(i) / perUnit }

// FMR is the false match rate at the smallest threshold of the curve that is not
// below the one given: the error of rounding is on the careful side.
func (s Sample) FMR(threshold float64) Rate {
	return NewRate(s.ImpostorsAccepted[at(threshold)], s.Impostors)
}

// FNMR is the false non-match rate at the largest threshold of the curve that is
// not above the one given.
func (s Sample) FNMR(threshold float64) Rate {
	return NewRate(s.Genuine-s.GenuineAccepted[below(threshold)], s.Genuine)
}

// FNMRByPerson is FNMR with each person counting the same: one bad label with many
// photos weighs no more than another. It is 0 without genuine comparisons.
func (s Sample) FNMRByPerson(threshold float64) float64 {
	all := s.PeopleAccepted[steps-1]
	if s.Genuine == 0 || all == 0 {
		return 0
	}
	return 1 - float64(s.PeopleAccepted[below(threshold)])/float64(all)
}

// at is the index of the smallest threshold not below t.
func at(t float64) int {
	i := math.Ceil(t*perUnit - 1e-6) // 0.57 times 1000 is 569.9999999999999, other products lie above
	return int(min(max(i, 0), steps-1))
}

// below is the index of the largest threshold not above t.
func below(t float64) int {
	i := math.Floor(t*perUnit + 1e-6)
	return int(min(max(i, 0), steps-1))
}

// EqualErrorRate is where FMR and FNMR meet, and the threshold of it.
func (s Sample) EqualErrorRate() (rate, threshold float64) {
	for i := range steps {
		t := Threshold(i)
		if fmr, fnmr := s.FMR(t).Value, s.FNMR(t).Value; fmr >= fnmr {
			return (fmr + fnmr) / 2, t
		}
	}
	return 1, Threshold(steps - 1)
}

// Largest returns the largest threshold at which an FMR holds: observed is where
// the rate of the sample is at most fmr, shown where its upper bound is. Both are
// NaN where there is none.
func (s Sample) Largest(fmr float64) (observed, shown float64) {
	observed, shown = math.NaN(), math.NaN()
	for i, accepted := range s.ImpostorsAccepted {
		if s.Impostors == 0 || float64(accepted) > fmr*float64(s.Impostors) {
			break
		}
		observed = Threshold(i)
		// A bound is dear, and counts stay the same over many thresholds.
		if i > 0 && accepted == s.ImpostorsAccepted[i-1] {
			if shown == Threshold(i-1) {
				shown = observed
			}
			continue
		}
		if NewRate(accepted, s.Impostors).High <= fmr {
			shown = observed
		}
	}
	return observed, shown
}

// Needed is how many impostor comparisons can show an FMR at all, by the rule of
// three: 30,000 for 1e-4.
func Needed(fmr float64) int { return int(math.Ceil(3/fmr - 1e-6)) }

// check refuses counts that no evaluation gives.
func (s Sample) check() error {
	for _, curve := range [][]int{s.GenuineAccepted, s.ImpostorsAccepted, s.PeopleAccepted} {
		if len(curve) != steps {
			return fmt.Errorf("curve of %d thresholds, want %d", len(curve), steps)
		}
		if !slices.IsSorted(curve) || curve[0] < 0 {
			return errors.New("a curve falls")
		}
	}
	if s.GenuineAccepted[steps-1] > s.Genuine || s.ImpostorsAccepted[steps-1] > s.Impostors {
		return errors.New("a curve counts more than there are comparisons")
	}
	return nil
}

// tally counts scores on their way into a Sample.
type tally struct {
	genuine, impostor, people   [steps]int
	genuineCount, impostorCount int
}

// addImpostor counts an impostor comparison. A score that is no number is never
// accepted.
func (t *tally) addImpostor(score float64) {
	t.impostorCount++
	if i, ok := bin(score); ok {
		t.impostor[i]++
	}
}

// addGenuine counts a genuine one, of so many that the person has.
func (t *tally) addGenuine(score float64, of int) {
	t.genuineCount++
	if i, ok := bin(score); ok {
		t.genuine[i]++
		t.people[i] += person / of
	}
}

// bin is the first threshold that accepts a score, if one does.
func bin(score float64) (int, bool) {
	i := math.Ceil(score * perUnit)
	if !(i < steps) { // NaN is not
		return 0, false
	}
	return int(max(i, 0)), true
}

func (t *tally) merge(u *tally) {
	for i := range t.genuine {
		t.genuine[i] += u.genuine[i]
		t.impostor[i] += u.impostor[i]
		t.people[i] += u.people[i]
	}
	t.genuineCount += u.genuineCount
	t.impostorCount += u.impostorCount
}

func (t *tally) sample(name string, people int) Sample {
	return Sample{
		Name: name, People: people, Genuine: t.genuineCount, Impostors: t.impostorCount,
		GenuineAccepted: sums(t.genuine[:]), ImpostorsAccepted: sums(t.impostor[:]), PeopleAccepted: sums(t.people[:]),
	}
}

func sums(counts []int) []int {
	out := make([]int, len(counts))
	sum := 0
	for i, n := range counts {
		sum += n
		out[i] = sum
	}
	return out
}
