package face

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
)

// CohortStore is what cohorts need of the records.
type CohortStore interface {
	CohortCandidates(ctx context.Context, modelKey string, createdBefore time.Time) ([]models.CohortCandidate, error)
	References(ctx context.Context, modelKey string) ([]models.FaceReference, error)
	SaveCohort(ctx context.Context, c models.Cohort) (models.Cohort, error)
	ActivateCohort(ctx context.Context, version int) error
	ActiveCohorts(ctx context.Context) ([]models.Cohort, error)
	PruneCohorts(ctx context.Context, keep int) error
}

// Cohorts holds the active cohorts in memory, and builds new ones. It is safe for
// concurrent use.
type Cohorts struct {
	Store CohortStore
	Now   func() time.Time
	Log   *slog.Logger

	mu     sync.RWMutex
	active map[string]activeCohort // by model key; guarded by mu
}

type activeCohort struct {
	models.Cohort
	scores *biometrics.Cohort // nil while it has too few members
}

// keptCohorts is how many of the newest cohorts stay beside the active one.
const keptCohorts = 3

// Yardstick is what a policy's yardstick means with the net that runs. Nothing
// takes the place of what the policy names: an error says what is missing, for
// the log and for policy check.
func (c *Cohorts) Yardstick(named models.Yardstick, model biometrics.Model) (biometrics.Yardstick, error) {
	yardstick := biometrics.Yardstick{Metric: named.Metric, Fusion: named.Fusion, Threshold: named.Threshold}
	if named.Model != model.Name {
		return yardstick, fmt.Errorf("the policy's threshold is for %s, installed is %s", named.Model, model.Name)
	}
	if named.Metric == biometrics.MetricNormalized {
		c.mu.RLock()
		active, ok := c.active[model.Key()]
		c.mu.RUnlock()
		if !ok {
			return yardstick, errors.New("metric normalized needs an active cohort: sallyport face cohort build")
		}
		if err := Serves(active.Cohort, len(active.Members), named); err != nil {
			return yardstick, err
		}
		yardstick.Cohort = active.scores
	}
	return yardstick, yardstick.Check()
}

// Serves tells whether a cohort may be used with a yardstick: it has enough
// members, was made for the same fusion, and has shown on the reference set what
// it does at a threshold at least as high.
func Serves(c models.Cohort, members int, named models.Yardstick) error {
	switch least := biometrics.DefaultCohortRules().MinUsable; {
	case members < least:
		return fmt.Errorf("cohort %d has %d members: normalized needs at least %d", c.Version, members, least)
	case c.Fusion != named.Fusion:
		return fmt.Errorf("cohort %d is for fusion %s, the policy names %s", c.Version, c.Fusion, named.Fusion)
	case named.Threshold > c.Threshold:
		return fmt.Errorf("cohort %d was tried at a threshold of %v, the policy has %v: build it anew", c.Version, c.Threshold, named.Threshold)
	}
	return nil
}

// Recommend says that the metric normalized can be chosen, and up to which
// threshold, if the active cohort of a model would serve it; "" if not.
func (c *Cohorts) Recommend(fusion string, model biometrics.Model) string {
	c.mu.RLock()
	active, ok := c.active[model.Key()]
	c.mu.RUnlock()
	if !ok || Serves(active.Cohort, len(active.Members), models.Yardstick{Fusion: fusion}) != nil {
		return ""
	}
	return fmt.Sprintf("the metric normalized is recommended: cohort %d has %d members and kept its bounds at a threshold of %v",
		active.Version, len(active.Members), active.Threshold)
}

// Load reads the active cohorts, at the start and whenever one has changed.
func (c *Cohorts) Load(ctx context.Context) error {
	found, err := c.Store.ActiveCohorts(ctx)
	if err != nil {
		return err
	}
	active := map[string]activeCohort{}
	for _, cohort := range found {
		held := activeCohort{Cohort: cohort}
		if len(cohort.Members) >= biometrics.DefaultCohortRules().MinUsable {
			members, err := membersOf(cohort.Members)
			if err != nil {
				return err
			}
			if held.scores, err = biometrics.NewCohort(strconv.Itoa(cohort.Version), cohort.Neighbours, cohort.Bound, members); err != nil {
				return err
			}
		}
		active[cohort.ModelKey] = held
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.active = active
	return nil
}

// Reload is Load for whoever hears that a cohort changed. What can't be read
// stays as it was, so that an erased member may serve until the next try: it is
// told and tried again by the next minute's.
func (c *Cohorts) Reload(ctx context.Context) {
	if err := c.Load(ctx); err != nil && ctx.Err() == nil {
		c.Log.Error("the face cohort could not be read", "error", err)
	}
}

func membersOf(raw []models.CohortMember) ([]biometrics.CohortMember, error) {
	members := make([]biometrics.CohortMember, len(raw))
	for i, m := range raw {
		members[i].Owner = string(m.Owner)
		if err := members[i].Descriptor.UnmarshalBinary(m.Descriptor); err != nil {
			return nil, err
		}
	}
	return members, nil
}
