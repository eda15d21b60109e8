package face

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

type takeRequest struct {
	Challenge models.ID `json:"challenge"`
	// Signature is that of the device key over the frames, base64url; "" without a
	// key.
	Signature string `json:"signature"`
	Name      string `json:"name"` // of a new device key
}

// take takes the challenge, which serves once whatever comes of it, and what the
// camera gave to it.
func (h *Handlers) take(c *fiber.Ctx, r *takeRequest, purposes ...string) (models.Challenge, capture, error) {
	if err := web.Decode(c, r); err != nil {
		return models.Challenge{}, capture{}, err
	}
	if _, err := models.ParseID(string(r.Challenge)); err != nil {
		return models.Challenge{}, capture{}, models.Invalid("challenge", "malformed", "this is no challenge id")
	}
	if err := h.checkAvailable(c); err != nil {
		return models.Challenge{}, capture{}, err
	}
	s := web.Session(c)
	var challenge models.Challenge
	var err error
	for _, purpose := range purposes {
		challenge, err = h.Store.ConsumeChallenge(c.UserContext(), s.ID, purpose, r.Challenge)
		if models.CodeOf(err) != models.CodeChallengeExpired {
			break
		}
	}
	if err != nil {
		return challenge, capture{}, err
	}
	got, err := readCapture(challenge)
	if err != nil {
		return challenge, got, err
	}
	if got.Key != nil {
		err = got.Key.signed(h.statement(challenge, *got.Key), r.Signature, got.Frames)
	}
	return challenge, got, err
}

// Verify answers POST /v1/verify/face: as second factor, and as step-up.
func (h *Handlers) Verify(c *fiber.Ctx) error {
	var r takeRequest
	challenge, got, err := h.take(c, &r, purposeVerify)
	if err != nil {
		return err
	}
	policy := h.Policy(c).Face
	if policy.RequireDeviceKey && got.Key == nil {
		return noDeviceKey()
	}
	s := web.Session(c)
	face, err := h.Store.FaceFactor(c.UserContext(), s.User.ID)
	if err != nil {
		return err
	}
	if !face.Enrolled() || face.DisabledAt != nil {
		return models.Refuse(models.CodeFactorRejected, "your face was erased meanwhile: use another way")
	}
	engine, yardstick, err := h.engineFor(policy, face)
	if err != nil {
		return h.noComparison(c, challenge, err)
	}
	if engine.Status().Model.Key() != got.Model.Key() {
		return h.noComparison(c, challenge, unavailable("your face was enrolled anew meanwhile: try again", nil))
	}
	raw, ids := compared(face, got.Model.Key())
	accepted, err := compare(yardstick, s.User.ID, raw, got.Straight)
	if errors.Is(err, biometrics.ErrThin) {
		// Who is like nobody in the cohort would be measured by the wrong scale.
		return h.noComparison(c, challenge, unavailable("we can't compare your face reliably here: use another way", err))
	}
	if err != nil {
		return err
	}
	// Both are always worked out, and one answer stands for both.
	if !accepted || !got.Live {
		return h.refused(c, got)
	}
	event := models.Event{Kind: models.FactorPassed, Factor: models.Face, DeviceKey: got.Key != nil, Since: newest(face).CreatedAt}
	var key models.ID
	if got.Key != nil {
		key = got.Key.ID
	}
	moved, token, err := h.Store.PassFace(c.UserContext(), s.Proving(challenge.StepUp), ids, key, h.Decide(c, event))
	if err != nil {
		return err
	}
	return h.Answer(c, fiber.StatusOK, moved, token)
}

// compare decides whether probes are the account's. It tells nothing else.
func compare(yardstick biometrics.Yardstick, owner models.ID, templates, probes [][]byte) (bool, error) {
	enrolled, err := descriptors(templates)
	if err != nil {
		return false, err
	}
	shown, err := descriptors(probes)
	if err != nil {
		return false, err
	}
	decision, err := yardstick.Compare(string(owner), enrolled, shown)
	return decision.Accepted, err
}

// refused records for the auditors why a capture did not pass, and tells the
// person nothing but that it did not.
func (h *Handlers) refused(c *fiber.Ctx, got capture) error {
	refusal := models.FaceRefusal{Live: got.Live, Attack: got.Audit.Attack, Frames: got.Audit.Counts.Frames}
	for _, reason := range got.Audit.Reasons {
		refusal.Reasons = append(refusal.Reasons, string(reason))
	}
	if err := h.Store.RecordFaceRefusal(c.UserContext(), web.Session(c), refusal); err != nil {
		return err
	}
	return mismatch()
}

// noComparison gives the attempt back when no face was compared.
func (h *Handlers) noComparison(c *fiber.Ctx, challenge models.Challenge, refusal error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), writeWithin)
	defer cancel()
	if err := h.Store.GiveFaceTryBack(ctx, challenge.UserID, h.Policy(c).Face.Failures); err != nil {
		h.Log.Warn("a try was not given back", "error", err)
	}
	return refusal
}
