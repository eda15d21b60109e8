package auth

import (
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

type confirmRequest struct {
	Password string `json:"password"`
	StepUp   string `json:"step_up"`
}

// Confirm answers POST /v1/verify/password: the password once more, as a part of a
// step-up.
func (h *Handlers) Confirm(c *fiber.Ctx) error {
	var r confirmRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	stepUp, err := web.StepUpID(r.StepUp)
	if err != nil {
		return err
	}
	found, err := h.checkOwn(c, "password", r.Password)
	if err != nil {
		return err
	}
	moved, token, err := h.Store.PassPassword(c.UserContext(), web.Session(c).Proving(stepUp), found.PasswordHash, h.Decide(c, models.Event{Kind: models.PasswordPassed}))
	if err != nil {
		return err
	}
	return h.Answer(c, fiber.StatusOK, moved, token)
}

// checkOwn counts a try and checks the password of the account that is signed in.
// factor_rejected with the field when it is wrong.
func (h *Handlers) checkOwn(c *fiber.Ctx, field, typed string) (models.Credentials, error) {
	password := normalise(typed)
	if password == "" || utf8.RuneCountInString(password) > web.MaxPassword {
		return models.Credentials{}, models.Invalid(field, "length", "write your current password")
	}
	user := web.Session(c).User
	// Who proves to know it opens the lane of strangers again, for each name.
	if err := h.Try(c, models.Password, h.nameSubjects(user)...); err != nil {
		return models.Credentials{}, err
	}
	found, err := h.Store.CredentialsByID(c.UserContext(), user.ID)
	if err != nil {
		return found, err
	}
	match, _, err := h.Hasher.Check(c.UserContext(), typed, found.PasswordHash)
	if err != nil {
		return found, h.GiveBackShed(c, err)
	}
	if !match {
		return found, &models.Error{Code: models.CodeFactorRejected, Field: field, Message: "this is not your current password"}
	}
	return found, nil
}
