package recovery

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/mfa"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

// LeaveReset answers POST /v1/recovery: a session that a letter's link opened and a
// factor passed sets up what was lost, instead of choosing a password.
func (h *Handlers) LeaveReset(c *fiber.Ctx) error {
	if err := web.Decode(c, &struct{}{}); err != nil {
		return err
	}
	session, token, err := h.Store.LeaveReset(c.UserContext(), web.Session(c).Ref(), h.Decide(c, models.Event{Kind: models.FactorsLost}))
	if err != nil {
		return err
	}
	return h.Answer(c, fiber.StatusOK, session, token)
}

type wayBackBody struct {
	// Waiting tells whether the policy lets people wait.
	Waiting bool                 `json:"waiting"`
	Kind    *models.RecoveryKind `json:"kind"`
	BegunAt *time.Time           `json:"begun_at"`
	OverAt  *time.Time           `json:"over_at"` // of waiting
}

// Status answers GET /v1/recovery: the way back that is under way.
func (h *Handlers) Status(c *fiber.Ctx) error {
	w, err := h.Store.WayBack(c.UserContext(), web.Session(c).User.ID)
	if err != nil {
		return err
	}
	policy := h.Policy(c).Recovery
	body := wayBackBody{Waiting: policy.Waiting && h.Mails}
	if w != nil {
		body.Kind, body.BegunAt = &w.Kind, &w.BegunAt
		if w.Kind == models.WaitingRecovery {
			over := w.OverAt(policy)
			body.OverAt = &over
		}
	}
	return c.JSON(body)
}

// askKind counts letters about a way back with those for a new password.
const askKind = "reset"

// Ask answers POST /v1/recovery/wait: a letter with the link by which the waiting
// begins.
func (h *Handlers) Ask(c *fiber.Ctx) error {
	if err := web.Decode(c, &struct{}{}); err != nil {
		return err
	}
	if !h.Mails {
		return &models.Error{Code: models.CodeConflict, Reason: "no_mail", Message: "this site sends no mail: ask whoever runs it"}
	}
	if err := h.CountAccount(c, askKind, h.Policy(c).Limits.Reset); err != nil {
		return err
	}
	if err := h.Store.AskRecovery(c.UserContext(), web.Session(c).Ref(), h.Decide(c, models.Event{Kind: models.RecoveryAsked})); err != nil {
		return err
	}
	return c.Status(fiber.StatusAccepted).JSON(struct{}{})
}

type begunBody struct {
	OverAt time.Time `json:"over_at"`
}

// Begin answers POST /v1/links/begin-recovery: the waiting begins.
func (h *Handlers) Begin(c *fiber.Ctx) error {
	token, err := web.LinkToken(c)
	if err != nil {
		return err
	}
	policy := h.Policies.Current()
	w, err := h.Store.BeginRecovery(c.UserContext(), token, web.Client(c), func(a models.Attempt) error {
		return mfa.MayWait(policy, a, h.Now())
	})
	if err != nil {
		return err
	}
	return c.JSON(begunBody{OverAt: w.OverAt(policy.Recovery)})
}

// Finish answers POST /v1/recovery/finish: the link of the letter at the end of the
// waiting, in a session that proved the password.
func (h *Handlers) Finish(c *fiber.Ctx) error {
	token, err := web.LinkToken(c)
	if err != nil {
		return err
	}
	session, opened, err := h.Store.FinishRecovery(c.UserContext(), web.Session(c).Ref(), token, h.Decide(c, models.Event{Kind: models.RecoveryWaited}))
	if err != nil {
		return err
	}
	return h.Answer(c, fiber.StatusOK, session, opened)
}

// FollowAssisted answers POST /v1/links/assisted-recovery: it opens a session that may
// set factors up, and no more.
func (h *Handlers) FollowAssisted(c *fiber.Ctx) error {
	token, transport, err := web.OpeningLink(c)
	if err != nil {
		return err
	}
	session, opened, err := h.Store.FollowAssisted(c.UserContext(), token, web.Client(c), transport, h.DecideFor(c, "", models.Event{Kind: models.RecoveryVouched}))
	if err != nil {
		return err
	}
	h.EndReplaced(c)
	return h.Answer(c, fiber.StatusOK, session, opened)
}

// StopByLink answers POST /v1/links/stop-recovery.
func (h *Handlers) StopByLink(c *fiber.Ctx) error {
	token, err := web.LinkToken(c)
	if err != nil {
		return err
	}
	if err := h.Store.StopRecoveryByLink(c.UserContext(), token, web.Client(c)); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// Stop answers DELETE /v1/me/recovery.
func (h *Handlers) Stop(c *fiber.Ctx) error {
	if err := h.Store.StopRecovery(c.UserContext(), web.Session(c)); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// LinkPage is where the letters' links lead. It doesn't know them: the tokens are in
// the fragment, and only a click uses them up.
func (h *Handlers) LinkPage(kind models.LinkKind) fiber.Handler {
	return func(c *fiber.Ctx) error {
		return h.Render(c, pages.RecoveryLinkPage{Layout: h.Layout(c), Kind: string(kind), ByPassword: web.Session(c).State == models.SecondFactorRequired})
	}
}
