package evaluate

import (
	"math"
	"testing"
)

// counted is a sample of impostors that score 0.001, 0.002, … up to n
// thousandths, and of as many genuine comparisons of one person at half of that.
func counted(n int) Sample {
	var t tally
	for i := 1; i <= n; i++ {
		t.addImpostor(float64(i) / perUnit)
		t.addGenuine(float64(i)/2/perUnit, n)
	}
	return t.sample("all", 2)
}

func TestRatesAtAThreshold(t *testing.T) {
	t.Parallel()
	s := counted(1000)
	for threshold, want := range map[float64][2]int{
		0: {0, 1000}, 0.001: {1, 998}, 0.25: {250, 500}, 0.57: {570, 0}, 1: {1000, 0}, 5: {1000, 0}, -1: {0, 1000},
		// Between two thresholds FMR is taken from above and FNMR from below.
		0.2504: {251, 500},
	} {
		if fmr, fnmr := s.FMR(threshold), s.FNMR(threshold); fmr.Errors != want[0] || fnmr.Errors != want[1] {
			t.Errorf("at %v: %d false matches and %d false non-matches, want %v", threshold, fmr.Errors, fnmr.Errors, want)
		}
	}
	if rate, at := s.EqualErrorRate(); at < 0.3 || at > 0.35 || math.Abs(rate-1./3) > 0.01 {
		t.Errorf("equal error rate %v at %v", rate, at)
	}
}

func TestNoNumberIsNeverAccepted(t *testing.T) {
	t.Parallel()
	var counts tally
	for _, score := range []float64{math.NaN(), math.Inf(1), 1e300, 2.5} {
		counts.addImpostor(score)
		counts.addGenuine(score, 4)
	}
	s := counts.sample("all", 1)
	if fmr := s.FMR(2); fmr.Errors != 0 || fmr.Of != 4 {
		t.Errorf("false matches: %+v", fmr)
	}
	if fnmr := s.FNMR(2); fnmr.Errors != 4 {
		t.Errorf("false non-matches: %+v", fnmr)
	}
}

// A threshold that only looks good on a small sample is not called shown.
func TestATargetIsShownByItsBound(t *testing.T) {
	t.Parallel()
	s := counted(1000)
	observed, shown := s.Largest(0.01)
	if observed != 0.01 {
		t.Errorf("10 of 1000 are accepted at %v", observed)
	}
	if !(shown < observed) || s.FMR(shown).High > 0.01 || s.FMR(shown+0.001).High <= 0.01 {
		t.Errorf("shown at %v, where the bound is %v", shown, s.FMR(shown).High)
	}
	if _, shown := s.Largest(1e-3); !math.IsNaN(shown) && s.FMR(shown).High > 1e-3 {
		t.Errorf("1000 comparisons show 1e-3 at %v", shown)
	}
	var one tally
	for range 30_000 {
		one.addImpostor(1)
	}
	if observed, shown := one.sample("all", 2).Largest(1e-4); observed != 0.999 || shown != observed {
		t.Errorf("30,000 impostors without an error show 1e-4: %v, %v", observed, shown)
	}
	if observed, _ := (Sample{ImpostorsAccepted: make([]int, steps)}).Largest(0.1); !math.IsNaN(observed) {
		t.Errorf("nothing compared, threshold %v", observed)
	}
}

func TestEachPersonCountsTheSame(t *testing.T) {
	t.Parallel()
	var counts tally
	for range 9 { // one with many photos, all refused
		counts.addGenuine(1, 9)
	}
	for range 3 { // three with one comparison each
		counts.addGenuine(0.2, 1)
	}
	s := counts.sample("all", 4)
	if got := s.FNMR(0.5).Value; got != 0.75 {
		t.Errorf("FNMR %v", got)
	}
	if got := s.FNMRByPerson(0.5); math.Abs(got-0.25) > 1e-5 {
		t.Errorf("FNMR by person %v", got)
	}
}
