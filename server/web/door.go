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
	Enrolled(ctx context.Context, session models.Session) (models.Enrolled, error)
	CountTry(ctx context.Context, subject, kind string, limit models.Limit) error
	EndSession(ctx context.Context, by models.Session, id models.ID) error
	GiveTryBack(ctx context.Context, subject, kind string, limit models.Limit, countedAt time.Time) error
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
	Store      Store
	Policies   Policies
	Next       Next
	Now        func() time.Time
	Log        *slog.Logger
	Pages      *pages.Pages
	Origin     string // of the public URL: scheme, host and port
	Secure     bool   // the public URL is https
	Demo       bool
	FaceReady  func() bool
	Proxies    TrustedProxies
	TouchEvery time.Duration
}

// Decide fills in the policy and the clock for one event of this request's
// session, or of an anonymous visitor. The policy is the stricter of the one
// the session began with and the one in force when the lock is held.
func (d *Door) Decide(c *fiber.Ctx, event models.Event) models.Decide {
	began, bound := c.Locals(keyBegan).(models.Policy)
	return func(a models.Attempt) (models.Attempt, []models.Effect, error) {
		policy := d.Policies.Current()
		if bound && a.State != models.Anonymous {
			policy = began.Strictest(policy)
		} else {
			a.PolicyVersion = policy.Version()
		}
		return d.Next(policy, a, event, d.Now())
	}
}

// Policy is the policy that binds this request.
func (d *Door) Policy(c *fiber.Ctx) models.Policy {
	if began, ok := c.Locals(keyBegan).(models.Policy); ok {
		return began.Strictest(d.Policies.Current())
	}
	return d.Policies.Current()
}

// CountTry counts one try at a factor of the request's account, before the
// check it belongs to.
func (d *Door) CountTry(c *fiber.Ctx, factor models.Factor) error {
	return d.Store.CountTry(c.UserContext(), Subject(Session(c).User.ID), string(factor), d.Policy(c).Limit(factor))
}

const giveBackWithin = 2 * time.Second

// Subject is who an account's tries are counted for.
func Subject(userID models.ID) string { return "account:" + string(userID) }

// CountNetwork counts one request of a kind for the network it comes from.
func (d *Door) CountNetwork(c *fiber.Ctx, kind string, limit models.Limit) error {
	return d.Store.CountTry(c.UserContext(), "network:"+Network(c), kind, limit)
}

// GiveBackShed gives a try back whose check was refused for want of room, and
// hands the refusal on: nothing was guessed, and whoever fills the queue must
// not use up other people's tries.
func (d *Door) GiveBackShed(c *fiber.Ctx, subject, kind string, limit models.Limit, countedAt time.Time, refusal error) error {
	if models.CodeOf(refusal) == models.CodeOverloaded {
		d.GiveBack(c, subject, kind, limit, countedAt)
	}
	return refusal
}

// GiveBack gives a try back that came to no check. The request's own time may be
// over by then: that is one of the reasons.
func (d *Door) GiveBack(c *fiber.Ctx, subject, kind string, limit models.Limit, countedAt time.Time) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), giveBackWithin)
	defer cancel()
	if err := d.Store.GiveTryBack(ctx, subject, kind, limit, countedAt); err != nil {
		d.Log.Warn("a try was not given back", "error", err)
	}
}
