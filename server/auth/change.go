package auth

import (
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
	fresh := normalise(r.New)
	if err := checkPassword(h.Policy(c).Password, "new", fresh, h.SiteName, s.User); err != nil {
		return err
	}
	found, err := h.checkOwn(c, "current", r.Current)
	if err != nil {
		return err
	}
	unchecked, err := h.checkBreached(c, "new", r.New)
	if err != nil { // the current password was right: this was no guess
		h.GiveBack(c)
		return err
	}
	hash, err := h.Hasher.Hash(c.UserContext(), fresh)
	if err != nil {
		return h.GiveBackShed(c, err)
	}
	decide := noting(unchecked, h.Decide(c, models.Event{Kind: models.PasswordChanged}))
	moved, token, err := h.Store.ChangePassword(c.UserContext(), s.Ref(), found.PasswordHash, hash, decide)
	if err != nil {
		return err
	}
	return h.NoContent(c, moved, token)
}
