// Package face is the server-side face match: consent, challenge, capture, and
// the comparison of a living person's straight frames with the templates of the
// account that is signing in, and nobody else's.
//
// A verification is three requests: one asks for a challenge, a WebSocket plays
// it (the server names one prompt after another, the browser sends frames), and
// one takes what came of it. Only the last moves the session.
package face

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// Store is what this part needs of the records.
type Store interface {
	CreateChallenge(ctx context.Context, c models.Challenge) error
	OpenCapture(ctx context.Context, sessionID models.ID, purpose string, id models.ID) (models.Challenge, error)
	KeepCapture(ctx context.Context, id models.ID, capture []byte) error
	ConsumeChallenge(ctx context.Context, sessionID models.ID, purpose string, id models.ID) (models.Challenge, error)

	FaceFactor(ctx context.Context, userID models.ID) (models.FaceFactor, error)
	EnrolFace(ctx context.Context, ref models.Ref, change models.FaceChange, decide models.Decide) (models.Session, string, error)
	PassFace(ctx context.Context, ref models.Ref, matched []models.ID, key models.ID, decide models.Decide) (models.Session, string, error)
	RemoveFace(ctx context.Context, ref models.Ref, decide models.Decide) (models.Session, string, error)
	CountFaceTry(ctx context.Context, userID models.ID, rules models.FailuresPolicy) error
	GiveFaceTryBack(ctx context.Context, userID models.ID, rules models.FailuresPolicy) error
	RecordFaceRefusal(ctx context.Context, by models.Session, refusal models.FaceRefusal) error

	GiveConsent(ctx context.Context, by models.Session, c models.Consent) error
	LeaveCohort(ctx context.Context, by models.Session) error
	Consents(ctx context.Context, userID models.ID) ([]models.Consent, error)

	DeviceKeys(ctx context.Context, userID models.ID) ([]models.DeviceKey, error)
	AddDeviceKey(ctx context.Context, ref models.Ref, key models.DeviceKey, decide models.Decide) error
	RemoveDeviceKey(ctx context.Context, ref models.Ref, id models.ID, decide models.Decide) error
	StepUp(ctx context.Context, sessionID models.ID, act models.Act) (*models.StepUp, error)
}

// Digester gives keyed digests of what must be recognised and not stored.
type Digester interface {
	Digest(purpose, value string) []byte
}

// Handlers answers the requests of this part.
type Handlers struct {
	*web.Door
	Store    Store
	Digester Digester
	// Engine describes faces. Previous is the net that was installed before, for
	// those who have not enrolled anew; nil without one.
	Engine, Previous biometrics.Engine
	Gate             *biometrics.Gate
	Cohorts          *Cohorts

	turns turns
}

const (
	purposeEnrol   = "enrol_face"
	purposeImprove = "enrol_face_improve" // an enrolment: what drops those drops it
	purposeVerify  = "verify_face"
)

// captureKind counts started captures: frames cost work even where no
// comparison is made.
const captureKind = "face_capture"

// Unavailable tells why faces can't be compared under a policy, in words for
// the person, or "" when they can. A threshold means nothing under another
// metric, fusion, model or cohort, so what runs must be what the policy names.
func (h *Handlers) Unavailable(policy models.Policy) string {
	status := h.Engine.Status()
	switch {
	case !policy.Allows(models.Face):
		return "signing in with your face is switched off here: use another way"
	case !status.Ready:
		return "signing in with your face is out of order at the moment: use another way"
	}
	if _, err := h.Cohorts.Yardstick(policy.Face.Yardstick, status.Model); err != nil {
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

// Remove answers DELETE /v1/me/face: it erases the templates, the place in a
// cohort and the devices' keys, and withdraws the consent.
func (h *Handlers) Remove(c *fiber.Ctx) error {
	s := web.Session(c)
	moved, token, err := h.Store.RemoveFace(c.UserContext(), s.Ref(), h.Decide(c, models.Event{Kind: models.FactorRemoved, Factor: models.Face}))
	if err != nil {
		return err
	}
	return h.NoContent(c, moved, token)
}
