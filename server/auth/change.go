package auth

import (
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

type changeRequest struct {
	Current string `json:"current"`
	New     string `json:"new"`
}

// ChangePassword answers POST /v1/me/password. It takes the current password
// and a fresh second factor, and ends every other session.
func (h *Handlers) ChangePassword(c *fiber.Ctx) error {
	var r changeRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	s := web.Session(c)
	current := normalise(r.Current)
	if current == "" || utf8.RuneCountInString(current) > web.MaxPassword {
		return models.Invalid("current", "length", "write your current password")
	}
	fresh := normalise(r.New)
	if err := checkPassword(h.Policy(c).Password, "new", fresh, h.SiteName, s.User); err != nil {
		return err
	}
	// Who proves to know it opens the lane of strangers again, for both names.
	if err := h.Try(c, models.Password, h.nameSubject(canonicalIdentifier(s.User.Email)), h.nameSubject(canonicalIdentifier(s.User.Username))); err != nil {
		return err
	}
	found, err := h.Store.CredentialsByID(c.UserContext(), s.User.ID)
	if err != nil {
		return err
	}
	match, _, err := h.Hasher.Check(c.UserContext(), current, found.PasswordHash)
	if err != nil {
		return h.GiveBackShed(c, err)
	}
	if !match {
		return &models.Error{Code: models.CodeFactorRejected, Field: "current", Message: "this is not your current password"}
	}
	hash, err := h.Hasher.Hash(c.UserContext(), fresh)
	if err != nil {
		return h.GiveBackShed(c, err)
	}
	moved, token, err := h.Store.ChangePassword(c.UserContext(), s.Ref(), found.PasswordHash, hash, h.Decide(c, models.Event{Kind: models.PasswordChanged}))
	if err != nil {
		return err
	}
	return h.NoContent(c, moved, token)
}
