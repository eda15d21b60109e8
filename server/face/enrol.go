package face

import (
	"encoding/json"
	"errors"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/mfa"
	"github.com/sallyport/sallyport/server/web"
)

// Enrol answers POST /v1/me/face: the sitting takes the place of what was
// enrolled before, or, where it was begun to improve that, is added to it. Only a
// sitting that was asked for changes templates, never a sign-in.
func (h *Handlers) Enrol(c *fiber.Ctx) error {
	var r takeRequest
	challenge, got, err := h.take(c, &r, purposeEnrol, purposeImprove)
	if err != nil {
		return err
	}
	s, now := web.Session(c), h.Now()
	if h.Policy(c).Face.RequireDeviceKey && got.Key == nil {
		return noDeviceKey()
	}
	if !got.Live {
		return h.refused(c, got)
	}
	change := models.FaceChange{Adds: challenge.Purpose == purposeImprove}
	if change.Adds {
		if err := h.sameFace(c, got); err != nil {
			return err
		}
	}
	if got.Key != nil {
		if got.Key.ID == "" {
			var data challengeData
			if err := json.Unmarshal(challenge.Data, &data); err != nil {
				return err
			}
			if !data.MayAddKey {
				return h.strongerProof(c, nil)
			}
		}
		name, err := deviceName(r.Name)
		if err != nil {
			return err
		}
		key := got.Key.record(name, now)
		change.Key = &key
	}
	change.Capture = models.FaceCapture{
		ID: models.NewID(now), ModelKey: got.Model.Key(), Model: got.Model.Name,
		Network: h.Digester.Digest("face_network", web.Network(c)),
	}
	for _, d := range got.Straight {
		change.Capture.Templates = append(change.Capture.Templates, models.FaceTemplate{ID: models.NewID(now), Pose: string(biometrics.PromptStraight), Descriptor: d})
	}
	for _, t := range got.Turned {
		change.Capture.Templates = append(change.Capture.Templates, models.FaceTemplate{ID: models.NewID(now), Pose: string(t.Prompt), Descriptor: t.Descriptor})
	}
	event := models.Event{Kind: models.FactorEnrolled, Factor: models.Face, Begun: challenge.CreatedAt, DeviceKey: got.Key != nil}
	moved, token, err := h.Store.EnrolFace(c.UserContext(), s.Ref(), change, h.Decide(c, event))
	if err != nil {
		return err
	}
	return h.Answer(c, fiber.StatusCreated, moved, token)
}

// sameFace refuses a sitting that is not of the person whose templates it would
// be added to.
func (h *Handlers) sameFace(c *fiber.Ctx, got capture) error {
	s := web.Session(c)
	face, err := h.Store.FaceFactor(c.UserContext(), s.User.ID)
	if err != nil {
		return err
	}
	raw, err := improvable(face, got.Model)
	if err != nil {
		return err
	}
	yardstick, err := h.Cohorts.Yardstick(h.Policy(c).Face.Yardstick, got.Model)
	if err != nil {
		return unavailable("signing in with your face is being set up anew here", err)
	}
	accepted, err := compare(yardstick, s.User.ID, raw, got.Straight)
	if errors.Is(err, biometrics.ErrThin) {
		return unavailable("we can't compare your face reliably here", err)
	}
	if err == nil && !accepted {
		return h.refused(c, got)
	}
	return err
}

// mayAddKey refuses a key that is new to an account which has had a factor,
// unless another factor than the face was passed for this enrolment: else whoever
// has the face has the key.
func (h *Handlers) mayAddKey(c *fiber.Ctx) error {
	s := web.Session(c)
	if s.State != models.Authenticated {
		return nil
	}
	asked, err := h.Store.StepUp(c.UserContext(), s.ID, s.Act)
	if err != nil {
		return err
	}
	return h.strongerProof(c, asked)
}

// strongerProof refuses what the face itself could be the proof for.
func (h *Handlers) strongerProof(c *fiber.Ctx, asked *models.StepUp) error {
	s, policy := web.Session(c), h.Policy(c)
	enrolled, err := h.Door.Store.Enrolled(c.UserContext(), s)
	if err != nil {
		return err
	}
	policy.StepUp.Change.ACR = models.ACRAAL2
	attempt := models.Attempt{State: s.State, Methods: s.Methods, Enrolled: enrolled, StepUp: asked}
	return mfa.StepUp(policy, attempt, s.Act.Purpose, h.Now())
}
