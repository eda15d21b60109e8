package web

import (
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

// SessionBody is the session object of the v1 surface.
type SessionBody struct {
	ID              models.ID       `json:"id"`
	State           models.State    `json:"state"`
	Level           int             `json:"level"`
	ACR             models.ACR      `json:"acr"`
	AMR             []string        `json:"amr"` // RFC 8176
	Methods         []methodBody    `json:"methods"`
	Factors         []models.Factor `json:"factors"`
	AuthenticatedAt *time.Time      `json:"authenticated_at"`
	AuthTime        *time.Time      `json:"auth_time"`
	ExpiresAt       time.Time       `json:"expires_at"`
	User            *UserBody       `json:"user,omitempty"`
	Groups          []string        `json:"groups,omitempty"`
	Token           string          `json:"token,omitempty"`
}

type methodBody struct {
	Method models.Factor `json:"method"`
	At     time.Time     `json:"at"`
	// DeviceKey says that a key of the browser signed the pictures of a face.
	DeviceKey bool `json:"device_key,omitempty"`
}

// UserBody is what an account may see of itself.
type UserBody struct {
	ID            models.ID `json:"id"`
	Email         string    `json:"email"`
	EmailVerified bool      `json:"email_verified"`
	Username      string    `json:"username"`
	DisplayName   string    `json:"display_name"`
}

// NewUserBody shows an account to itself.
func NewUserBody(u models.User) *UserBody {
	return &UserBody{ID: u.ID, Email: u.Email, EmailVerified: u.EmailVerified, Username: u.Username, DisplayName: u.DisplayName}
}

// Body describes a session. Before level 2 it shows no more of the account
// than its factors, but to a person who is just setting the account up.
func (d *Door) Body(c *fiber.Ctx, s models.Session) (SessionBody, error) {
	factors, err := d.UsableFactors(c, s)
	if err != nil {
		return SessionBody{}, err
	}
	return d.newBody(s, factors), nil
}

func (d *Door) newBody(s models.Session, factors []models.Factor) SessionBody {
	body := SessionBody{
		ID: s.ID, State: s.State, Level: s.ACR().Level(), ACR: s.ACR(), AMR: models.AMROf(s.Methods), Methods: []methodBody{}, Factors: factors,
		ExpiresAt: s.ExpiresAt(),
	}
	for _, m := range s.Methods {
		body.Methods = append(body.Methods, methodBody{m.Factor, m.At, m.DeviceKey})
	}
	if s.State == models.Authenticated {
		at, whole := s.ProvenAt(), models.AuthTime(s.Methods)
		body.AuthenticatedAt, body.AuthTime, body.Groups = &at, &whole, s.User.Groups
	}
	if s.State == models.Authenticated || s.State == models.EnrolmentRequired {
		body.User = NewUserBody(s.User)
		// Apps look at the session: an address that nobody has proven is none to them.
		if d.VerifyEmails && !s.User.EmailVerified {
			body.User.Email = ""
		}
	}
	return body
}

// UsableFactors lists the account's factors that the policy lets count.
func (d *Door) UsableFactors(c *fiber.Ctx, s models.Session) ([]models.Factor, error) {
	enrolled, err := d.Store.Enrolled(c.UserContext(), s)
	if err != nil {
		return nil, err
	}
	return d.Counting(c, s, enrolled), nil
}

// Counting lists those of an account's factors that the policy lets count in a
// session: a face or a remembered device counts for nothing beside a letter's link, and
// a device for nothing once the second door is open. In a transaction those count that its
// app asked for.
func (d *Door) Counting(c *fiber.Ctx, s models.Session, enrolled models.Enrolled) []models.Factor {
	policy, byMail, inside := d.Policy(c), models.ByMail(s.Methods), s.State != models.SecondFactorRequired
	t, asked := Transaction(c)
	return slices.DeleteFunc(enrolled.List(), func(f models.Factor) bool {
		return !policy.Allows(f) || asked && !t.Asked.Takes(f) || byMail && f == models.Face || (byMail || inside) && f == models.Device
	})
}

// Opened prepares the answer to whatever opened or moved a session: the new
// token goes into the cookie, or for bearer sessions into the body. token is
// "" where the session kept its own.
func (d *Door) Opened(c *fiber.Ctx, s models.Session, token string) (SessionBody, error) {
	d.giveToken(c, s, token)
	d.keepMarkers(c, s.Transport)
	factors, err := d.UsableFactors(c, s)
	if err != nil {
		if token == "" {
			return SessionBody{}, err
		}
		// The session has moved, and an error would lose its only token.
		d.Log.Warn("a session was answered without its factors", "error", err)
		factors = []models.Factor{}
	}
	body := d.newBody(s, factors)
	if s.Transport == models.Bearer {
		body.Token = token
	}
	return body, nil
}

// giveToken gives a browser its session's new token, if there is one.
func (d *Door) giveToken(c *fiber.Ctx, s models.Session, token string) {
	switch {
	case token == "":
	case s.Transport == models.Cookie:
		d.setCookie(c, d.cookieName(), token, s.EndsAt)
	case s.Transport == models.InTransaction:
		d.setTransaction(c, s.Transaction, token, s.EndsAt)
	}
}

// EndReplaced ends the session that a new sign-in in the same browser takes the
// place of: its cookie is gone, so nobody could end it but from a list.
func (d *Door) EndReplaced(c *fiber.Ctx) {
	old := Session(c)
	if old.State == models.Anonymous {
		return
	}
	if err := d.Store.EndSession(c.UserContext(), old, old.ID); err != nil && models.CodeOf(err) != models.CodeNotFound {
		d.Log.Warn("a replaced session lives on", "error", err)
	}
}

// Answer sends the session object after a transition.
func (d *Door) Answer(c *fiber.Ctx, status int, s models.Session, token string) error {
	body, err := d.Opened(c, s, token)
	if err != nil {
		return err
	}
	return c.Status(status).JSON(body)
}

// NoContent answers 204 after a transition that a cookie client need not read;
// a bearer client gets the session object, for it must learn the new token.
func (d *Door) NoContent(c *fiber.Ctx, s models.Session, token string) error {
	if s.Transport == models.Bearer && token != "" {
		return d.Answer(c, fiber.StatusOK, s, token)
	}
	d.giveToken(c, s, token)
	return c.SendStatus(fiber.StatusNoContent)
}
