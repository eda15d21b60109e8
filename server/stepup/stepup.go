// Package stepup begins a step-up: a session says what it is about to do, and
// learns which proofs that needs.
package stepup

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/mfa"
	"github.com/sallyport/sallyport/server/web"
)

// Store is what this part needs of the records.
type Store interface {
	BeginStepUp(ctx context.Context, sessionID models.ID, act models.Act, expiresAt time.Time) (models.StepUp, error)
	StepUp(ctx context.Context, sessionID models.ID, act models.Act) (*models.StepUp, error)
}

// Handlers answers the requests of this part.
type Handlers struct {
	*web.Door
	Store Store
}

const maxObject = 320 // an email address is the longest

type beginRequest struct {
	Purpose models.Purpose `json:"purpose"`
	Object  string         `json:"object"`
}

type beginBody struct {
	ID       models.ID       `json:"id"`
	Purpose  models.Purpose  `json:"purpose"`
	Granted  bool            `json:"granted"`  // what was proven a moment ago is enough
	Password bool            `json:"password"` // is needed too
	Factors  []models.Factor `json:"factors"`  // one of these is needed
	// MaxAge is how many seconds there are for proving it and then doing it.
	MaxAge    int       `json:"max_age"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Begin answers POST /v1/step-up. What is proven at /v1/verify with this step-up's id
// counts for the one act that was named, once.
func (h *Handlers) Begin(c *fiber.Ctx) error {
	var r beginRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	if !slices.Contains(models.Purposes(), r.Purpose) {
		return models.Invalid("purpose", "unknown", "there is no such purpose: take it from the step_up_required answer")
	}
	if len(r.Object) > maxObject {
		return models.Invalid("object", "too_long", "this is more than any object's name")
	}
	s, policy := web.Session(c), h.Policy(c)
	enrolled, err := h.Door.Store.Enrolled(c.UserContext(), s)
	if err != nil {
		return err
	}
	act := models.Act{Purpose: r.Purpose, Object: r.Object}
	made, err := h.Store.BeginStepUp(c.UserContext(), s.ID, act, h.Now().Add(policy.StepUp.MaxAge.Std()))
	if err != nil {
		return err
	}
	body := beginBody{
		ID: made.ID, Purpose: r.Purpose, Granted: true, Factors: []models.Factor{},
		MaxAge: int(policy.StepUp.MaxAge.Std().Seconds()), ExpiresAt: made.ExpiresAt,
	}
	attempt := models.Attempt{State: s.State, Methods: s.Methods, Enrolled: enrolled, StepUp: &made}
	var missing *models.Error
	if errors.As(mfa.StepUp(policy, attempt, r.Purpose, h.Now()), &missing) {
		body.Granted, body.Password, body.Factors = false, missing.Password, missing.Factors
	}
	return c.Status(fiber.StatusCreated).JSON(body)
}
