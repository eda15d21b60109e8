package evaluate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// ReportVersion is the version of the JSON form.
const ReportVersion = 1

// Report is what an evaluation found. Its JSON form can be read back by
// [ParseReport]. It holds counts and rates alone, no descriptor and no single
// score.
type Report struct {
	Version int       `json:"version"`
	Made    time.Time `json:"made"`   // filled in by the caller
	Inputs  []string  `json:"inputs"` // filled in by the caller
	Model   string    `json:"model"`  // of the descriptor net; filled in by the caller

	Fusion string      `json:"fusion"`
	Mode   string      `json:"mode"`
	Enrol  int         `json:"enrol"`
	Probe  int         `json:"probe"`
	Seed   uint64      `json:"seed"`
	Cohort *CohortInfo `json:"cohort,omitempty"`

	// Acquisition is the rate of pictures without exactly one face that could be
	// used (failure to acquire); without pictures it has no comparisons. Filled
	// in by the caller.
	Acquisition Rate `json:"failure_to_acquire"`
	// Thin is the share of templates that lie beyond the cohort's bound. They
	// are in no comparison.
	Thin Rate `json:"thin"`

	// Metrics has the metric that was asked for and, where that was the
	// normalised one, the Euclidean on the same comparisons.
	Metrics []Measured `json:"metrics"`
	Notes   []string   `json:"notes,omitempty"`
}

// Measured is what was counted by one metric.
type Measured struct {
	Metric string   `json:"metric"`
	All    Sample   `json:"all"`
	Groups []Sample `json:"groups,omitempty"` // within each, where there are labels
	// From is the group whose comparisons set the thresholds; empty for All.
	From    string   `json:"thresholds_from,omitempty"`
	Targets []Target `json:"targets"`
	// At is a threshold that was asked for; nil if none was.
	At *Operation `json:"at,omitempty"`
}

// CohortInfo says what scores were normalised by.
type CohortInfo struct {
	Source     string  `json:"source"`
	Size       int     `json:"size"`
	Neighbours int     `json:"neighbours"`
	Bound      float64 `json:"bound,omitempty"` // of isolation; 0 for none
}

// Target is the threshold for one false match rate.
type Target struct {
	FMR    float64 `json:"fmr"`
	Needed int     `json:"needed"` // impostor comparisons that can show it
	// Met is whether the sample shows the rate: enough comparisons, and the
	// upper bound at Operation's threshold is no higher.
	Met bool `json:"met"`
	// Operation is at the largest threshold where the observed rate is no
	// higher; nil where even 0 has more.
	Operation *Operation `json:"operation,omitempty"`
	// Shown is the largest threshold where the upper bound is no higher either;
	// 0 where the sample can't show the rate.
	Shown float64 `json:"shown,omitempty"`
}

// Operation is the rates at one threshold.
type Operation struct {
	Threshold    float64          `json:"threshold"`
	FMR          Rate             `json:"fmr"`
	FNMR         Rate             `json:"fnmr"`
	FNMRByPerson float64          `json:"fnmr_by_person"` // see Sample.FNMRByPerson
	Groups       []GroupOperation `json:"groups,omitempty"`
	Worst        string           `json:"worst_group,omitempty"` // by FMR
}

// GroupOperation is the rates within one group at a threshold.
type GroupOperation struct {
	Name string `json:"name"`
	FMR  Rate   `json:"fmr"`
	FNMR Rate   `json:"fnmr"`
}

func newReport(o Options, subjects []Subject) *Report {
	report := &Report{
		Version: ReportVersion, Fusion: o.Fusion, Mode: o.Mode,
		Enrol: o.Enrol, Probe: o.Probe, Seed: o.Seed,
	}
	if o.Mode == ModeCorrelated && slices.ContainsFunc(subjects, func(s Subject) bool { return len(s.Photos[0]) < max(o.Enrol, o.Probe) }) {
		report.note("frames of one capture are modelled from one descriptor, not photographed")
	}
	return report
}

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// fill writes down what a run has counted.
func (r *run) fill(report *Report, subjects []Subject) {
	people := make(map[string]int)
	for _, s := range subjects {
		people[s.Group]++
	}
	report.Thin = NewRate(r.thin, r.templates)
	for _, c := range r.counts {
		m := Measured{Metric: c.metric, From: r.From, All: c.all.sample("all", len(subjects))}
		for _, name := range slices.Sorted(maps.Keys(c.groups)) {
			if name != "" {
				m.Groups = append(m.Groups, c.groups[name].sample(name, people[name]))
			}
		}
		for _, fmr := range r.Targets {
			m.Targets = append(m.Targets, m.target(fmr))
		}
		if r.Threshold > 0 && c.metric == r.Metric {
			m.At = m.OperationAt(r.Threshold)
		}
		report.Metrics = append(report.Metrics, m)
	}
	report.note("bounds are Clopper and Pearson's 95 %% for independent comparisons; those of one person depend on each other, so the truth is wider")
}

// target finds the threshold for a false match rate.
func (m *Measured) target(fmr float64) Target {
	target := Target{FMR: fmr, Needed: Needed(fmr)}
	observed, shown := m.base().Largest(fmr)
	if !math.IsNaN(observed) {
		target.Operation = m.OperationAt(observed)
	}
	if !math.IsNaN(shown) && m.base().Impostors >= target.Needed {
		target.Shown = shown
		target.Met = shown == observed
	}
	return target
}

// By returns what was counted by a metric, nil if that was not measured.
func (r *Report) By(metric string) *Measured {
	for i := range r.Metrics {
		if r.Metrics[i].Metric == metric {
			return &r.Metrics[i]
		}
	}
	return nil
}

// base is the sample that sets the thresholds.
func (m *Measured) base() Sample {
	for _, g := range m.Groups {
		if g.Name == m.From {
			return g
		}
	}
	return m.All
}

// OperationAt gives the rates at any threshold: those of the sample that sets the
// thresholds, and of each group.
func (m *Measured) OperationAt(threshold float64) *Operation {
	base := m.base()
	o := &Operation{Threshold: threshold, FMR: base.FMR(threshold), FNMR: base.FNMR(threshold), FNMRByPerson: base.FNMRByPerson(threshold)}
	worst := -1.0
	for _, g := range m.Groups {
		o.Groups = append(o.Groups, GroupOperation{Name: g.Name, FMR: g.FMR(threshold), FNMR: g.FNMR(threshold)})
		if fmr := g.FMR(threshold); fmr.Of > 0 && fmr.Value > worst {
			worst, o.Worst = fmr.Value, g.Name
		}
	}
	return o
}

// ParseReport reads what a Report marshals to. It refuses another version and
// curves that don't fit together.
func ParseReport(data []byte) (*Report, error) {
	var version struct {
		Version int `json:"version"`
	}
	err := json.Unmarshal(data, &version)
	if err != nil {
		return nil, fmt.Errorf("not a report of face evaluate: %w", err)
	}
	if version.Version != ReportVersion {
		return nil, fmt.Errorf("report of version %d, want %d: evaluate anew", version.Version, ReportVersion)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var r Report
	if err := decoder.Decode(&r); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if len(r.Metrics) == 0 {
		return nil, errors.New("report: nothing was measured")
	}
	for _, m := range r.Metrics {
		for _, s := range append([]Sample{m.All}, m.Groups...) {
			if err := s.check(); err != nil {
				return nil, fmt.Errorf("report: %s, sample %q: %w", m.Metric, s.Name, err)
			}
		}
	}
	return &r, nil
}
