// Package web is what every part of the server shares: the session of a
// request, strict decoding, error answers, cross-site refusal, headers and the
// rendering of pages. It is a leaf: it knows no part.
package web

import (
	"context"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	pages "github.com/sallyport/sallyport/web"
)

// Store is what the door needs of the records.
type Store interface {
	SessionByToken(ctx context.Context, hash models.TokenHash) (models.Session, error)
	SessionsByID(ctx context.Context, ids []models.ID) ([]models.Session, error)
	Touch(ctx context.Context, ref models.Ref, client models.Client, idleEndsAt time.Time) error
	Transaction(ctx context.Context, id models.ID) (models.Transaction, error)
	Enrolled(ctx context.Context, session models.Session) (models.Enrolled, error)
	EndSession(ctx context.Context, by models.Session, id models.ID) error
	Count(ctx context.Context, try models.Try) (models.Try, error)
	GiveBack(ctx context.Context, try models.Try) error
	KnownDevices(ctx context.Context, markers []models.TokenHash) ([]models.KnownDevice, error)
}

// Policies gives the policy in force, and the one a session began with.
type Policies interface {
	Current() models.Policy
	ByVersion(ctx context.Context, version string) (models.Policy, error)
}

// Next is the state machine.
type Next func(models.Policy, models.Attempt, models.Event, time.Time) (models.Attempt, []models.Effect, error)

// Door is what every part of the server stands on.
type Door struct {
	Store    Store
	Policies Policies
	Next     Next
	Now      func() time.Time
	Log      *slog.Logger
	Pages    *pages.Pages
	Origin   string   // of the public URL: scheme, host and port
	Apps     []string // origins of web apps that use the v1 surface with the session's cookie
	Secure   bool     // the public URL is https
	Demo     bool
	Mails    bool // letters can be sent
	// VerifyEmails says that an address counts once it is proven.
	VerifyEmails bool
	FaceReady    func() bool
	Proxies      TrustedProxies
	TouchEvery   time.Duration
}

// Decide fills in the policy and the clock for one event of this request's
// session, or of an anonymous visitor, and into the effects what the request
// knows. The policy is the stricter of the one the session began with and the one
// in force when the lock is held.
func (d *Door) Decide(c *fiber.Ctx, event models.Event) models.Decide {
	return d.DecideFor(c, Session(c).User.ID, event)
}

// DecideFor is Decide for the account that a session is opened for.
func (d *Door) DecideFor(c *fiber.Ctx, userID models.ID, event models.Event) models.Decide {
	began, bound := c.Locals(keyBegan).(models.Policy)
	// Looked up now: nothing may ask for a second connection inside a transaction.
	_, err := d.knownDevices(c)
	return func(a models.Attempt) (models.Attempt, []models.Effect, error) {
		if err != nil {
			return a, nil, err
		}
		policy := d.Policies.Current()
		if bound && a.State != models.Anonymous {
			policy = began.Strictest(policy)
		} else {
			a.PolicyVersion = policy.Version()
		}
		a.MustVerify = d.VerifyEmails
		moved, effects, err := d.Next(policy, a, event, d.Now())
		for i := range effects {
			switch effects[i].Kind {
			case models.EffectResetCount:
				effects[i].Try = tried(c, effects[i].Factor)
			case models.EffectKnowDevice:
				effects[i].Device = d.markerFor(c, userID)
			default: // says all by itself
			}
		}
		return moved, effects, err
	}
}

// Policy is the policy that binds this request.
func (d *Door) Policy(c *fiber.Ctx) models.Policy {
	if began, ok := c.Locals(keyBegan).(models.Policy); ok {
		return began.Strictest(d.Policies.Current())
	}
	return d.Policies.Current()
}
