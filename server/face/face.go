// Package face is the server-side face match: consent, challenge, capture, and
// the comparison of the straight frames with the templates of the account
// that is signing in, and nobody else's.
package face

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// Store is what this part needs of the records.
type Store interface {
	CreateChallenge(ctx context.Context, c models.Challenge) error
	ConsumeChallenge(ctx context.Context, sessionID models.ID, purpose string, id models.ID) (models.Challenge, error)
	FaceTemplates(ctx context.Context, userID models.ID) ([]models.FaceTemplate, error)
	ChallengeStands(ctx context.Context, sessionID models.ID, purpose string) error
	GiveFaceConsent(ctx context.Context, by models.Session, version string) error
	FaceConsent(ctx context.Context, userID models.ID) (version string, givenAt time.Time, err error)
	EnrolFace(ctx context.Context, ref models.Ref, templates []models.FaceTemplate, decide models.Decide) (models.Session, string, error)
	PassFace(ctx context.Context, ref models.Ref, matched []models.ID, decide models.Decide) (models.Session, string, error)
	RemoveFace(ctx context.Context, ref models.Ref, decide models.Decide) (models.Session, string, error)
}

// Handlers answers the requests of this part.
type Handlers struct {
	*web.Door
	Store  Store
	Engine biometrics.Engine
	Gate   *biometrics.Gate

	turns turns
}

const (
	purposeEnrol  = "enrol_face"
	purposeVerify = "verify_face"
)

// captureKind counts started captures: frames cost work even where no
// comparison is made.
const captureKind = "face_capture"

// Unavailable tells why the engine can't serve under a policy, in words for
// the person, or "" when it can. A threshold means nothing under another
// metric, fusion or model, so what runs must be what the policy names.
func (h *Handlers) Unavailable(policy models.Policy) string {
	status := h.Engine.Status()
	switch {
	case !policy.Allows(models.Face):
		return "signing in with your face is switched off here: use another way"
	case !status.Ready:
		return "signing in with your face is out of order at the moment: use another way"
	case policy.Face.Metric != biometrics.MetricEuclidean, policy.Face.Fusion != biometrics.FusionMean, policy.Face.Model != status.Model.Name:
		return "signing in with your face is being set up anew here: use another way"
	}
	return ""
}

func (h *Handlers) checkAvailable(c *fiber.Ctx) error {
	if reason := h.Unavailable(h.Policy(c)); reason != "" {
		return unavailable(reason, nil)
	}
	return nil
}

func unavailable(message string, cause error) error {
	return &models.Error{Code: models.CodeFaceUnavailable, Message: message, RetryAfter: 5 * time.Second, Cause: cause}
}

type stateBody struct {
	Enrolled    bool        `json:"enrolled"`
	EnrolledAt  *time.Time  `json:"enrolled_at,omitempty"`
	Available   bool        `json:"available"`
	Reason      string      `json:"reason,omitempty"`
	Consent     consentBody `json:"consent"`
	ConsentedAt *time.Time  `json:"consented_at,omitempty"`
	Statement   string      `json:"statement"`
}

type consentBody struct {
	Version string   `json:"version"`
	Text    []string `json:"text"`
}

// State answers GET /v1/me/face.
func (h *Handlers) State(c *fiber.Ctx) error {
	userID := web.Session(c).User.ID
	templates, err := h.Store.FaceTemplates(c.UserContext(), userID)
	if err != nil {
		return err
	}
	reason := h.Unavailable(h.Policy(c))
	body := stateBody{Available: reason == "", Reason: reason, Consent: consentBody{ConsentVersion, ConsentText}, Statement: Statement}
	if len(templates) > 0 {
		body.Enrolled, body.EnrolledAt = true, &templates[0].CreatedAt
	}
	_, givenAt, err := h.Store.FaceConsent(c.UserContext(), userID)
	if err == nil {
		body.ConsentedAt = &givenAt
	} else if models.CodeOf(err) != models.CodeNotFound {
		return err
	}
	return c.JSON(body)
}

// Remove answers DELETE /v1/me/face: it erases the templates and withdraws the
// consent.
func (h *Handlers) Remove(c *fiber.Ctx) error {
	s := web.Session(c)
	moved, token, err := h.Store.RemoveFace(c.UserContext(), s.Ref(), h.Decide(c, models.Event{Kind: models.FactorRemoved, Factor: models.Face}))
	if err != nil {
		return err
	}
	return h.NoContent(c, moved, token)
}

// refuse turns what went wrong before any comparison into its answer.
func refuse(err error) error {
	var image *biometrics.ImageError
	if errors.As(err, &image) {
		return &models.Error{Code: models.CodeFaceImage, Reason: string(image.Reason), Message: imageWords[image.Reason], Cause: err}
	}
	var capture *biometrics.CaptureError
	if errors.As(err, &capture) {
		words, ok := reasonWords[capture.Reason]
		if !ok {
			words = codeWords[capture.Code]
		}
		return &models.Error{Code: models.Code(capture.Code), Reason: string(capture.Reason), Message: words, Cause: err}
	}
	var busy *biometrics.BusyError
	switch {
	case errors.As(err, &busy):
		return &models.Error{
			Code: models.CodeFaceUnavailable, Reason: "busy", RetryAfter: busy.RetryAfter, Cause: err,
			Message: "many people are signing in with their face right now: try again in a moment, or use another way",
		}
	case errors.Is(err, biometrics.ErrCrashed):
		return &models.Error{
			Code: models.CodeFaceUnavailable, Reason: "interrupted", RetryAfter: time.Second, Cause: err,
			Message: "we were interrupted while looking at your pictures: please try again",
		}
	case errors.Is(err, biometrics.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return unavailable("signing in with your face is out of order at the moment: use another way", err)
	}
	return fmt.Errorf("analysing frames: %w", err)
}

var imageWords = map[biometrics.ImageReason]string{
	biometrics.ImageTooLarge:    "this picture is too large: let the camera page take it",
	biometrics.ImageTooSmall:    "this picture is too small: let the camera page take it",
	biometrics.ImageUnsupported: "this kind of picture can't be read: send JPEG, PNG or WebP",
	biometrics.ImageDamaged:     "this picture is damaged: take it again",
}

var codeWords = map[biometrics.CaptureCode]string{
	biometrics.CodeNoFace:    "we can't see a face: look straight into the camera, with light on your face",
	biometrics.CodeManyFaces: "we see more than one face: only you should be in the picture",
	biometrics.CodeImage:     "these pictures can't be used: take them again",
	biometrics.CodeQuality:   "these pictures are not clear enough: find more light and hold still",
	biometrics.CodePose:      "look straight into the camera",
}

var reasonWords = map[biometrics.CaptureReason]string{
	biometrics.ReasonEqualFrames:     "these pictures are all the same: take them with a live camera",
	biometrics.ReasonDifferentPeople: "these pictures don't all show the same person: take them again, alone",
}
