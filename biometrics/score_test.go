package biometrics

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
)

// line is a cohort of members at 1, 2, 3, … on the first axis, owned by m1, m2 ….
func line(t testing.TB, n, k int, bound float64) *Cohort {
	t.Helper()
	var members []CohortMember
	for i := range n {
		members = append(members, CohortMember{Owner: fmt.Sprint("m", i+1), Descriptor: at(float32(i + 1))})
	}
	c, err := NewCohort("test", k, bound, members)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNeighbourhood(t *testing.T) {
	t.Parallel()
	c := line(t, 5, 3, 10)
	for name, test := range map[string]struct {
		owner string
		d     Descriptor
		want  Neighbourhood
	}{
		"from the end":             {"", at(0), Neighbourhood{Mean: 2, Isolation: 9 * math.Pow(3, 1.5) / 3}},
		"from the middle":          {"", at(3), Neighbourhood{Mean: 2. / 3, Isolation: 1.2 * 1.2}},
		"own members do not count": {"m1", at(0), Neighbourhood{Mean: 3, Isolation: 3.5 * 3.5 * 2}},
	} {
		got := c.Neighbourhood(test.owner, test.d)
		if math.Abs(got.Mean-test.want.Mean) > 1e-6 || math.Abs(got.Isolation-test.want.Isolation) > 1e-6 {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

// Nothing that comes near to overflow, or has no neighbours, may be divided by
// infinity and become the best score of all.
func TestNeighbourhoodIsNeverInfinite(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]Descriptor{
		"far": at(3e30), "infinite": at(float32(math.Inf(1))), "no number": at(float32(math.NaN())),
	} {
		if got := line(t, 5, 3, 10).Neighbourhood("", d); !math.IsNaN(got.Mean) || !math.IsNaN(got.Isolation) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	members := []CohortMember{{"a", at(1)}, {"a", at(2)}, {"b", at(3)}, {"c", at(4)}}
	c, err := NewCohort("test", 3, math.Inf(1), members)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Neighbourhood("a", at(0)); !math.IsNaN(got.Mean) {
		t.Errorf("two neighbours of three: %+v", got)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	nan := float32(math.NaN())
	euclidean := func(threshold float64) Yardstick {
		return Yardstick{Metric: MetricEuclidean, Fusion: FusionMean, Threshold: threshold}
	}
	normalized := func(threshold, bound float64) Yardstick {
		return Yardstick{Metric: MetricNormalized, Fusion: FusionMean, Threshold: threshold, Cohort: line(t, 5, 3, bound)}
	}
	for name, test := range map[string]struct {
		y                 Yardstick
		owner             string
		templates, probes []Descriptor
		want              bool
		wantErr           string
	}{
		"same":                     {euclidean(0.45), "", []Descriptor{at(1)}, []Descriptor{at(1)}, true, ""},
		"at the threshold":         {euclidean(0.5), "", []Descriptor{at(1)}, []Descriptor{at(0.5)}, true, ""},
		"just beyond":              {euclidean(math.Nextafter(0.5, 0)), "", []Descriptor{at(1)}, []Descriptor{at(0.5)}, false, ""},
		"means, not minima":        {euclidean(0.9), "", []Descriptor{at(0), at(2)}, []Descriptor{at(0)}, false, ""},
		"means meet":               {euclidean(0.1), "", []Descriptor{at(0), at(2)}, []Descriptor{at(1)}, true, ""},
		"NaN template":             {euclidean(0.45), "", []Descriptor{at(nan)}, []Descriptor{at(1)}, false, ""},
		"NaN probe":                {euclidean(0.45), "", []Descriptor{at(1)}, []Descriptor{at(1), at(nan)}, false, ""},
		"no templates":             {euclidean(0.45), "", nil, []Descriptor{at(1)}, false, "templates: no descriptors"},
		"no probes":                {euclidean(0.45), "", []Descriptor{at(1)}, nil, false, "probes: no descriptors"},
		"no threshold":             {euclidean(0), "", []Descriptor{at(1)}, []Descriptor{at(1)}, false, "threshold 0"},
		"NaN threshold":            {euclidean(math.NaN()), "", []Descriptor{at(1)}, []Descriptor{at(1)}, false, "threshold NaN"},
		"no limit":                 {euclidean(math.Inf(1)), "", []Descriptor{at(1)}, []Descriptor{at(1)}, false, "threshold +Inf"},
		"unknown metric":           {Yardstick{"cosine", FusionMean, 1, nil}, "x", []Descriptor{at(1)}, []Descriptor{at(1)}, false, `metric "cosine"`},
		"unknown fusion":           {Yardstick{MetricEuclidean, "median", 1, nil}, "x", []Descriptor{at(1)}, []Descriptor{at(1)}, false, `fusion "median"`},
		"no cohort":                {Yardstick{MetricNormalized, FusionMean, 1, nil}, "x", []Descriptor{at(1)}, []Descriptor{at(1)}, false, "without a cohort"},
		"no owner":                 {normalized(1, 100), "", []Descriptor{at(1)}, []Descriptor{at(1)}, false, "owner"},
		"normalised, the same":     {normalized(1, 100), "x", []Descriptor{at(3)}, []Descriptor{at(3)}, true, ""},
		"normalised, near":         {normalized(1, 100), "x", []Descriptor{at(3)}, []Descriptor{at(3.5)}, true, ""},
		"normalised, apart":        {normalized(1, 100), "x", []Descriptor{at(0)}, []Descriptor{at(5)}, false, ""},
		"thin":                     {normalized(1, 1.4), "x", []Descriptor{at(3)}, []Descriptor{at(3)}, false, ErrThin.Error()},
		"far from everybody":       {normalized(1, 1.5), "x", []Descriptor{at(3)}, []Descriptor{at(80)}, false, ""},
		"absurdly far probe":       {normalized(1, 100), "x", []Descriptor{at(3)}, []Descriptor{at(3e30)}, false, ""},
		"normalised, NaN probe":    {normalized(1, 100), "x", []Descriptor{at(3)}, []Descriptor{at(nan)}, false, ""},
		"normalised, infinite":     {normalized(1, 100), "x", []Descriptor{at(3)}, []Descriptor{at(float32(math.Inf(1)))}, false, ""},
		"normalised, NaN template": {normalized(1, 100), "x", []Descriptor{at(nan)}, []Descriptor{at(3)}, false, ErrThin.Error()},
	} {
		got, err := test.y.Compare(test.owner, test.templates, test.probes)
		if got.Accepted != test.want || (err == nil) != (test.wantErr == "") || err != nil && !strings.Contains(err.Error(), test.wantErr) {
			t.Errorf("%s: %v, %v; want accepted %v, error %q", name, got, err, test.want, test.wantErr)
		}
	}
	_, err := euclidean(0.45).Compare("", nil, []Descriptor{at(1)})
	if !errors.Is(err, ErrNoDescriptors) {
		t.Errorf("got %v, want ErrNoDescriptors", err)
	}
}

// In a crowded region the same distance is a worse score.
func TestNormalisedScoresFollowTheCrowd(t *testing.T) {
	t.Parallel()
	var members []CohortMember
	for i := range 10 {
		members = append(members,
			CohortMember{Owner: fmt.Sprint("near", i), Descriptor: at(0, float32(i)/100)},
			CohortMember{Owner: fmt.Sprint("far", i), Descriptor: at(100, float32(i))})
	}
	c, err := NewCohort("test", 5, 1e6, members)
	if err != nil {
		t.Fatal(err)
	}
	y := Yardstick{Metric: MetricNormalized, Fusion: FusionMean, Threshold: 1, Cohort: c}
	crowded, err := y.Score("x", []Descriptor{at(0)}, []Descriptor{at(0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	sparse, err := y.Score("x", []Descriptor{at(100)}, []Descriptor{at(100, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if crowded.Distance != sparse.Distance || !(crowded.Normalized > 1 && sparse.Normalized < 1) {
		t.Error("one distance in a crowd and outside of it gives the wrong scores")
	}
}

// However far a probe is from everybody, being farther is never a better score.
func TestNobodyScoresByBeingFarFromEverybody(t *testing.T) {
	t.Parallel()
	y := Yardstick{Metric: MetricNormalized, Fusion: FusionMean, Threshold: 1, Cohort: line(t, 5, 3, 100)}
	before := 0.0
	for far := float32(6); far < 1e12; far *= 3 {
		score, err := y.Score("x", []Descriptor{at(3)}, []Descriptor{at(far)})
		if err != nil {
			t.Fatal(err)
		}
		if !(score.Normalized > before) {
			t.Fatalf("a probe at %v scores better than one nearer by", far)
		}
		before = score.Normalized
	}
}

func TestScoresDoNotPrint(t *testing.T) {
	t.Parallel()
	s := Score{Distance: 0.123456, Normalized: 0.654321}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("compared", "score", s)
	fmt.Fprintf(&out, "%v %+v %#v %s %x %v", s, s, s, s, s, []any{s})
	_, err := json.Marshal(s)
	if err == nil {
		t.Error("a score went into JSON")
	}
	if strings.Contains(out.String(), "0.12") || strings.Contains(out.String(), "0.65") {
		t.Errorf("a value shows in %s", out.String())
	}
}

func TestNewCohortRefuses(t *testing.T) {
	t.Parallel()
	good := []CohortMember{{"a", at(1)}, {"b", at(2)}, {"c", at(3)}, {"d", at(4)}}
	for name, test := range map[string]struct {
		version string
		k       int
		bound   float64
		members []CohortMember
	}{
		"no version":     {"", 3, 1, good},
		"no neighbours":  {"v", 2, 1, good},
		"too few":        {"v", 4, 1, good},
		"no bound":       {"v", 3, 0, good},
		"NaN bound":      {"v", 3, math.NaN(), good},
		"no owner":       {"v", 3, 1, append([]CohortMember{{"", at(1)}}, good...)},
		"no number":      {"v", 3, 1, append([]CohortMember{{"e", at(float32(math.NaN()))}}, good...)},
		"not of numbers": {"v", 3, 1, append([]CohortMember{{"e", at(float32(math.Inf(-1)))}}, good...)},
	} {
		if _, err := NewCohort(test.version, test.k, test.bound, test.members); err == nil {
			t.Errorf("%s: made", name)
		}
	}
}
