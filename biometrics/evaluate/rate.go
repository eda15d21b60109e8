package evaluate

import (
	"fmt"
	"math"
)

// Rate is an error rate with its 95 % bounds by Clopper and Pearson (1934). With
// no errors the upper bound is the one-sided one, which is about 3/n: the rule of
// three.
//
// The bounds hold for independent comparisons. Those of one person are not, so
// the truth is wider than they are.
type Rate struct {
	Errors int     `json:"errors"`
	Of     int     `json:"of"` // comparisons
	Value  float64 `json:"value"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// NewRate returns the rate of errors among comparisons. Without any comparison
// nothing is known: the bounds are 0 and 1.
func NewRate(failed, of int) Rate {
	r := Rate{Errors: failed, Of: of, High: 1}
	if of == 0 {
		return r
	}
	n, x := float64(of), float64(failed)
	r.Value = x / n
	switch failed {
	case 0:
		r.High = 1 - math.Pow(0.05, 1/n)
	case of:
		r.Low = math.Pow(0.05, 1/n)
	default:
		r.Low = betaQuantile(0.025, x, n-x+1)
		r.High = betaQuantile(0.975, x+1, n-x)
	}
	return r
}

// String prints percent with bounds: "0.010 % (0.006 to 0.018)".
func (r Rate) String() string {
	if r.Of == 0 {
		return "no comparisons"
	}
	return fmt.Sprintf("%s %% (%s to %s)", percent(r.Value), percent(r.Low), percent(r.High))
}

// percent shows two digits of what is small.
func percent(v float64) string {
	v *= 100
	if v == 0 || v >= 10 {
		return fmt.Sprintf("%.1f", v)
	}
	digits := min(5, max(1, 1-int(math.Floor(math.Log10(v)))))
	return fmt.Sprintf("%.*f", digits, v)
}

// betaQuantile inverts the regularised incomplete beta function by bisection.
func betaQuantile(p, a, b float64) float64 {
	low, high := 0.0, 1.0
	for range 100 {
		middle := (low + high) / 2
		if betaCDF(middle, a, b) < p {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// betaCDF is I_x(a, b), by the continued fraction of Numerical Recipes section
// 6.4, which converges quickly below the mean; above it the symmetry is used.
func betaCDF(x, a, b float64) float64 {
	if x <= 0 || x >= 1 {
		return min(max(x, 0), 1)
	}
	if x > (a+1)/(a+b+2) {
		return 1 - betaCDF(1-x, b, a)
	}
	const tiny, enough = 1e-300, 1e-14
	lgamma := func(v float64) float64 { l, _ := math.Lgamma(v); return l }
	front := math.Exp(lgamma(a+b)-lgamma(a)-lgamma(b)+a*math.Log(x)+b*math.Log1p(-x)) / a
	c, d := 1.0, 1/keepOff(1-(a+b)*x/(a+1), tiny)
	f := d
	for m := 1.0; m < 10_000; m++ {
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		change := 0.0
		for _, term := range []float64{even, odd} {
			d = 1 / keepOff(1+term*d, tiny)
			c = keepOff(1+term/c, tiny)
			change = c * d
			f *= change
		}
		if math.Abs(change-1) < enough {
			break
		}
	}
	return front * f
}

// keepOff keeps a divisor off zero.
func keepOff(v, tiny float64) float64 {
	if math.Abs(v) < tiny {
		return tiny
	}
	return v
}
