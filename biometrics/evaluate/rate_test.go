package evaluate

import (
	"math"
	"testing"
)

// binomialTail is P(X >= k) of n tries at p, summed up term by term.
func binomialTail(k, n int, p float64) float64 {
	sum := 0.0
	for i := k; i <= n; i++ {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(i + 1))
		c, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(a - b - c + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}

// The bounds are where the binomial distribution leaves 2.5 % on either side.
func TestBoundsAreClopperAndPearsons(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ failed, of int }{{1, 10}, {5, 100}, {50, 100}, {99, 100}, {12, 121808}, {4, 358}, {3000, 10_000}} {
		r := NewRate(c.failed, c.of)
		low, high := binomialTail(c.failed, c.of, r.Low), 1-binomialTail(c.failed+1, c.of, r.High)
		if math.Abs(low-0.025) > 1e-5 || math.Abs(high-0.025) > 1e-5 {
			t.Errorf("%d of %d: bounds %v and %v leave %v and %v", c.failed, c.of, r.Low, r.High, low, high)
		}
	}
}

func TestRuleOfThree(t *testing.T) {
	t.Parallel()
	for _, n := range []int{300, 30_000, 3_000_000} {
		if r := NewRate(0, n); math.Abs(r.High*float64(n)-3) > 0.02 || r.Low != 0 || r.Value != 0 {
			t.Errorf("no errors of %d: %+v", n, r)
		}
	}
	if r := NewRate(7, 7); r.High != 1 || math.Abs(r.Low-math.Pow(0.05, 1./7)) > 1e-12 {
		t.Errorf("all wrong: %+v", r)
	}
	if r := NewRate(0, 0); r.Low != 0 || r.High != 1 || r.String() != "no comparisons" {
		t.Errorf("nothing compared: %+v", r)
	}
	if Needed(1e-4) != 30_000 || Needed(1e-3) != 3000 {
		t.Errorf("1e-4 needs %d, 1e-3 %d", Needed(1e-4), Needed(1e-3))
	}
}

func TestRatesPrintTwoDigits(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]Rate{
		"0.0099 % (0.0051 to 0.017)": NewRate(12, 121808),
		"1.1 % (0.31 to 2.8)":        NewRate(4, 358),
		"0.0 % (0.0 to 2.3)":         NewRate(0, 130),
		"50.0 % (39.8 to 60.2)":      NewRate(50, 100),
	} {
		if r.String() != want {
			t.Errorf("%s, want %s", r, want)
		}
	}
}
