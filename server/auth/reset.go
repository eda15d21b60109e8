package auth

import (
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

type forgotRequest struct {
	Email    string `json:"email"`
	BotCheck string `json:"bot_check"` // a proof, where one was asked for
}

// Forgot answers POST /v1/password/forgot: if an account has the address, a letter with
// a link is on its way. The answer is the same in words, status and work done; whether
// there is an account is looked up by a job.
func (h *Handlers) Forgot(c *fiber.Ctx) error {
	var r forgotRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	_, canonical, err := checkEmail(r.Email)
	if err != nil {
		return err
	}
	if !h.Mails {
		return noMail()
	}
	if err := h.checkBot(c, "", r.BotCheck, models.NetworkSubject(web.Network(c)), h.nameSubject(canonical)); err != nil {
		return err
	}
	if err := h.countLetter(c, "reset", canonical); err != nil {
		return err
	}
	if err := h.Store.AskReset(c.UserContext(), canonical, web.Client(c)); err != nil {
		return err
	}
	return c.Status(fiber.StatusAccepted).JSON(struct{}{})
}

// FollowReset answers POST /v1/links/password-reset: it opens a session by the link,
// which asks for the account's second factor, and then lets choose a password.
func (h *Handlers) FollowReset(c *fiber.Ctx) error {
	link, transport, err := web.OpeningLink(c)
	if err != nil {
		return err
	}
	session, token, err := h.Store.FollowReset(c.UserContext(), link, web.Client(c), transport, h.DecideFor(c, "", models.Event{Kind: models.LinkFollowed}))
	if err != nil {
		return err
	}
	h.EndReplaced(c)
	return h.Answer(c, fiber.StatusOK, session, token)
}

type resetRequest struct {
	New string `json:"new"`
}

// Reset answers POST /v1/password/reset: the new password, of a session that a
// letter's link opened and a second factor passed. Everybody is signed out, and signs in
// with it.
func (h *Handlers) Reset(c *fiber.Ctx) error {
	var r resetRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	s := web.Session(c)
	fresh := normalise(r.New)
	if err := checkPassword(h.Policy(c).Password, "new", fresh, h.SiteName, s.User); err != nil {
		return err
	}
	unchecked, err := h.checkBreached(c, "new", r.New)
	if err != nil {
		return err
	}
	hash, err := h.Hasher.Hash(c.UserContext(), fresh)
	if err != nil {
		return err
	}
	// What strangers did to the old password's lanes ends with it.
	h.Reopen(c, models.Password, h.nameSubjects(s.User)...)
	err = h.Store.ResetPassword(c.UserContext(), s.Ref(), hash, noting(unchecked, h.Decide(c, models.Event{Kind: models.PasswordReset})))
	if err != nil {
		return err
	}
	h.ClearSession(c)
	return c.SendStatus(fiber.StatusNoContent)
}

// ForgotPage asks for an address to write to.
func (h *Handlers) ForgotPage(c *fiber.Ctx) error {
	return h.Render(c, pages.ForgotPage{Layout: h.Layout(c)})
}

// ResetLinkPage is where the letter's link leads. It doesn't know the link: the token
// is in the fragment, and only a click uses it up.
func (h *Handlers) ResetLinkPage(c *fiber.Ctx) error {
	return h.Render(c, pages.ResetLinkPage{Layout: h.Layout(c)})
}

// ResetPage takes the new password.
func (h *Handlers) ResetPage(c *fiber.Ctx) error {
	return h.Render(c, pages.ResetPage{Layout: h.Layout(c), PasswordMin: h.Policy(c).Password.MinLength, PasswordMax: web.MaxPassword, CanKeep: web.Session(c).ACR() == models.ACRRecovery})
}
