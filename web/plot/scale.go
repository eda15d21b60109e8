package plot

import (
	"math"
	"strconv"
)

// scale maps the values of an axis to pixels.
type scale struct {
	Axis
	from, to float64
}

// at is the pixel of a value, NaN for what is no number. Values beyond the axis
// are held at its ends; so is 0 on a logarithmic axis.
func (s scale) at(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return math.NaN()
	}
	low, high := s.Min, s.Max
	v = min(max(v, low), high)
	if s.Log {
		low, high, v = math.Log(low), math.Log(high), math.Log(v)
	}
	if high == low {
		return s.from
	}
	return s.from + (s.to-s.from)*(v-low)/(high-low)
}

// ticks are round values, some five to ten of them: powers of ten on a logarithmic
// axis.
func (s scale) ticks() []float64 {
	var out []float64
	if s.Log {
		for e := math.Ceil(math.Log10(s.Min) - 1e-9); e <= math.Log10(s.Max)+1e-9; e++ {
			out = append(out, math.Pow(10, e))
		}
		return out
	}
	if !(s.Max > s.Min) {
		return nil
	}
	step := math.Pow(10, math.Floor(math.Log10(s.Max-s.Min)))
	for _, part := range []float64{2, 2.5, 2} { // to a half, a fifth, a tenth
		if (s.Max-s.Min)/step >= 4 {
			break
		}
		step /= part
	}
	for i := math.Ceil(s.Min/step - 1e-9); i*step <= s.Max+step*1e-9; i++ {
		out = append(out, i*step+0) // not -0
	}
	return out
}

// label prints a tick, without the noise of its last bits.
func (s scale) label(v float64) string {
	unit := ""
	if s.Percent {
		v, unit = v*100, " %"
	}
	return strconv.FormatFloat(v, 'g', 4, 64) + unit
}
