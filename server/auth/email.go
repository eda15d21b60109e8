package auth

import (
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

func noMail() error {
	return &models.Error{Code: models.CodeConflict, Reason: "no_mail", Message: "this site sends no mail: ask whoever runs it"}
}

// countLetter counts a letter to an address that somebody typed, whoever has it, and
// whatever brings letters from one network.
func (h *Handlers) countLetter(c *fiber.Ctx, kind, canonical string) error {
	policy, network := h.Policies.Current(), web.Network(c)
	return h.Count(c, models.Try{
		By: models.Session{Client: web.Client(c), PolicyVersion: policy.Version()},
		Buckets: []models.Bucket{
			{Subject: h.nameSubject(canonical), Kind: kind, Limit: policy.Limits.Reset, Work: true},
			{Subject: models.NetworkSubject(network), Kind: kind, Limit: policy.Limits.Registration, Work: true},
		},
	})
}

// SendVerification answers POST /v1/me/email/verification: a letter with a link that
// proves the account's own address is on its way.
func (h *Handlers) SendVerification(c *fiber.Ctx) error {
	if err := web.Decode(c, &struct{}{}); err != nil {
		return err
	}
	if !h.Mails {
		return noMail()
	}
	s := web.Session(c)
	_, canonical, err := checkEmail(s.User.Email)
	if err != nil {
		return err
	}
	if err := h.countLetter(c, "email", canonical); err != nil {
		return err
	}
	if err := h.Store.ClaimEmail(c.UserContext(), s, canonical); err != nil {
		return err
	}
	return c.Status(fiber.StatusAccepted).JSON(struct{}{})
}

type emailRequest struct {
	Email string `json:"email"`
}

// ChangeEmail answers POST /v1/me/email: a letter with a link goes to the new
// address, which the account has once it is followed. The answer is the same for
// addresses that are free and that are taken. Where there is no mail the address
// changes at once.
func (h *Handlers) ChangeEmail(c *fiber.Ctx) error {
	claim, err := h.readClaim(c, models.LinkChangeEmail)
	if err != nil {
		return err
	}
	ref, decide := web.Session(c).Ref(), h.Decide(c, models.Event{Kind: models.EmailAsked})
	if !h.Mails {
		moved, token, err := h.Store.ChangeEmail(c.UserContext(), ref, claim, web.Client(c), decide)
		if err != nil {
			return err
		}
		return h.NoContent(c, moved, token)
	}
	return h.askEmail(c, ref, claim, decide)
}

// AddSecondEmail answers POST /v1/me/email/second: a letter with a link goes to an
// address that the account is to have beside its own.
func (h *Handlers) AddSecondEmail(c *fiber.Ctx) error {
	claim, err := h.readClaim(c, models.LinkSecondEmail)
	if err != nil {
		return err
	}
	if !h.Mails {
		return noMail()
	}
	return h.askEmail(c, web.Session(c).Ref(), claim, h.Decide(c, models.Event{Kind: models.SecondEmailAsked}))
}

// readClaim reads an address that an account wants beside or in place of its own.
func (h *Handlers) readClaim(c *fiber.Ctx, kind models.LinkKind) (models.Claim, error) {
	var r emailRequest
	if err := web.Decode(c, &r); err != nil {
		return models.Claim{}, err
	}
	claim := models.Claim{Kind: kind}
	var err error
	if claim.Email, claim.Canonical, err = checkEmail(r.Email); err != nil {
		return claim, err
	}
	own := web.Session(c).User
	if _, canonical, err := checkEmail(own.Email); err == nil && own.EmailHeld && canonical == claim.Canonical {
		return claim, models.Invalid("email", "same", "this is your address already: write another")
	}
	return claim, nil
}

func (h *Handlers) askEmail(c *fiber.Ctx, ref models.Ref, claim models.Claim, decide models.Decide) error {
	if err := h.countLetter(c, "email", claim.Canonical); err != nil {
		return err
	}
	if _, _, err := h.Store.AskEmail(c.UserContext(), ref, claim, web.Client(c), decide); err != nil {
		return err
	}
	return c.Status(fiber.StatusAccepted).JSON(struct{}{})
}

// RemoveSecondEmail answers DELETE /v1/me/email/second.
func (h *Handlers) RemoveSecondEmail(c *fiber.Ctx) error {
	moved, token, err := h.Store.RemoveSecondEmail(c.UserContext(), web.Session(c).Ref(), h.Decide(c, models.Event{Kind: models.SecondEmailRemoved}))
	if err != nil {
		return err
	}
	return h.NoContent(c, moved, token)
}
