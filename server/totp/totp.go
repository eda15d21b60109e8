// Package totp is the authenticator app: RFC 6238 codes of six digits and 30
// seconds, HMAC-SHA-1, one step of skew either way, each step accepted once.
package totp

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
	"github.com/sallyport/sallyport/server/web"
)

// Store is what this part needs of the records.
type Store interface {
	TOTP(ctx context.Context, userID models.ID) (models.TOTPSecret, error)
	TOTPEnrolment(ctx context.Context, sessionID models.ID) (models.TOTPSecret, error)
	BeginTOTP(ctx context.Context, sessionID models.ID, t models.TOTPSecret) error
	EnrolTOTP(ctx context.Context, ref models.Ref, enrolment models.ID, step int64, decide models.Decide) (models.Session, string, error)
	PassTOTP(ctx context.Context, ref models.Ref, id models.ID, step int64, decide models.Decide) (models.Session, string, error)
	RemoveTOTP(ctx context.Context, ref models.Ref, decide models.Decide) (models.Session, string, error)
}

// Handlers answers the requests of this part.
type Handlers struct {
	*web.Door
	Store    Store
	SiteName string
}

const (
	secretBytes = 20 // RFC 4226 section 4, requirement R6
	enrolWithin = 15 * time.Minute
)

type stateBody struct {
	Enabled       bool       `json:"enabled"`
	Disabled      bool       `json:"disabled,omitempty"` // after too many failures: to be set up anew
	CreatedAt     *time.Time `json:"created_at,omitempty"`
	LastUsedAt    *time.Time `json:"last_used_at,omitempty"`
	QuarantinedAt *time.Time `json:"quarantined_at,omitempty"` // it opens nothing then
}

// State answers GET /v1/me/totp.
func (h *Handlers) State(c *fiber.Ctx) error {
	s := web.Session(c)
	found, err := h.Store.TOTP(c.UserContext(), s.User.ID)
	if models.CodeOf(err) == models.CodeNotFound {
		return c.JSON(stateBody{})
	}
	if err != nil {
		return err
	}
	enrolled, err := h.Door.Store.Enrolled(c.UserContext(), s)
	if err != nil {
		return err
	}
	return c.JSON(stateBody{
		Enabled: enrolled.TOTP, Disabled: !enrolled.TOTP && found.QuarantinedAt == nil,
		CreatedAt: &found.CreatedAt, LastUsedAt: found.LastUsedAt, QuarantinedAt: found.QuarantinedAt,
	})
}

type beginBody struct {
	Secret    string    `json:"secret"` // base32, as people type it
	URI       string    `json:"uri"`
	QRSVG     string    `json:"qr_svg"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Begin answers POST /v1/me/totp: a new secret, which counts for nothing until
// one right code confirms it.
func (h *Handlers) Begin(c *fiber.Ctx) error {
	if err := web.Decode(c, &struct{}{}); err != nil {
		return err
	}
	s := web.Session(c)
	enrolled, err := h.Door.Store.Enrolled(c.UserContext(), s)
	if err != nil {
		return err
	}
	if enrolled.TOTP && s.State != models.Recovering { // it is lost
		return models.Refuse(models.CodeConflict, "an authenticator app is set up already: remove it first")
	}
	now := h.Now()
	secret := models.TOTPSecret{ID: models.NewID(now), UserID: s.User.ID, Secret: seal.Random(secretBytes), ExpiresAt: now.Add(enrolWithin)}
	uri := keyURI(h.SiteName, s.User.Label(), secret.Secret)
	svg, err := qrSVG(uri)
	if err != nil {
		return err
	}
	if err := h.Store.BeginTOTP(c.UserContext(), s.ID, secret); err != nil {
		return err
	}
	return c.JSON(beginBody{Secret: text(secret.Secret), URI: uri, QRSVG: svg, ExpiresAt: secret.ExpiresAt})
}

type codeRequest struct {
	Code string `json:"code"`
}

// Confirm answers POST /v1/me/totp/confirm. The right code proves the app, so
// a first enrolment ends signed in.
func (h *Handlers) Confirm(c *fiber.Ctx) error {
	var r codeRequest
	code, err := readCode(c, &r, &r.Code)
	if err != nil {
		return err
	}
	s := web.Session(c)
	secret, err := h.Store.TOTPEnrolment(c.UserContext(), s.ID)
	if models.CodeOf(err) == models.CodeNotFound {
		return models.Refuse(models.CodeChallengeExpired, "this set-up has expired: start again")
	}
	if err != nil {
		return err
	}
	if err := h.TryNew(c, models.TOTP); err != nil {
		return err
	}
	step, err := h.step(secret.Secret, code)
	if err != nil {
		return err
	}
	event := models.Event{Kind: models.FactorEnrolled, Factor: models.TOTP, Object: secret.ID, Begun: secret.CreatedAt}
	moved, token, err := h.Store.EnrolTOTP(c.UserContext(), s.Ref(), secret.ID, step, h.Decide(c, event))
	if err != nil {
		return err
	}
	return h.Answer(c, fiber.StatusOK, moved, token)
}

type verifyRequest struct {
	Code   string `json:"code"`
	StepUp string `json:"step_up"`
}

// Verify answers POST /v1/verify/totp: as second factor, and as step-up.
func (h *Handlers) Verify(c *fiber.Ctx) error {
	var r verifyRequest
	code, err := readCode(c, &r, &r.Code)
	if err != nil {
		return err
	}
	stepUp, err := web.StepUpID(r.StepUp)
	if err != nil {
		return err
	}
	s := web.Session(c)
	secret, err := h.Store.TOTP(c.UserContext(), s.User.ID)
	if models.CodeOf(err) == models.CodeNotFound || secret.QuarantinedAt != nil {
		return models.Refuse(models.CodeConflict, "this account has no authenticator app: choose another way")
	}
	if err != nil {
		return err
	}
	if err := h.Try(c, models.TOTP); err != nil {
		return err
	}
	step, err := h.step(secret.Secret, code)
	if err != nil {
		return err
	}
	event := models.Event{Kind: models.FactorPassed, Factor: models.TOTP, Since: secret.CreatedAt}
	moved, token, err := h.Store.PassTOTP(c.UserContext(), s.Proving(stepUp), secret.ID, step, h.Decide(c, event))
	if err != nil {
		return err
	}
	return h.Answer(c, fiber.StatusOK, moved, token)
}

// Remove answers DELETE /v1/me/totp.
func (h *Handlers) Remove(c *fiber.Ctx) error {
	s := web.Session(c)
	found, err := h.Store.TOTP(c.UserContext(), s.User.ID)
	if err != nil {
		return err // not_found comes before last_factor
	}
	event := models.Event{Kind: models.FactorRemoved, Factor: models.TOTP, Object: found.ID}
	moved, token, err := h.Store.RemoveTOTP(c.UserContext(), s.Ref(), h.Decide(c, event))
	if err != nil {
		return err
	}
	return h.NoContent(c, moved, token)
}

// step finds the time step of the code.
func (h *Handlers) step(secret []byte, code string) (int64, error) {
	step, ok := match(secret, code, h.Now())
	if !ok {
		return 0, models.Refuse(models.CodeFactorRejected, "this code is not right: check that your phone's clock is, and take the newest code")
	}
	return step, nil
}
