package face

import (
	"encoding/json"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

const (
	challengeWithin = 90 * time.Second
	frames          = 3
)

// challengeData is what a stored challenge holds.
type challengeData struct {
	Prompts []biometrics.Prompt `json:"prompts"`
}

type challengeBody struct {
	ID        models.ID           `json:"id"`
	Prompts   []biometrics.Prompt `json:"prompts"`
	ExpiresAt time.Time           `json:"expires_at"`
	Frame     frameBody           `json:"frame"`
}

type frameBody struct {
	MaxBytes int `json:"max_bytes"`
	MinSide  int `json:"min_side"` // pixels
}

// VerifyChallenge answers POST /v1/verify/face/challenge. Issuing a challenge
// counts as the attempt that it allows.
func (h *Handlers) VerifyChallenge(c *fiber.Ctx) error {
	if err := web.Decode(c, &struct{}{}); err != nil {
		return err
	}
	if err := h.checkAvailable(c); err != nil {
		return err
	}
	templates, err := h.templates(c)
	if err != nil {
		return err
	}
	if len(templates) == 0 {
		return models.Refuse(models.CodeConflict, "this account has not enrolled a face: choose another way")
	}
	if err := h.countCapture(c); err != nil {
		return err
	}
	if err := h.CountTry(c, models.Face); err != nil {
		return err
	}
	return h.issue(c, purposeVerify)
}

type enrolRequest struct {
	ConsentVersion string `json:"consent_version"`
}

// EnrolChallenge answers POST /v1/me/face/challenge: it records the consent,
// and only then is there anything to open a camera for.
func (h *Handlers) EnrolChallenge(c *fiber.Ctx) error {
	var r enrolRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	if r.ConsentVersion != ConsentVersion {
		return models.Invalid("consent_version", "outdated", "read and accept the present consent text first")
	}
	if err := h.checkAvailable(c); err != nil {
		return err
	}
	s := web.Session(c)
	enrolled, err := h.Door.Store.Enrolled(c.UserContext(), s)
	if err != nil {
		return err
	}
	if !enrolled.NonBiometric() {
		return &models.Error{
			Code: models.CodeConflict, Reason: "face_alone",
			Message: "save recovery codes or add another factor first, so that there is a way in without a camera",
		}
	}
	if err := h.countCapture(c); err != nil {
		return err
	}
	if err := h.Store.GiveFaceConsent(c.UserContext(), s, ConsentVersion); err != nil {
		return err
	}
	return h.issue(c, purposeEnrol)
}

func (h *Handlers) countCapture(c *fiber.Ctx) error {
	return h.Door.Store.CountTry(c.UserContext(), web.Subject(web.Session(c).User.ID), captureKind, h.Policy(c).Limits.FaceCapture)
}

func (h *Handlers) issue(c *fiber.Ctx, purpose string) error {
	data := challengeData{}
	for range frames {
		data.Prompts = append(data.Prompts, biometrics.PromptStraight)
	}
	doc, err := json.Marshal(data)
	if err != nil {
		return err
	}
	s, now := web.Session(c), h.Now()
	challenge := models.Challenge{
		ID: models.NewID(now), Purpose: purpose, SessionID: s.ID, UserID: s.User.ID, Data: doc, ExpiresAt: now.Add(challengeWithin),
	}
	if err := h.Store.CreateChallenge(c.UserContext(), challenge); err != nil {
		return err
	}
	limits := h.Gate.Config()
	return c.Status(fiber.StatusCreated).JSON(challengeBody{
		ID: challenge.ID, Prompts: data.Prompts, ExpiresAt: challenge.ExpiresAt,
		Frame: frameBody{MaxBytes: limits.MaxBytes, MinSide: limits.MinSide},
	})
}
