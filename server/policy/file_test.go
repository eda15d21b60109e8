package policy

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/models"
)

var defaults = models.DefaultPolicy("dlib-v1")

// named are the defaults, whose threshold is for one net and metric alone.
func named(metric, model string) models.Policy {
	p := defaults
	if model != "" {
		p.Face.Model = model
	}
	if metric != "" && metric != p.Face.Metric || p.Face.Model != defaults.Face.Model {
		p.Face.Threshold = 0
	}
	return p
}

// easy finds nothing wrong.
func easy(models.Policy) []models.Problem { return nil }

func TestAnEmptyFileIsTheDefaults(t *testing.T) {
	t.Parallel()
	for _, document := range []string{"", "# nothing\n", "{}\n"} {
		got, err := Parse("policy.yaml", []byte(document), named)
		if err != nil || got.Version() != defaults.Version() {
			t.Errorf("%q: %v", document, err)
		}
	}
}

func TestAFileOverridesWhatItNames(t *testing.T) {
	t.Parallel()
	got, err := Parse("policy.yaml", []byte("face:\n  threshold: 0.4\nlimits:\n  totp: {max: 3}\nfactors:\n  allowed: [passkey, totp]\n"), named)
	if err != nil {
		t.Fatal(err)
	}
	if got.Face.Threshold != 0.4 || got.Face.Metric != "euclidean" || got.Limits.TOTP.Max != 3 ||
		got.Limits.TOTP.Window != defaults.Limits.TOTP.Window || got.Allows(models.Face) {
		t.Errorf("got %+v", got)
	}
	if !defaults.Allows(models.Face) {
		t.Error("the defaults were changed")
	}
	if got.Version() == defaults.Version() {
		t.Error("two policies, one version")
	}
}

func TestBadFilesAreRefusedWithLineAndKey(t *testing.T) {
	t.Parallel()
	for document, wants := range map[string][]string{
		"face:\n  threshold: high\n":                         {"line 2: face.threshold can't be \"high\""},
		"face:\n  treshold: 0.4\n":                           {"line 2: face.treshold is not a key"},
		"surprise: 1\n":                                      {"line 1: surprise is not a key"},
		"face:\n  threshold: 1.5\n":                          {"line 2: face.threshold must be above 0"},
		"face:\n  threshold: .nan\n":                         {"line 2: face.threshold"},
		"face:\n  metric: normalized\n":                      {"line 1: face.threshold must be named, for nobody has measured one for metric normalized with model dlib-v1"},
		"face: &f\n  model: taguchi-v1\n":                    {"face.threshold must be named", "taguchi-v1"},
		"face:\n  metric: cosine\n":                          {"line 2: face.metric must be euclidean"},
		"timeouts:\n  idle: soon\n":                          {"line 2: idle: ", "soon"},
		"timeouts:\n  idle: 48h\n":                           {"line 2: timeouts.idle must not be longer than"},
		"\nlimits:\n  totp: {max: 0}\n":                      {"line 3: limits.totp.max must be between 1 and 100"},
		"factors:\n  allowed: [face]\n":                      {"line 2: factors.allowed must hold passkey or totp"},
		"factors:\n  allowed: [passkey, sms]\n":              {"not \"sms\""},
		"password:\n  min_length: 4\nface: {threshold: 9}\n": {"password.min_length", "face.threshold"},
		"face: [1, 2]\n":                                     {"line 1"},
		"a: b: c":                                            {"mapping values"},
		"face: {threshold: 0.4}\n---\nface: {}\n":            {"more than one document"},
		"face:\n  threshold: 0.4\n  threshold: 0.5\n":        {"already defined"},
	} {
		_, err := Parse("policy.yaml", []byte(document), named)
		if err == nil {
			t.Errorf("%q was taken", document)
			continue
		}
		for _, want := range wants {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: got %v, want %q in it", document, err, want)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("face:\n  threshold: 0.4\n"))
	f.Add([]byte("limits: {totp: {max: 3, window: 1m}}"))
	f.Fuzz(func(t *testing.T, document []byte) {
		got, err := Parse("policy.yaml", document, named)
		if err == nil && len(got.Validate()) > 0 {
			t.Errorf("took a policy with %v", got.Validate())
		}
	})
}
