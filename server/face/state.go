package face

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

// State is what a person sees of the face of their account.
type State struct {
	Enrolled   bool        `json:"enrolled"`
	EnrolledAt *time.Time  `json:"enrolled_at,omitempty"`
	LastUsedAt *time.Time  `json:"last_used_at,omitempty"`
	Sittings   []time.Time `json:"sittings"` // oldest first
	Disabled   bool        `json:"disabled"` // too many failures in a row: enrol anew
	// QuarantinedAt is when it was set aside: it opens nothing until enrolled anew.
	QuarantinedAt *time.Time  `json:"quarantined_at,omitempty"`
	Outdated      bool        `json:"outdated"` // measured by an older net: enrol anew
	Available     bool        `json:"available"`
	Reason        string      `json:"reason,omitempty"`
	Consent       ConsentText `json:"consent"`
	ConsentedAt   *time.Time  `json:"consented_at,omitempty"`
	AskAgain      bool        `json:"ask_again"` // the text has changed since
	InCohort      bool        `json:"in_cohort"` // agreed to lend the template
	Statement     string      `json:"statement"`
}

// StateOf gathers the state of an account's face under a policy.
func (h *Handlers) StateOf(ctx context.Context, userID models.ID, policy models.Policy) (State, error) {
	face, err := h.Store.FaceFactor(ctx, userID)
	if err != nil {
		return State{}, err
	}
	ledger, err := h.Store.Consents(ctx, userID)
	if err != nil {
		return State{}, err
	}
	reason := h.Unavailable(policy)
	state := State{Available: reason == "", Reason: reason, Sittings: []time.Time{}, Consent: h.Consent(policy), Statement: Statement}
	if face.Enrolled() {
		state.Enrolled, state.EnrolledAt, state.LastUsedAt = true, &face.EnrolledAt, &face.LastUsedAt
		state.Disabled, state.QuarantinedAt = face.DisabledAt != nil, face.QuarantinedAt
		state.Outdated = h.Engine.Status().Ready && newest(face).ModelKey != h.Engine.Status().Model.Key()
	}
	for _, capture := range face.Captures {
		state.Sittings = append(state.Sittings, capture.CreatedAt)
	}
	for _, c := range ledger {
		switch {
		case c.WithdrawnAt != nil:
		case c.Kind == models.ConsentCohort:
			state.InCohort = true
		default:
			state.ConsentedAt = &c.GivenAt
			state.AskAgain = state.Enrolled && c.Version != state.Consent.Version
		}
	}
	return state, nil
}

// State answers GET /v1/me/face.
func (h *Handlers) State(c *fiber.Ctx) error {
	state, err := h.StateOf(c.UserContext(), web.Session(c).User.ID, h.Policy(c))
	if err != nil {
		return err
	}
	return c.JSON(state)
}

// newest is the sitting that counts for which net an account belongs to.
func newest(face models.FaceFactor) models.FaceCapture {
	return face.Captures[len(face.Captures)-1]
}

// PageState is the state for the security page.
func (h *Handlers) PageState(ctx context.Context, userID models.ID, policy models.Policy) (pages.FaceState, error) {
	s, err := h.StateOf(ctx, userID, policy)
	if err != nil {
		return pages.FaceState{}, err
	}
	keys, err := h.Store.DeviceKeys(ctx, userID)
	if err != nil {
		return pages.FaceState{}, err
	}
	page := pages.FaceState{
		Enrolled: s.Enrolled, Since: s.EnrolledAt, Available: s.Available, Reason: s.Reason, Disabled: s.Disabled, SetAside: s.QuarantinedAt != nil, Outdated: s.Outdated,
		Sittings: s.Sittings, ConsentVersion: s.Consent.Version, ConsentText: s.Consent.Text, CohortText: s.Consent.Cohort,
		AskAgain: s.AskAgain, InCohort: s.InCohort,
	}
	for _, k := range keys {
		page.Devices = append(page.Devices, pages.Device{ID: string(k.ID), Name: k.Name, CreatedAt: k.CreatedAt, LastUsedAt: k.LastUsedAt})
	}
	return page, nil
}
