// Package account is what a person sees and does of their own account: who
// they are, where they are signed in, and the pages for it.
package account

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

// Store is what this part needs of the records.
type Store interface {
	AppConsents(ctx context.Context, userID models.ID) ([]models.AppConsent, error)
	Sessions(ctx context.Context, userID models.ID) ([]models.Session, error)
	EndSession(ctx context.Context, by models.Session, id models.ID) error
	EndOtherSessions(ctx context.Context, by models.Session) error
	EndAllSessions(ctx context.Context, by models.Session) error
	Passkeys(ctx context.Context, userID models.ID) ([]models.PasskeyRecord, error)
	TOTP(ctx context.Context, userID models.ID) (models.TOTPSecret, error)
	RecoveryCodes(ctx context.Context, session models.Session) ([]models.RecoveryCode, error)
	FaceFactor(ctx context.Context, userID models.ID) (models.FaceFactor, error)
	Consents(ctx context.Context, userID models.ID) ([]models.Consent, error)
	DeviceKeys(ctx context.Context, userID models.ID) ([]models.DeviceKey, error)
	RememberedDevices(ctx context.Context, userID models.ID) ([]models.RememberedDevice, error)
	ForgetRemembered(ctx context.Context, by models.Session, id models.ID) error
	Dossier(ctx context.Context, userID models.ID) (models.Dossier, error)
	Events(ctx context.Context, userID, before models.ID, limit int) ([]models.AuditEvent, error)
	RequestDeletion(ctx context.Context, ref models.Ref, grace time.Duration, decide models.Decide) (time.Time, error)
	KeepAccount(ctx context.Context, by models.Session) error
	Addresses(ctx context.Context, userID models.ID) (models.Addresses, error)
	DeletionDue(ctx context.Context, userID models.ID) (*time.Time, error)
	SpendStepUp(ctx context.Context, ref models.Ref, decide models.Decide) error
	WayBack(ctx context.Context, userID models.ID) (*models.WayBack, error)
	Freeze(ctx context.Context, userID models.ID) (models.Freeze, error)
	FactorsByUse(ctx context.Context, userID models.ID) ([]models.Factor, error)
}

// FaceFacts is what the pages say about signing in with a face.
type FaceFacts struct {
	Unavailable func(models.Policy) string // a reason in words, or ""
	State       func(ctx context.Context, userID models.ID, policy models.Policy) (pages.FaceState, error)
	Statement   string
}

// Handlers answers the requests of this part.
type Handlers struct {
	*web.Door
	Store Store
	Face  FaceFacts
	// Place names where an address is, in a language (BCP 47); "" where nobody knows.
	Place func(ip, language string) string
}

// Me answers GET /v1/me.
func (h *Handlers) Me(c *fiber.Ctx) error {
	u := web.Session(c).User
	due, err := h.Store.DeletionDue(c.UserContext(), u.ID)
	if err != nil {
		return err
	}
	addresses, err := h.Store.Addresses(c.UserContext(), u.ID)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"user": web.NewUserBody(u), "second_email": addresses.Second, "deletion_due_at": due})
}

type sessionBody struct {
	ID      models.ID       `json:"id"`
	Current bool            `json:"current"`
	State   models.State    `json:"state"`
	ACR     models.ACR      `json:"acr"`
	Methods []models.Factor `json:"methods"`
	machineBody
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at"`
	ExpiresAt  time.Time `json:"expires_at"`
}

// machineBody is what a person may recognise a browser or app by.
type machineBody struct {
	Browser   string `json:"browser"`
	Device    string `json:"device"`
	UserAgent string `json:"user_agent"`
	IP        string `json:"ip"`
	Place     string `json:"place"`
}

func (h *Handlers) machine(client models.Client) machineBody {
	browser, device := web.Browser(client.UserAgent)
	// Pages are English.
	return machineBody{browser, device, client.UserAgent, client.IP, h.Place(client.IP, models.Languages[0])}
}

// Sessions answers GET /v1/me/sessions.
func (h *Handlers) Sessions(c *fiber.Ctx) error {
	list, err := h.sessions(c)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"sessions": list})
}

func (h *Handlers) sessions(c *fiber.Ctx) ([]sessionBody, error) {
	current := web.Session(c)
	found, err := h.Store.Sessions(c.UserContext(), current.User.ID)
	if err != nil {
		return nil, err
	}
	list := []sessionBody{}
	for _, s := range found {
		body := sessionBody{
			ID: s.ID, Current: s.ID == current.ID, State: s.State, ACR: s.ACR(), Methods: []models.Factor{}, machineBody: h.machine(s.Client),
			CreatedAt: s.CreatedAt, LastSeenAt: s.LastSeenAt, ExpiresAt: s.ExpiresAt(),
		}
		if s.App != "" { // which says more than how a device calls itself
			body.Browser = s.App
		}
		for _, m := range s.Methods {
			body.Methods = append(body.Methods, m.Factor)
		}
		list = append(list, body)
	}
	return list, nil
}

// EndSession answers DELETE /v1/me/sessions/{id}.
func (h *Handlers) EndSession(c *fiber.Ctx) error {
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	s := web.Session(c)
	if err := h.Store.EndSession(c.UserContext(), s, id); err != nil {
		return err
	}
	if id == s.ID {
		h.ClearSession(c)
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// EndSessions answers DELETE /v1/me/sessions: all others, or with ?scope=all
// this one as well.
func (h *Handlers) EndSessions(c *fiber.Ctx) error {
	end := h.Store.EndOtherSessions
	scope := c.Query("scope", "others")
	switch scope {
	case "others":
	case "all":
		end = h.Store.EndAllSessions
	default:
		return models.Invalid("scope", "unknown", "scope is others or all")
	}
	if err := end(c.UserContext(), web.Session(c)); err != nil {
		return err
	}
	if scope == "all" {
		h.ClearSession(c)
	}
	return c.SendStatus(fiber.StatusNoContent)
}
