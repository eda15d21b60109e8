package auth

import (
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
	"github.com/sallyport/sallyport/server/web"
)

type registerRequest struct {
	Email       string `json:"email"`
	Username    string `json:"username"`
	DisplayName string `json:"display_name"`
	Password    string `json:"password"`
	Transport   string `json:"transport"`
	BotCheck    string `json:"bot_check"` // a proof, where one was asked for
}

// Register answers POST /v1/accounts. Where addresses are proven it answers alike for
// one that is free and one that is taken.
//
// Where they are not, a 409 tells that an address is registered; the limit per
// network bounds how many one can ask about. So it does with user names anywhere:
// everybody sees them.
func (h *Handlers) Register(c *fiber.Ctx) error {
	var r registerRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	transport, err := web.Transport(c, r.Transport)
	if err != nil {
		return err
	}
	now := h.Now()
	u := models.NewUser{
		User:     models.User{ID: models.NewID(now), Handle: seal.Random(64)},
		Language: languageOf(c.Get(fiber.HeaderAcceptLanguage)),
	}
	if u.Email, u.EmailCanonical, err = checkEmail(r.Email); err != nil {
		return err
	}
	if u.Username, u.UsernameCanonical, err = checkUsername(r.Username); err != nil {
		return err
	}
	if u.DisplayName, err = checkDisplayName(r.DisplayName, u.Username); err != nil {
		return err
	}
	policy := h.Policies.Current()
	password := normalise(r.Password)
	if err := checkPassword(policy.Password, "password", password, h.SiteName, u.User); err != nil {
		return err
	}
	if err := h.checkBot(c, "", r.BotCheck, models.NetworkSubject(web.Network(c))); err != nil {
		return err
	}
	if err := h.CountNetwork(c, "registration", policy.Limits.Registration); err != nil {
		return err
	}
	if h.VerifyEmails {
		if err := h.countLetter(c, "email", u.EmailCanonical); err != nil {
			return err
		}
	}
	unchecked, err := h.checkBreached(c, "password", r.Password)
	if err != nil {
		return err
	}
	if u.PasswordHash, err = h.Hasher.Hash(c.UserContext(), password); err != nil {
		return err
	}
	if h.VerifyEmails {
		return h.registerPending(c, u, r.Password, unchecked)
	}
	session, token, err := h.Store.CreateAccount(c.UserContext(), u, web.Client(c), transport, noting(unchecked, h.DecideFor(c, u.ID, models.Event{Kind: models.PasswordPassed})))
	if err != nil {
		return err
	}
	h.EndReplaced(c)
	return h.Answer(c, fiber.StatusCreated, session, token)
}
