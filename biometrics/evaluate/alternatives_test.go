//go:build long

package evaluate

import (
	"math"
	"testing"

	"github.com/sallyport/sallyport/biometrics"
)

// alternative is another way to fuse or to normalise.
type alternative struct {
	name    string
	k       int
	power   float64
	smaller bool // by the smaller of the two neighbourhoods instead of their mean
	fuse    func([]biometrics.Descriptor) (biometrics.Descriptor, error)
}

func (a alternative) options(mode string) Options {
	o := normalized(mode)
	o.Neighbours, o.fuse = a.k, a.fuse
	o.normalize = func(distance float64, t, p biometrics.Neighbourhood) float64 {
		around := (t.Mean + p.Mean) / 2
		if a.smaller {
			around = min(t.Mean, p.Mean)
		}
		return distance / math.Pow(around, a.power)
	}
	return o
}

var alternatives = []alternative{
	{name: "default", k: 10, power: 1.2},
	{name: "power 1", k: 10, power: 1},
	{name: "power 1.1", k: 10, power: 1.1},
	{name: "power 1.3", k: 10, power: 1.3},
	{name: "k 5", k: 5, power: 1.2},
	{name: "k 20", k: 20, power: 1.2},
	{name: "smaller side", k: 10, power: 1.2, smaller: true},
	{name: "unit length", k: 10, power: 1.2, fuse: unitMean},
	{name: "no outlier", k: 10, power: 1.2, fuse: withoutOutlier},
}

// unitMean is the mean, drawn out to the length of a single descriptor.
func unitMean(ds []biometrics.Descriptor) (biometrics.Descriptor, error) {
	m, err := biometrics.Mean(ds)
	length := biometrics.Distance(m, biometrics.Descriptor{})
	for i := range m {
		m[i] = float32(float64(m[i]) * 1.41 / length)
	}
	return m, err
}

// withoutOutlier is the mean without the frame that is farthest from it.
func withoutOutlier(ds []biometrics.Descriptor) (biometrics.Descriptor, error) {
	m, err := biometrics.Mean(ds)
	if len(ds) < 3 || err != nil {
		return m, err
	}
	farthest, worst := 0, -1.0
	for i, d := range ds {
		if distance := biometrics.Distance(d, m); distance > worst {
			farthest, worst = i, distance
		}
	}
	return biometrics.Mean(append(append([]biometrics.Descriptor{}, ds[:farthest]...), ds[farthest+1:]...))
}

// halfOf measures one half of the people, with the other as its cohort.
func halfOf(t *testing.T, subjects []Subject, o Options, second bool) *Report {
	t.Helper()
	r, subjects := newRun(subjects, o)
	report := newReport(o, subjects)
	tested, others := r.halve(subjects)
	if second {
		tested, others = others, tested
	}
	if err := r.half(t.Context(), tested, others, report); err != nil {
		t.Fatal(err)
	}
	r.fill(report, tested)
	return report
}

// What was tried against the way that scores are made: -v prints the table. The
// threshold is the lower of those for FMR 1e-4 that the two modes have on one half
// of the people; then it is tried on the other half. There the default must keep
// strangers of the group out in both modes; the plain quotient must do worse, or the
// power is for nothing.
func TestAlternatives(t *testing.T) {
	subjects := people(t)
	modes := []string{ModeIndependent, ModeCorrelated}
	leaks := make(map[string]float64)
	for _, a := range alternatives {
		threshold := math.Inf(1)
		for _, mode := range modes {
			threshold = min(threshold, halfOf(t, subjects, a.options(mode), false).Metrics[0].Targets[1].Operation.Threshold)
		}
		for _, mode := range modes {
			m := halfOf(t, subjects, a.options(mode), true).Metrics
			o, raw := m[0].OperationAt(threshold), m[1].Targets[1].Operation
			t.Logf("%-12s %-11s at %.3f: wild FMR %.4f %%, FNMR %5.2f %%; within the group FMR %.3f %%, FNMR %4.1f %% (euclidean at its own 1e-4: wild FNMR %5.2f %%, group FMR %.1f %%)",
				a.name, mode, threshold, 100*o.FMR.Value, 100*o.FNMR.Value, 100*within(o, "group").FMR.Value, 100*within(o, "group").FNMR.Value,
				100*raw.FNMR.Value, 100*within(raw, "group").FMR.Value)
			leaks[a.name] = max(leaks[a.name], within(o, "group").FMR.Value)
		}
	}
	if leaks["default"] > 1e-3 || leaks["power 1"] <= leaks["default"] {
		t.Errorf("on the half held out strangers of the group get in %v of the time, by the plain quotient %v", leaks["default"], leaks["power 1"])
	}
}
