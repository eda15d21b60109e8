package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/face"
)

// The table of nets and the policy's defaults are written down twice.
func TestPolicyDefaultsAreThoseOfTheNet(t *testing.T) {
	t.Parallel()
	config, _ := load(t, "", map[string]string{"SALLYPORT_FACE_MODELS": faceModels(t, true)})
	defaults := policyDefaults(config)
	for _, model := range []string{biometrics.ModelDlibV1, biometrics.ModelDlibV1Q8} {
		if got, want := defaults("", model), models.DefaultPolicy(model); got.Version() != want.Version() {
			t.Errorf("%s: %+v, want %+v", model, got.Face, want.Face)
		}
	}
	if got := defaults("", ""); got.Face.Model != biometrics.ModelDlibV1Q8 {
		t.Errorf("installed is %s, the default policy is for %s", biometrics.ModelDlibV1Q8, got.Face.Model)
	}
	for _, c := range []struct{ metric, model string }{
		{biometrics.MetricNormalized, ""}, {"", biometrics.ModelTaguchiV1}, {"", "sha256:" + strings.Repeat("0a", 32)}, {"", "no such net"},
	} {
		if got := defaults(c.metric, c.model); got.Face.Threshold != 0 {
			t.Errorf("%+v: has the threshold %v, which nobody measured", c, got.Face.Threshold)
		}
	}
}

func TestPolicyCheckTellsOfNetsThatAreNotInstalled(t *testing.T) {
	t.Parallel()
	installed := faceModels(t, true)
	for document, c := range map[string]struct {
		previous string
		want     string
	}{
		"{}": {"", ""},
		"face: {model: taguchi-v1, threshold: 0.4}":                                                        {"", "face.threshold is for taguchi-v1, " + installed + " holds dlib-v1-q8: face evaluate"},
		"face: {model: mine, threshold: 0.4}":                                                              {"", "face.model: no face net is called \"mine\""},
		"face: {previous: {metric: euclidean, fusion: mean, model: dlib-v1, threshold: 0.4}}":              {"", "face.previous_models names no folder"},
		"face: {previous: {metric: euclidean, fusion: mean, model: dlib-v1, threshold: 0.5}}":              {faceModels(t, true), "face.previous.threshold is for dlib-v1"},
		"face: {model: dlib-v1-q8, previous: {metric: euclidean, fusion: mean, model: a, threshold: 0.4}}": {faceModels(t, true), "face.previous.model: no face net"},
	} {
		path := filepath.Join(t.TempDir(), "policy.yaml")
		if err := os.WriteFile(path, []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		config, problems := load(t, "", map[string]string{
			"SALLYPORT_FACE_MODELS": installed, "SALLYPORT_POLICY_FILE": path, "SALLYPORT_FACE_PREVIOUS_MODELS": c.previous,
		})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		p, err := readPolicy(config)
		if err != nil {
			t.Fatalf("%s: %v", document, err)
		}
		got := netWarnings(config, p)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%s: %q, want %q", document, got, c.want)
		}
	}
	if _, problems := load(t, "", map[string]string{"SALLYPORT_FACE_MODELS": installed, "SALLYPORT_FACE_PREVIOUS_MODELS": installed + "/"}); len(problems) != 1 {
		t.Errorf("the installed net as the one before it: %v", problems)
	}
}

// A running server keeps its policy while no cohort serves the new one.
func TestNormalizedIsNotSwappedInWithoutACohort(t *testing.T) {
	t.Parallel()
	config, _ := load(t, "", map[string]string{"SALLYPORT_FACE_MODELS": faceModels(t, true)})
	judge := cohortJudge(config, &face.Cohorts{Log: slog.New(slog.DiscardHandler)})
	p := models.DefaultPolicy(biometrics.ModelDlibV1Q8)
	if got := judge(p); len(got) != 0 {
		t.Errorf("euclidean: %v", got)
	}
	p.Face.Metric, p.Face.Threshold = biometrics.MetricNormalized, 0.8
	if got := judge(p); len(got) != 1 || got[0].Key != "face.metric" || !strings.Contains(got[0].Message, "face cohort build") {
		t.Errorf("normalized: %v", got)
	}
	p.Factors.Allowed = []models.Factor{models.Passkey}
	if got := judge(p); len(got) != 0 {
		t.Errorf("where no face is allowed: %v", got)
	}
}
