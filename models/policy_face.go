package models

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// FacePolicy is what an admin may tune about faces.
type FacePolicy struct {
	Yardstick `yaml:",inline"`
	// Previous is the yardstick of the net that was installed before. Templates
	// of that net are compared by it until their owner enrols anew.
	Previous *Yardstick `yaml:"previous,omitempty" json:"previous,omitempty"`
	Liveness Liveness   `yaml:"liveness" json:"liveness"`
	// LivenessThreshold is the highest attack score, 0 to 1, that still passes.
	LivenessThreshold float64        `yaml:"liveness_threshold" json:"liveness_threshold"`
	RequireDeviceKey  bool           `yaml:"require_device_key" json:"require_device_key"`
	Quality           QualityPolicy  `yaml:"quality" json:"quality"`
	Failures          FailuresPolicy `yaml:"failures" json:"failures"`
	// UnusedDays is after how many days without use templates are erased.
	UnusedDays int           `yaml:"unused_days" json:"unused_days"`
	Cohort     CohortPolicy  `yaml:"cohort" json:"cohort"`
	Consent    ConsentPolicy `yaml:"consent,omitempty" json:"consent,omitzero"`
}

// Yardstick holds a threshold together with the metric, fusion and model that
// give it a meaning. What runs must be what it names, else face is unavailable.
type Yardstick struct {
	Metric    string  `yaml:"metric" json:"metric"`         // "euclidean" or "normalized"
	Fusion    string  `yaml:"fusion" json:"fusion"`         // how several descriptors become one
	Model     string  `yaml:"model,omitempty" json:"model"` // as the face engine names it
	Threshold float64 `yaml:"threshold" json:"threshold"`   // at most this passes; Euclidean distances are not squared
}

// Liveness is how hard a capture is tried for being a living person's.
type Liveness string

// The ways, each stricter than the one before. The first two let a photograph
// pass and need `unsafe: [face.liveness]`.
const (
	LivenessOff         Liveness = "off"
	LivenessPassive     Liveness = "passive"
	LivenessActive      Liveness = "active"
	LivenessActiveFlash Liveness = "active+flash"
)

var livenessRanks = []Liveness{LivenessOff, LivenessPassive, LivenessActive, LivenessActiveFlash}

// UnsafeLiveness is what Policy.Unsafe must hold for liveness below active.
const UnsafeLiveness = "face.liveness"

// QualityPolicy is what a frame must have to be used.
type QualityPolicy struct {
	Sharpness float64 `yaml:"sharpness" json:"sharpness"`     // least variance of the Laplacian at 112 px face width
	MinLuma   float64 `yaml:"min_luma" json:"min_luma"`       // mean luma of the face, 0 to 255
	MaxLuma   float64 `yaml:"max_luma" json:"max_luma"`       // likewise
	Contrast  float64 `yaml:"contrast" json:"contrast"`       // least standard deviation of the luma
	FaceSide  int     `yaml:"face_pixels" json:"face_pixels"` // least width of the face, in pixels of the frame
}

// FailuresPolicy bounds failed face verifications in a row, as NIST SP
// 800-63B-4 section 3.2.3 does without certified presentation attack detection.
type FailuresPolicy struct {
	Free         int      `yaml:"free" json:"free"`                   // before there is a wait
	Wait         Duration `yaml:"wait" json:"wait"`                   // between tries from then on
	DisableAfter int      `yaml:"disable_after" json:"disable_after"` // then the factor must be enrolled anew
}

// CohortPolicy says how a cohort is drawn and what it must show on the reference
// set before it becomes active.
type CohortPolicy struct {
	Size          int     `yaml:"size" json:"size"`
	Neighbours    int     `yaml:"neighbours" json:"neighbours"` // k
	MinAgeDays    int     `yaml:"min_age_days" json:"min_age_days"`
	PerNetworkDay int     `yaml:"per_network_day" json:"per_network_day"`
	MaxFMR        float64 `yaml:"max_fmr" json:"max_fmr"`
	MaxGroupFMR   float64 `yaml:"max_group_fmr" json:"max_group_fmr"`
	MaxFNMR       float64 `yaml:"max_fnmr" json:"max_fnmr"`
}

// ConsentPolicy is a consent text in place of the built-in one. Another version
// asks everybody anew.
type ConsentPolicy struct {
	Version  string   `yaml:"version" json:"version"`
	Language string   `yaml:"language" json:"language"` // BCP 47, such as "en"
	Text     []string `yaml:"text" json:"text"`         // paragraphs
	Cohort   []string `yaml:"cohort" json:"cohort"`     // of the separate opt-in
}

// IsZero reports that the built-in text is used.
func (c ConsentPolicy) IsZero() bool {
	return c.Version == "" && c.Language == "" && len(c.Text) == 0 && len(c.Cohort) == 0
}

// defaultFace is the face part of DefaultPolicy.
func defaultFace(model string) FacePolicy {
	return FacePolicy{
		Yardstick: Yardstick{Metric: "euclidean", Fusion: "mean", Model: model, Threshold: 0.45},
		Liveness:  LivenessActive, LivenessThreshold: 0.5,
		Quality:    QualityPolicy{Sharpness: 20, MinLuma: 60, MaxLuma: 190, Contrast: 25, FaceSide: 90},
		Failures:   FailuresPolicy{Free: 5, Wait: Duration(30 * time.Second), DisableAfter: 50},
		UnusedDays: 365,
		Cohort: CohortPolicy{
			Size: 2000, Neighbours: 10, MinAgeDays: 30, PerNetworkDay: 3, MaxFMR: 1e-4, MaxGroupFMR: 1e-3, MaxFNMR: 0.2,
		},
	}
}

// sameScale tells whether thresholds of the two can be compared.
func (y Yardstick) sameScale(z Yardstick) bool {
	return y.Metric == z.Metric && y.Fusion == z.Fusion && y.Model == z.Model
}

// strictest is Policy.Strictest for the face part. Another yardstick replaces
// the old one: thresholds of two don't compare.
func (f FacePolicy) strictest(g FacePolicy) FacePolicy {
	out := g
	if f.sameScale(g.Yardstick) {
		out.Threshold = min(f.Threshold, g.Threshold)
	}
	if f.Previous != nil && g.Previous != nil && f.Previous.sameScale(*g.Previous) {
		previous := *g.Previous
		previous.Threshold = min(f.Previous.Threshold, g.Previous.Threshold)
		out.Previous = &previous
	}
	if slices.Index(livenessRanks, f.Liveness) > slices.Index(livenessRanks, g.Liveness) {
		out.Liveness = f.Liveness
	}
	out.LivenessThreshold = min(f.LivenessThreshold, g.LivenessThreshold)
	out.RequireDeviceKey = f.RequireDeviceKey || g.RequireDeviceKey
	out.Quality = QualityPolicy{
		Sharpness: max(f.Quality.Sharpness, g.Quality.Sharpness),
		MinLuma:   max(f.Quality.MinLuma, g.Quality.MinLuma),
		MaxLuma:   min(f.Quality.MaxLuma, g.Quality.MaxLuma),
		Contrast:  max(f.Quality.Contrast, g.Quality.Contrast),
		FaceSide:  max(f.Quality.FaceSide, g.Quality.FaceSide),
	}
	out.Failures = FailuresPolicy{
		Free:         min(f.Failures.Free, g.Failures.Free),
		Wait:         max(f.Failures.Wait, g.Failures.Wait),
		DisableAfter: min(f.Failures.DisableAfter, g.Failures.DisableAfter),
	}
	out.UnusedDays = min(f.UnusedDays, g.UnusedDays)
	return out
}

// maxThresholds bound a threshold by its metric: beyond them nearly everybody
// passes for nearly everybody.
var maxThresholds = map[string]float64{"euclidean": 0.7, "normalized": 1.2}

func (p Policy) validateFace(bad func(key, format string, args ...any)) {
	p.Face.validate("face.", p.Allows(Face), bad)
	if p.Face.Previous != nil {
		p.Face.Previous.validate("face.previous.", true, bad)
		if p.Face.Previous.Model == p.Face.Model {
			bad("face.previous.model", "must be another than face.model, is %q", p.Face.Model)
		}
	}
	between := func(key string, v, low, high float64) {
		if math.IsNaN(v) || v < low || v > high {
			bad(key, "must be between %v and %v, is %v", low, high, v)
		}
	}
	switch {
	case !slices.Contains(livenessRanks, p.Face.Liveness):
		bad("face.liveness", "must be off, passive, active or active+flash, is %q", p.Face.Liveness)
	case (p.Face.Liveness == LivenessOff || p.Face.Liveness == LivenessPassive) && !slices.Contains(p.Unsafe, UnsafeLiveness):
		bad("face.liveness", "is %q, which lets a photograph pass: write unsafe: [%s] to show that you know", p.Face.Liveness, UnsafeLiveness)
	}
	between("face.liveness_threshold", p.Face.LivenessThreshold, 0.05, 0.95)
	between("face.quality.sharpness", p.Face.Quality.Sharpness, 0, 500)
	between("face.quality.min_luma", p.Face.Quality.MinLuma, 0, 120)
	between("face.quality.max_luma", p.Face.Quality.MaxLuma, 130, 255)
	between("face.quality.contrast", p.Face.Quality.Contrast, 0, 80)
	between("face.quality.face_pixels", float64(p.Face.Quality.FaceSide), 40, 400)
	between("face.failures.free", float64(p.Face.Failures.Free), 1, 5)
	between("face.failures.wait", p.Face.Failures.Wait.Std().Seconds(), 30, 3600)
	between("face.failures.disable_after", float64(p.Face.Failures.DisableAfter), 2, 50)
	// The notice must not follow each use. At most the three years of 740 ILCS 14/15(a).
	between("face.unused_days", float64(p.Face.UnusedDays), 2*FaceNoticeDays, 1095)
	c := p.Face.Cohort
	between("face.cohort.size", float64(c.Size), 200, 20_000)
	between("face.cohort.neighbours", float64(c.Neighbours), 5, 50)
	between("face.cohort.min_age_days", float64(c.MinAgeDays), 0, 365)
	between("face.cohort.per_network_day", float64(c.PerNetworkDay), 1, 1000)
	between("face.cohort.max_fmr", c.MaxFMR, 1e-6, 0.01)
	between("face.cohort.max_group_fmr", c.MaxGroupFMR, 1e-6, 0.1)
	between("face.cohort.max_fnmr", c.MaxFNMR, 0, 0.5)
	if t := p.Face.Consent; !t.IsZero() && (t.Version == "" || len(t.Version) > 64 || t.Language == "" || len(t.Language) > 35 || len(t.Text) == 0 || len(t.Cohort) == 0) {
		bad("face.consent", "must have version, language, text and cohort, or be left out for the built-in text")
	}
}

func (y Yardstick) validate(prefix string, needed bool, bad func(key, format string, args ...any)) {
	highest, known := maxThresholds[y.Metric]
	if !known {
		bad(prefix+"metric", "must be euclidean or normalized, is %q", y.Metric)
		highest = maxThresholds["normalized"]
	}
	if y.Fusion != "mean" {
		bad(prefix+"fusion", "must be mean, is %q", y.Fusion)
	}
	if y.Model == "" && needed {
		bad(prefix+"model", "must name the model that the threshold was measured with")
	}
	if y.Threshold == 0 {
		bad(prefix+"threshold", "must be named, for nobody has measured one for metric %s with model %s: sallyport face evaluate does", y.Metric, y.Model)
		return
	}
	if math.IsNaN(y.Threshold) || y.Threshold <= 0 || y.Threshold > highest {
		bad(prefix+"threshold", "must be above 0 and at most %v (%s), is %v", highest, scale(y.Metric), y.Threshold)
	}
}

func scale(metric string) string {
	if metric == "euclidean" {
		return "Euclidean, not squared"
	}
	return fmt.Sprintf("metric %s", metric)
}
