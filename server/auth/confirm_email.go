package auth

import (
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

// registerPending notes a registration whose address has to be proven, and answers
// alike whether the address is free or taken. Registering again with the same names
// and password has the letter sent once more.
func (h *Handlers) registerPending(c *fiber.Ctx, u models.NewUser, typed string, unchecked bool) error {
	by := models.Session{Client: web.Client(c), PolicyVersion: h.Policies.Current().Version()}
	err := h.Store.Register(c.UserContext(), u, by, unchecked)
	if models.CodeOf(err) == models.CodeConflict {
		err = h.registerAgain(c, u, typed, err)
	}
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusAccepted).JSON(struct{}{})
}

// registerAgain lets whoever registered under a user name before, and knows the
// password, have the letter once more; anybody else is told that the name is taken.
func (h *Handlers) registerAgain(c *fiber.Ctx, u models.NewUser, typed string, taken error) error {
	waiting, err := h.Store.Unconfirmed(c.UserContext(), u.UsernameCanonical)
	if models.CodeOf(err) == models.CodeNotFound {
		return taken
	}
	if err != nil {
		return err
	}
	policy := h.Policies.Current()
	err = h.Count(c, models.Try{Buckets: []models.Bucket{
		{Subject: models.AccountSubject(waiting.ID), Kind: "register_again", Limit: policy.Limits.Password, Work: true},
	}})
	if err != nil {
		return err
	}
	match, _, err := h.Hasher.Check(c.UserContext(), typed, waiting.PasswordHash)
	if err != nil {
		return err
	}
	if !match {
		return taken
	}
	claim := models.Claim{Kind: models.LinkConfirmEmail, Email: u.Email, Canonical: u.EmailCanonical}
	return h.Store.RegisterAgain(c.UserContext(), waiting.ID, claim, web.Client(c))
}

type confirmEmailRequest struct {
	Token     string `json:"token"`
	Password  string `json:"password"`
	Transport string `json:"transport"`
}

// ConfirmEmail answers POST /v1/links/confirm-email: with the password that was
// chosen at registration the link makes the account, and is its first sign-in.
// Somebody who only reads the mail must not make a stranger's account theirs, nor
// their address a stranger's.
func (h *Handlers) ConfirmEmail(c *fiber.Ctx) error {
	var r confirmEmailRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	transport, err := web.Transport(c, r.Transport)
	if err != nil {
		return err
	}
	if r.Password == "" || utf8.RuneCountInString(normalise(r.Password)) > web.MaxPassword {
		return models.Invalid("password", "length", "write the password that you chose")
	}
	token, err := web.HashLink(r.Token)
	if err != nil {
		return err
	}
	waiting, err := h.Store.UnconfirmedByLink(c.UserContext(), token)
	if err != nil {
		return err
	}
	if err := h.countConfirm(c, waiting.User); err != nil {
		return err
	}
	match, _, err := h.Hasher.Check(c.UserContext(), r.Password, waiting.PasswordHash)
	if err != nil {
		return h.GiveBackShed(c, err)
	}
	if !match {
		return &models.Error{Code: models.CodeFactorRejected, Field: "password", Message: "this is not the password that you chose when you registered"}
	}
	decide := h.DecideFor(c, waiting.ID, models.Event{Kind: models.PasswordPassed})
	session, opened, err := h.Store.ConfirmEmail(c.UserContext(), token, waiting.PasswordHash, web.Client(c), transport, decide)
	if err != nil {
		return err
	}
	h.EndReplaced(c)
	return h.Answer(c, fiber.StatusOK, session, opened)
}

// countConfirm counts a try at the password of a registration, before it is hashed:
// for what the link is of, and as any sign-in for its network.
func (h *Handlers) countConfirm(c *fiber.Ctx, waiting models.User) error {
	policy := h.Policies.Current()
	limits, network, subject := policy.Limits, web.Network(c), models.AccountSubject(waiting.ID)
	return h.Count(c, models.Try{
		Factor: models.Password, Waits: limits.InARow,
		By: models.Session{User: waiting, Client: web.Client(c), PolicyVersion: policy.Version()},
		Buckets: []models.Bucket{
			{Subject: subject, Kind: string(models.Password), Limit: limits.Password},
			{Subject: models.NetworkSubject(network), Kind: "login", Limit: limits.Login, Work: true},
			{Subject: models.Everybody, Kind: "login", Limit: limits.Global, Work: true},
		},
		Streaks: []models.Streak{{Subject: subject, Kind: string(models.Password), CloseAfter: limits.InARow.DisableAfter}},
	})
}

// ConfirmEmailPage is where the letter's link leads. It asks for the password.
func (h *Handlers) ConfirmEmailPage(c *fiber.Ctx) error {
	return h.Render(c, pages.ConfirmEmailPage{Layout: h.Layout(c), PasswordMax: web.MaxPassword})
}
