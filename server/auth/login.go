package auth

import (
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

type loginRequest struct {
	Identifier string `json:"identifier"`
	Password   string `json:"password"`
	Transport  string `json:"transport"`
	BotCheck   string `json:"bot_check"` // a proof, where one was asked for
}

// Login answers POST /v1/login. An account that doesn't exist takes the same
// path as a wrong password: the same counts, a hash of the same cost, one answer.
func (h *Handlers) Login(c *fiber.Ctx) error {
	var r loginRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	transport, err := web.Transport(c, r.Transport)
	if err != nil {
		return err
	}
	if r.Identifier == "" || len(r.Identifier) > 320 {
		return models.Invalid("identifier", "length", "write your email address or user name")
	}
	// Nothing longer was ever set, so it is wrong; it is not worth a hash of
	// whatever length a client likes to send.
	password := normalise(r.Password)
	if password == "" || utf8.RuneCountInString(password) > web.MaxPassword {
		return models.Invalid("password", "length", "write your password")
	}
	canonical := canonicalIdentifier(r.Identifier)
	found, err := h.Store.CredentialsByIdentifier(c.UserContext(), canonical)
	if err != nil && models.CodeOf(err) != models.CodeNotFound {
		return err
	}
	// Asked for in any case: it must not tell which case this is.
	hash, err := h.Store.PasswordDecoy(c.UserContext(), h.Digester.Digest("identifier", canonical))
	if err != nil {
		return err
	}
	if found.ID != "" {
		hash = found.PasswordHash
	}
	if err := h.countSignIn(c, found.User, canonical, password, r.BotCheck); err != nil {
		return err
	}
	match, stale, err := h.Hasher.Check(c.UserContext(), r.Password, hash)
	if err != nil {
		return h.GiveBackShed(c, err)
	}
	if !match || found.ID == "" {
		h.Sources.Failed(h.Policies.Current().Limits.Sources, web.Network(c), canonical, password)
		return models.Refuse(models.CodeInvalidCredentials, "this name and password don't go together")
	}
	session, token, err := h.Store.OpenSession(c.UserContext(), found.ID, found.PasswordHash, web.Client(c), transport, h.DecideFor(c, found.ID, models.Event{Kind: models.PasswordPassed}))
	if err != nil {
		return err
	}
	if stale {
		h.rehash(c, found, password)
	}
	h.EndReplaced(c)
	return h.Answer(c, fiber.StatusOK, session, token)
}

// rehash hashes a right password anew at the cost in force. Where that fails
// the older hash serves on.
func (h *Handlers) rehash(c *fiber.Ctx, found models.Credentials, password string) {
	fresh, err := h.Hasher.Hash(c.UserContext(), password)
	if err == nil {
		err = h.Store.RehashPassword(c.UserContext(), found.ID, found.PasswordHash, fresh)
	}
	if err != nil {
		h.Log.Warn("a password keeps its older hash", "error", err)
	}
}
