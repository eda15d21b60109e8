package face

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
	"github.com/sallyport/sallyport/server/web"
)

const challengeWithin = 90 * time.Second

// challengeData is what a stored challenge holds. The script is told prompt by
// prompt, while it is played.
type challengeData struct {
	Script biometrics.Script `json:"script"`
	Nonce  string            `json:"nonce"`
	// MayAddKey says that an enrolment may bring a key that is new to the account.
	MayAddKey bool `json:"may_add_key"`
}

type challengeBody struct {
	ID        models.ID `json:"id"`
	ExpiresAt time.Time `json:"expires_at"`
	Capture   string    `json:"capture"` // where the WebSocket is
	Flash     bool      `json:"flash"`   // the screen will show colours
	Frame     frameBody `json:"frame"`
	Device    bindBody  `json:"device"`
}

type frameBody struct {
	MaxBytes  int `json:"max_bytes"`
	MinSide   int `json:"min_side"`   // pixels
	PerSecond int `json:"per_second"` // as many as make sense
}

// bindBody is what a device key signs beside the frames.
type bindBody struct {
	Required bool      `json:"required"`
	Keys     []string  `json:"keys"`    // thumbprints of the account's keys
	MayAdd   bool      `json:"may_add"` // an enrolment may bring a new key
	Nonce    string    `json:"nonce"`
	Subject  string    `json:"subject"` // stands for the account
	Session  models.ID `json:"session"`
	Purpose  string    `json:"purpose"`
}

type verifyRequest struct {
	ReducedMotion bool   `json:"reduced_motion"`
	StepUp        string `json:"step_up"`
}

// VerifyChallenge answers POST /v1/verify/face/challenge. Issuing a challenge
// counts as the attempt that it allows, so nobody can draw scripts until one
// fits a recording.
func (h *Handlers) VerifyChallenge(c *fiber.Ctx) error {
	var r verifyRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	stepUp, err := web.StepUpID(r.StepUp)
	if err != nil {
		return err
	}
	if err := h.checkAvailable(c); err != nil {
		return err
	}
	face, err := h.Store.FaceFactor(c.UserContext(), web.Session(c).User.ID)
	if err != nil {
		return err
	}
	if !face.Enrolled() {
		return models.Refuse(models.CodeConflict, "this account has not enrolled a face: choose another way")
	}
	engine, _, err := h.engineFor(h.Policy(c).Face, face)
	if err != nil {
		return err
	}
	if h.Policy(c).Face.RequireDeviceKey {
		keys, err := h.Store.DeviceKeys(c.UserContext(), face.UserID)
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			return noDeviceKey() // which is no try
		}
	}
	if err := h.countCapture(c); err != nil {
		return err
	}
	if err := h.Store.CountFaceTry(c.UserContext(), face.UserID, h.Policy(c).Face.Failures); err != nil {
		return err
	}
	return h.issue(c, purposeVerify, engine, r.ReducedMotion, stepUp)
}

type enrolRequest struct {
	ConsentVersion string `json:"consent_version"`
	Cohort         bool   `json:"cohort"`  // the separate opt-in
	Improve        bool   `json:"improve"` // add a sitting to those there are
	ReducedMotion  bool   `json:"reduced_motion"`
}

// EnrolChallenge answers POST /v1/me/face/challenge: it records the consent,
// and only then is there anything to open a camera for.
func (h *Handlers) EnrolChallenge(c *fiber.Ctx) error {
	var r enrolRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	text := h.Consent(h.Policy(c))
	if err := text.accepts(r.ConsentVersion); err != nil {
		return err
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
	purpose := purposeEnrol
	if r.Improve {
		purpose = purposeImprove
		face, err := h.Store.FaceFactor(c.UserContext(), s.User.ID)
		if err != nil {
			return err
		}
		if _, err := improvable(face, h.Engine.Status().Model); err != nil {
			return err
		}
	}
	if err := h.countCapture(c); err != nil {
		return err
	}
	if err := h.Store.GiveConsent(c.UserContext(), s, text.consent(models.ConsentFace)); err != nil {
		return err
	}
	if r.Cohort {
		if err := h.Store.GiveConsent(c.UserContext(), s, text.consent(models.ConsentCohort)); err != nil {
			return err
		}
	}
	return h.issue(c, purpose, h.Engine, r.ReducedMotion, "")
}

func (h *Handlers) countCapture(c *fiber.Ctx) error {
	return h.CountAccount(c, captureKind, h.Policy(c).Limits.FaceCapture)
}

func (h *Handlers) issue(c *fiber.Ctx, purpose string, engine biometrics.Engine, reducedMotion bool, stepUp models.ID) error {
	policy := h.Policy(c)
	mode := biometrics.Mode(policy.Face.Liveness)
	flash := policy.Face.Liveness == models.LivenessActiveFlash && !reducedMotion
	script, err := biometrics.NewScript(mode, engine.Status().Model.Landmarks, flash, rand.Reader)
	if err != nil {
		return err
	}
	data := challengeData{Script: script, Nonce: base64.RawURLEncoding.EncodeToString(seal.Random(32))}
	if purpose == purposeEnrol {
		err := h.mayAddKey(c)
		if err != nil && models.CodeOf(err) != models.CodeStepUpRequired {
			return err
		}
		data.MayAddKey = err == nil
	}
	doc, err := json.Marshal(data)
	if err != nil {
		return err
	}
	s, now := web.Session(c), h.Now()
	keys, err := h.Store.DeviceKeys(c.UserContext(), s.User.ID)
	if err != nil {
		return err
	}
	challenge := models.Challenge{
		ID: models.NewID(now), Purpose: purpose, SessionID: s.ID, UserID: s.User.ID, StepUp: stepUp, Data: doc, ExpiresAt: now.Add(challengeWithin),
	}
	if err := h.Store.CreateChallenge(c.UserContext(), challenge); err != nil {
		return err
	}
	body := challengeBody{
		ID: challenge.ID, ExpiresAt: challenge.ExpiresAt, Capture: capturePaths[purpose] + "?challenge=" + string(challenge.ID), Flash: flash,
		Frame: frameBody{MaxBytes: h.Gate.Config().MaxBytes, MinSide: h.Gate.Config().MinSide, PerSecond: framesPerSecond},
		Device: bindBody{
			Required: policy.Face.RequireDeviceKey, Keys: []string{}, Nonce: data.Nonce, Subject: models.SubjectOf(s.User.ID), Session: s.ID, Purpose: purpose, MayAdd: data.MayAddKey,
		},
	}
	if s.Transaction != "" {
		body.Capture += "&transaction=" + string(s.Transaction)
	}
	for _, k := range keys {
		body.Device.Keys = append(body.Device.Keys, k.Thumbprint)
	}
	return c.Status(fiber.StatusCreated).JSON(body)
}

var capturePaths = map[string]string{
	purposeVerify:  "/v1/verify/face/capture",
	purposeEnrol:   "/v1/me/face/capture",
	purposeImprove: "/v1/me/face/capture",
}
