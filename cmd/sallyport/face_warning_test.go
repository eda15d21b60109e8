package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/evaluate"
	"github.com/sallyport/sallyport/models"
)

// curve accepts so many of 40,000 impostors from a threshold on, and all genuine
// comparisons.
func curve(name string, from float64, impostors int) evaluate.Sample {
	s := evaluate.Sample{Name: name, Genuine: 10, Impostors: 40_000}
	for i := 0; evaluate.Threshold(i) <= 2; i++ {
		accepted := 0
		if evaluate.Threshold(i) >= from {
			accepted = impostors
		}
		s.ImpostorsAccepted = append(s.ImpostorsAccepted, accepted)
		s.GenuineAccepted = append(s.GenuineAccepted, 10)
		s.PeopleAccepted = append(s.PeopleAccepted, 10)
	}
	return s
}

func metric(name string, all, group evaluate.Sample) evaluate.Measured {
	m := evaluate.Measured{Metric: name, All: all, Groups: []evaluate.Sample{group}}
	m.Targets = []evaluate.Target{{FMR: wantedFMR, Operation: m.OperationAt(0.3)}}
	return m
}

func TestPolicyCheckHoldsTheThresholdToTheEvaluation(t *testing.T) {
	t.Parallel()
	face := models.Yardstick{Metric: biometrics.MetricEuclidean, Fusion: biometrics.FusionMean, Model: "dlib-v1", Threshold: 0.4}
	report := func(metrics ...evaluate.Measured) *evaluate.Report {
		return &evaluate.Report{Version: evaluate.ReportVersion, Model: "dlib-v1", Fusion: "mean", Metrics: metrics}
	}
	none, many, squeezed := curve("all", 0.3, 0), curve("all", 0.35, 40), curve("group", 0.2, 4000)
	for name, test := range map[string]struct {
		report *evaluate.Report
		want   []string // a piece of each warning
	}{
		"good":          {report(metric("euclidean", none, curve("group", 0.3, 0))), nil},
		"too lax":       {report(metric("euclidean", many, curve("group", 0.3, 0))), []string{"strangers get in 0.10 %"}},
		"a group":       {report(metric("euclidean", none, squeezed)), []string{"within the group group get in 10.0 %"}},
		"too small":     {report(metric("euclidean", curve("all", 0.35, 3), curve("group", 0.3, 0))), []string{"too small to show"}},
		"other model":   {&evaluate.Report{Model: "other", Fusion: "mean", Metrics: []evaluate.Measured{metric("euclidean", none, none)}}, []string{"model other, the policy has dlib-v1"}},
		"other fusion":  {&evaluate.Report{Model: "dlib-v1", Fusion: "sum", Metrics: []evaluate.Measured{metric("euclidean", none, none)}}, []string{"fusion sum"}},
		"other metric":  {report(metric("normalized", none, none)), []string{"did not measure the metric euclidean"}},
		"better metric": {report(metric("normalized", none, curve("group", 0.3, 0)), metric("euclidean", none, squeezed)), []string{"within the group", "normalized is better"}},
		"no better":     {report(metric("normalized", none, squeezed), metric("euclidean", none, squeezed)), []string{"within the group"}},
	} {
		got := judge(test.report, face)
		if len(got) != len(test.want) {
			t.Errorf("%s: %q", name, got)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: %q, want %q", name, got[i], want)
			}
		}
	}
}

func TestPolicyCheckReadsTheLastEvaluation(t *testing.T) {
	t.Parallel()
	policy := models.DefaultPolicy("dlib-v1")
	path := filepath.Join(t.TempDir(), "last.json")
	one := func(config Config, want string) {
		t.Helper()
		if got := faceWarnings(config, policy); len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	one(Config{}, "face.evaluation")
	one(Config{FaceEvaluation: path}, "no evaluation at "+path)
	write := func(data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write([]byte(`{"version": 7}`))
	one(Config{FaceEvaluation: path}, "report of version 7")
	data, err := json.Marshal(evaluate.Report{Version: evaluate.ReportVersion, Model: "other", Fusion: "mean", Metrics: []evaluate.Measured{metric("euclidean", curve("all", 1, 0), curve("g", 1, 0))}})
	if err != nil {
		t.Fatal(err)
	}
	write(data)
	one(Config{FaceEvaluation: path}, "model other")
	policy.Factors.Allowed = []models.Factor{models.Passkey, models.TOTP}
	if got := faceWarnings(Config{}, policy); got != nil {
		t.Errorf("without face: %q", got)
	}
}
