package biometrics

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
)

// What a threshold was measured with. A policy names metric, fusion and model
// beside its threshold, because a number means nothing under another yardstick.
const (
	// MetricEuclidean is the distance of [Distance] between the fused templates
	// and the fused probes.
	MetricEuclidean = "euclidean"
	// MetricNormalized is that distance, divided by how far the templates and
	// the probes have to their neighbours in a cohort: see [Cohort].
	MetricNormalized = "normalized"
)

// FusionMean makes one descriptor of several by their arithmetic mean.
const FusionMean = "mean"

// ErrThin is returned where nobody in the cohort is near enough to the templates
// for a normalised score to mean anything. It is neither an acceptance nor a
// refusal: the caller offers another factor. It depends on the templates and the
// cohort alone, never on the probes, so nobody can bring it about by a picture.
var ErrThin = errors.New("the cohort holds too few people like this one")

// Score is how far the probes are from the templates. It is for evaluation: it
// prints as a placeholder, and goes to no log, event or answer.
type Score struct {
	Distance   float64 // Euclidean, not squared
	Normalized float64 // as [Normalize] has it; 0 without a cohort
}

const redactedScore = "[face score]"

// String hides the values from fmt.
func (Score) String() string { return redactedScore }

// GoString hides the values from %#v.
func (Score) GoString() string { return redactedScore }

// Format hides the values from every other verb of fmt.
func (Score) Format(s fmt.State, _ rune) { fmt.Fprint(s, redactedScore) }

// LogValue hides the values from log/slog.
func (Score) LogValue() slog.Value { return slog.StringValue(redactedScore) }

// MarshalJSON refuses: a score belongs to one comparison and goes nowhere.
func (Score) MarshalJSON() ([]byte, error) { return nil, errors.New("a face score has no JSON form") }

// Yardstick is what a threshold means: its metric, its fusion and, for
// [MetricNormalized], the cohort.
type Yardstick struct {
	Metric    string
	Fusion    string
	Threshold float64 // scores up to it are accepted
	Cohort    *Cohort // for MetricNormalized alone
}

// Check says what is wrong with the yardstick itself: an unknown metric or
// fusion, a threshold that is not a positive finite number, a cohort that is
// missing or made for another fusion. It is an error of the installation, never
// a refusal of a person, and no other yardstick takes its place.
func (y Yardstick) Check() error {
	if y.Fusion != FusionMean {
		return fmt.Errorf("unknown face fusion %q", y.Fusion)
	}
	if !(y.Threshold > 0) || math.IsInf(y.Threshold, 0) {
		return fmt.Errorf("face threshold %v is not a positive number", y.Threshold)
	}
	switch {
	case y.Metric == MetricNormalized && y.Cohort == nil:
		return errors.New("face metric normalized without a cohort")
	case y.Metric != MetricNormalized && y.Metric != MetricEuclidean:
		return fmt.Errorf("unknown face metric %q", y.Metric)
	}
	return nil
}

// Compare compares probes with the templates of one account and accepts when the
// score is at most the threshold. Members of the cohort that belong to owner are
// left out, for nobody may be normalised by himself.
//
// Descriptors that are not finite are never accepted. An empty side is
// [ErrNoDescriptors], a thin neighbourhood [ErrThin], a bad yardstick the error
// of [Yardstick.Check]. The work done is the same whatever the outcome, and the
// decision holds no score: whoever may try often learns one bit a try.
func (y Yardstick) Compare(owner string, templates, probes []Descriptor) (Decision, error) {
	score, err := y.Score(owner, templates, probes)
	if err != nil {
		return Decision{}, err
	}
	value := score.Distance
	if y.Metric == MetricNormalized {
		value = score.Normalized
	}
	return Decision{Accepted: value <= y.Threshold}, nil
}

// Score is what Compare decides by. Its errors are those of Compare.
func (y Yardstick) Score(owner string, templates, probes []Descriptor) (Score, error) {
	err := y.Check()
	if err != nil {
		return Score{}, err
	}
	template, err := Fuse(y.Fusion, templates)
	if err != nil {
		return Score{}, fmt.Errorf("templates: %w", err)
	}
	probe, err := Fuse(y.Fusion, probes)
	if err != nil {
		return Score{}, fmt.Errorf("probes: %w", err)
	}
	score := Score{Distance: Distance(template, probe)}
	if y.Metric != MetricNormalized {
		return score, nil
	}
	if owner == "" {
		return Score{}, errors.New("a normalised comparison needs the owner of the templates")
	}
	around := y.Cohort.Neighbourhood(owner, template)
	score.Normalized = Normalize(score.Distance, around, y.Cohort.Neighbourhood(owner, probe))
	if !(around.Isolation <= y.Cohort.bound) {
		return Score{}, ErrThin
	}
	return score, nil
}

// crowding is the power of the neighbours' distance that a distance is divided by.
// With 1 the strangers of a small group still score better than others: of a
// group with 33 members in a cohort of 1500 the ten nearest are a third, of the
// rest they are the very nearest of all. docs/face-accuracy.md has what it was
// chosen by.
const crowding = 1.2

// Normalize divides the distance of two descriptors by how far both have to
// their neighbours, so that one threshold means the same in crowded and in sparse
// regions. Per-person normalisation is our reading of the one fixed threshold of
// NIST SP 800-63B-4 section 3.2.3.
func Normalize(distance float64, template, probe Neighbourhood) float64 {
	// A probe that is far from everybody must not score well by that alone. Among
	// real faces no neighbourhood is twice another's.
	near, far := min(template.Mean, probe.Mean), max(template.Mean, probe.Mean)
	return distance / math.Pow((near+min(far, 2*near))/2, crowding)
}

// Fuse makes one descriptor of several by the named fusion.
func Fuse(fusion string, ds []Descriptor) (Descriptor, error) {
	if fusion != FusionMean {
		return Descriptor{}, fmt.Errorf("unknown face fusion %q", fusion)
	}
	return Mean(ds)
}
