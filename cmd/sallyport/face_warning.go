package main

import (
	"fmt"
	"os"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/evaluate"
	"github.com/sallyport/sallyport/models"
)

// wantedFMR is the false match rate that NIST SP 800-63B-4 section 3.2.3 asks for,
// in every group.
const wantedFMR = 1e-4

// faceWarnings says what the last evaluation has against the policy's threshold. A
// policy that allows no face gives none.
func faceWarnings(config Config, p models.Policy) []string {
	if !p.Allows(models.Face) {
		return nil
	}
	if config.FaceEvaluation == "" {
		return []string{"nobody knows how often face.threshold lets strangers in: name a file in face.evaluation, and run face evaluate --save"}
	}
	data, err := os.ReadFile(config.FaceEvaluation)
	if err != nil {
		return []string{"nobody knows how often face.threshold lets strangers in: there is no evaluation at " + config.FaceEvaluation + " (face evaluate --save)"}
	}
	report, err := evaluate.ParseReport(data)
	if err != nil {
		return []string{fmt.Sprintf("%s: %v", config.FaceEvaluation, err)}
	}
	return judge(report, p.Face.Yardstick)
}

// judge holds a policy to a report.
func judge(report *evaluate.Report, face models.Yardstick) []string {
	var warnings []string
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	for _, part := range []struct{ name, policy, report string }{
		{"model", face.Model, report.Model}, {"fusion", face.Fusion, report.Fusion},
	} {
		if part.policy != part.report {
			warn("the last evaluation was of the %s %s, the policy has %s: evaluate anew", part.name, part.report, part.policy)
		}
	}
	measured := report.By(face.Metric)
	if measured == nil {
		warn("the last evaluation did not measure the metric %s: evaluate anew", face.Metric)
	}
	if len(warnings) > 0 {
		return warnings
	}
	o := measured.OperationAt(face.Threshold)
	if o.FMR.Value > wantedFMR {
		warn("at face.threshold %g strangers get in %s of the time, more than 1 in 10,000", face.Threshold, o.FMR)
	} else if o.FMR.High > wantedFMR {
		warn("at face.threshold %g strangers got in %s of the time: the evaluation is too small to show 1 in 10,000", face.Threshold, o.FMR)
	}
	for _, g := range o.Groups {
		if g.Name == o.Worst && g.FMR.Value > wantedFMR {
			warn("at face.threshold %g strangers within the group %s get in %s of the time, more than 1 in 10,000", face.Threshold, g.Name, g.FMR)
		}
	}
	if face.Metric == biometrics.MetricEuclidean {
		if better := recommend(report); better != "" {
			warnings = append(warnings, better)
		}
	}
	return warnings
}

// recommend says that the normalised metric is better, where the report shows that:
// at the thresholds that give both the same FMR, the worst group's is lower.
func recommend(report *evaluate.Report) string {
	raw, normalized := report.By(biometrics.MetricEuclidean), report.By(biometrics.MetricNormalized)
	if raw == nil || normalized == nil {
		return ""
	}
	a, b := atWanted(raw), atWanted(normalized)
	if a == nil || b == nil || worstFMR(b).Value >= worstFMR(a).Value {
		return ""
	}
	return fmt.Sprintf("the metric normalized is better on the last evaluation: at an FMR of 1 in 10,000 its worst group has %s, with euclidean %s; its threshold is %.3f",
		worstFMR(b), worstFMR(a), b.Threshold)
}

func atWanted(m *evaluate.Measured) *evaluate.Operation {
	for _, t := range m.Targets {
		if t.FMR == wantedFMR {
			return t.Operation
		}
	}
	return nil
}

// worstFMR is that of the worst group, or of all where nobody is labelled.
func worstFMR(o *evaluate.Operation) evaluate.Rate {
	for _, g := range o.Groups {
		if g.Name == o.Worst {
			return g.FMR
		}
	}
	return o.FMR
}
