package face

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
)

// CohortReport is what a cohort's row tells of how it was made.
type CohortReport struct {
	Draw  biometrics.DrawReport  `json:"draw"`
	Check biometrics.CohortCheck `json:"check"`
}

// Build draws a cohort of a model from those who agreed, tries it on the
// reference set at a threshold, and keeps it. Of one that breaks a bound the
// report and the reason are kept and no member; it can't become active. Of older
// ones keptCohorts stay.
func (c *Cohorts) Build(ctx context.Context, policy models.FacePolicy, model biometrics.Model, threshold float64) (models.Cohort, error) {
	rules := biometrics.DefaultCohortRules()
	rules.Size, rules.PerNetworkDay = policy.Cohort.Size, policy.Cohort.PerNetworkDay
	cutoff := c.Now().AddDate(0, 0, -policy.Cohort.MinAgeDays)
	found, err := c.Store.CohortCandidates(ctx, model.Key(), cutoff)
	if err != nil {
		return models.Cohort{}, err
	}
	candidates, err := candidatesOf(found, policy.Fusion)
	if err != nil {
		return models.Cohort{}, err
	}
	members, drawn := biometrics.DrawCohort(candidates, rules, rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))) //nolint:gosec // a sample, no secret
	cohort := models.Cohort{ModelKey: model.Key(), Fusion: policy.Fusion, Neighbours: policy.Cohort.Neighbours, Threshold: threshold}
	made := CohortReport{Draw: drawn}
	if !drawn.Usable {
		cohort.Refused = fmt.Sprintf("it has %d members, of at least %d: %d agreed and are old enough, %d were near-duplicates, %d beyond the cap of a network and day",
			drawn.Members, rules.MinUsable, drawn.Candidates, drawn.Duplicates, drawn.Capped)
	} else {
		made.Check, cohort.Refused, err = c.check(ctx, policy, model, members, threshold)
		if err != nil {
			return models.Cohort{}, err
		}
		cohort.Bound = made.Check.Bound
	}
	if cohort.Report, err = json.Marshal(made); err != nil {
		return models.Cohort{}, err
	}
	if cohort.Refused == "" {
		if cohort.Members, err = rawMembers(members); err != nil {
			return models.Cohort{}, err
		}
	}
	if cohort, err = c.Store.SaveCohort(ctx, cohort); err != nil {
		return models.Cohort{}, err
	}
	return cohort, c.Store.PruneCohorts(ctx, keptCohorts)
}

// rawMembers are members as the records take them.
func rawMembers(members []biometrics.CohortMember) ([]models.CohortMember, error) {
	out := make([]models.CohortMember, len(members))
	for i, m := range members {
		raw, err := m.Descriptor.MarshalBinary()
		if err != nil {
			return nil, err
		}
		out[i] = models.CohortMember{Owner: models.ID(m.Owner), Descriptor: raw}
	}
	return out, nil
}

// check tries members on the reference set; refused says which bound they break.
func (c *Cohorts) check(ctx context.Context, policy models.FacePolicy, model biometrics.Model, members []biometrics.CohortMember, threshold float64) (check biometrics.CohortCheck, refused string, err error) {
	kept, err := c.Store.References(ctx, model.Key())
	if err != nil {
		return check, "", err
	}
	if len(kept) == 0 {
		return check, "there is no reference set to try it on: sallyport face reference import", nil
	}
	reference, err := subjectsOf(kept)
	if err != nil {
		return check, "", err
	}
	bounds := biometrics.CohortBounds{MaxFMR: policy.Cohort.MaxFMR, MaxGroupFMR: policy.Cohort.MaxGroupFMR, MaxFNMR: policy.Cohort.MaxFNMR}
	check, err = biometrics.CheckCohort("draft", policy.Cohort.Neighbours, members, reference, threshold, bounds)
	if err != nil {
		refused = err.Error() // it is what the check found, not that it could not be made
	}
	return check, refused, nil
}

// Renew is the nightly job: it builds a cohort and puts it in place of the active
// one if it keeps the bounds. Without any it changes nothing: the first is an
// admin's to activate.
func (c *Cohorts) Renew(ctx context.Context, policy models.FacePolicy, model biometrics.Model) error {
	c.mu.RLock()
	active, ok := c.active[model.Key()]
	c.mu.RUnlock()
	if !ok {
		return nil
	}
	threshold := active.Threshold
	if policy.Metric == biometrics.MetricNormalized {
		threshold = policy.Threshold
	}
	cohort, err := c.Build(ctx, policy, model, threshold)
	if err != nil {
		return err
	}
	if cohort.Refused != "" {
		c.Log.Warn("the new face cohort is refused, the old one stays", "version", cohort.Version, "reason", cohort.Refused)
		return nil
	}
	if err := c.Store.ActivateCohort(ctx, cohort.Version); err != nil {
		return err
	}
	c.Log.Info("a new face cohort is active", "version", cohort.Version)
	return nil
}

func candidatesOf(found []models.CohortCandidate, fusion string) ([]biometrics.Candidate, error) {
	candidates := make([]biometrics.Candidate, len(found))
	for i, f := range found {
		ds, err := descriptors(f.Descriptors)
		if err != nil {
			return nil, err
		}
		fused, err := biometrics.Fuse(fusion, ds)
		if err != nil {
			return nil, err
		}
		candidates[i] = biometrics.Candidate{Owner: string(f.Owner), Descriptor: fused, Network: f.Network, Day: f.Day}
	}
	return candidates, nil
}

// subjectsOf gathers the rows of a reference set, which come sorted by subject.
func subjectsOf(kept []models.FaceReference) ([]biometrics.ReferenceSubject, error) {
	var subjects []biometrics.ReferenceSubject
	for _, r := range kept {
		var d biometrics.Descriptor
		if err := d.UnmarshalBinary(r.Descriptor); err != nil {
			return nil, err
		}
		if n := len(subjects); n == 0 || subjects[n-1].Label != r.Subject {
			subjects = append(subjects, biometrics.ReferenceSubject{Label: r.Subject, Group: r.People})
		}
		last := &subjects[len(subjects)-1]
		last.Descriptors = append(last.Descriptors, d)
	}
	return subjects, nil
}
