package face

import (
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// Verify answers POST /v1/verify/face: as second factor, and as step-up.
func (h *Handlers) Verify(c *fiber.Ctx) error {
	probes, challenge, model, err := h.receive(c, purposeVerify)
	if err != nil {
		return err
	}
	stored, err := h.templates(c)
	if err != nil {
		return err
	}
	if len(stored) == 0 {
		return models.Refuse(models.CodeFactorRejected, "your face was erased meanwhile: use another way")
	}
	var templates []biometrics.Descriptor
	var ids []models.ID
	for _, t := range stored {
		if t.ModelKey != model.Key() {
			return h.noComparison(c, challenge, unavailable("your face was enrolled with an older version: use another way, then enrol it anew", nil))
		}
		var d biometrics.Descriptor
		if err := d.UnmarshalBinary(t.Descriptor); err != nil {
			return err
		}
		templates, ids = append(templates, d), append(ids, t.ID)
	}
	decision, err := biometrics.Match(templates, probes, h.Policy(c).Face.Threshold)
	if err != nil {
		return err
	}
	if !decision.Accepted {
		return models.Refuse(models.CodeFaceMismatch, "we couldn't match your face: try again in better light, or use another way")
	}
	event := models.Event{Kind: models.FactorPassed, Factor: models.Face}
	moved, token, err := h.Store.PassFace(c.UserContext(), web.Session(c).Ref(), ids, h.Decide(c, event))
	if err != nil {
		return err
	}
	return h.Answer(c, fiber.StatusOK, moved, token)
}

// Enrol answers POST /v1/me/face: it replaces what was enrolled before.
func (h *Handlers) Enrol(c *fiber.Ctx) error {
	descriptors, challenge, model, err := h.receive(c, purposeEnrol)
	if err != nil {
		return err
	}
	now := h.Now()
	var templates []models.FaceTemplate
	for _, d := range descriptors {
		raw, err := d.MarshalBinary()
		if err != nil {
			return err
		}
		templates = append(templates, models.FaceTemplate{ID: models.NewID(now), Descriptor: raw, ModelKey: model.Key()})
	}
	event := models.Event{Kind: models.FactorEnrolled, Factor: models.Face, Begun: challenge.CreatedAt}
	moved, token, err := h.Store.EnrolFace(c.UserContext(), web.Session(c).Ref(), templates, h.Decide(c, event))
	if err != nil {
		return err
	}
	return h.Answer(c, fiber.StatusCreated, moved, token)
}

// templates are those of the account that is signing in: there is no way to
// ask for another's.
func (h *Handlers) templates(c *fiber.Ctx) ([]models.FaceTemplate, error) {
	return h.Store.FaceTemplates(c.UserContext(), web.Session(c).User.ID)
}
