package main

import (
	"context"
	"fmt"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/face"
	"github.com/sallyport/sallyport/server/policy"
)

// cohortJudge refuses a policy whose metric is normalized while no cohort serves
// it. The net is known by its manifest, since workers may still be loading it; an
// installation without one has no faces to compare.
func cohortJudge(config Config, cohorts *face.Cohorts) policy.Judge {
	return func(p models.Policy) []models.Problem {
		manifest, err := config.manifest()
		if err != nil || !p.Allows(models.Face) || p.Face.Metric != biometrics.MetricNormalized {
			return nil
		}
		if _, err := cohorts.Yardstick(p.Face.Yardstick, manifest.Identity(config.FaceDetector)); err != nil {
			return []models.Problem{{Key: "face.metric", Message: "can't be normalized: " + err.Error()}}
		}
		return nil
	}
}

// netWarnings says what stands between the nets that a policy names and those that
// are installed.
func netWarnings(config Config, p models.Policy) (warnings []string) {
	if !p.Allows(models.Face) {
		return nil
	}
	check := func(key string, named models.Yardstick, config Config) {
		if _, err := biometrics.FindNet(named.Model); err != nil {
			warnings = append(warnings, fmt.Sprintf("%s.model: %v", key, err))
		} else if manifest, err := config.manifest(); err == nil && manifest.Model != named.Model {
			warnings = append(warnings, fmt.Sprintf("%s.threshold is for %s, %s holds %s: face evaluate finds one for that", key, named.Model, config.FaceModels, manifest.Model))
		}
	}
	check("face", p.Face.Yardstick, config)
	if p.Face.Previous == nil {
		return warnings
	}
	previous, ok := config.previous()
	if !ok {
		return append(warnings, "face.previous is of no use without its net: face.previous_models names no folder in the configuration")
	}
	check("face.previous", *p.Face.Previous, previous)
	return warnings
}

// cohortFindings looks in the records whether the active cohort serves the policy,
// or would.
func cohortFindings(ctx context.Context, config Config, p models.Policy) (serves string, warnings []string) {
	manifest, err := config.manifest()
	if err != nil || !p.Allows(models.Face) {
		return "", nil
	}
	normalized := p.Face.Metric == biometrics.MetricNormalized
	model := manifest.Identity(config.FaceDetector)
	cohorts, err := storedCohorts(ctx, config)
	if err != nil && normalized {
		return "", []string{fmt.Sprintf("whether a cohort serves the metric normalized could not be looked up: %v", err)}
	}
	if !normalized {
		if better := cohorts.Recommend(p.Face.Fusion, model); better != "" {
			return "", []string{better}
		}
		return "", nil
	}
	yardstick, err := cohorts.Yardstick(p.Face.Yardstick, model)
	if err != nil {
		return "", []string{"face is unavailable under this policy, and a running server does not take it: " + err.Error()}
	}
	return fmt.Sprintf("cohort %s serves it, with %d members", yardstick.Cohort.Version(), yardstick.Cohort.Size()), nil
}
