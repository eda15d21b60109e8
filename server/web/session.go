package web

import (
	"context"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

type local string

const (
	keySession local = "session"
	keyBegan   local = "began"
	keyClient  local = "client"
)

// Session is the request's session; its state is anonymous when there is none.
func Session(c *fiber.Ctx) models.Session {
	if s, ok := c.Locals(keySession).(models.Session); ok {
		return s
	}
	return models.Session{State: models.Anonymous}
}

// SetAct notes on the request's session what the request does, for whoever writes.
func SetAct(c *fiber.Ctx, act models.Act) {
	s := Session(c)
	s.Act = act
	c.Locals(keySession, s)
}

// Client is the machine the request came from.
func Client(c *fiber.Ctx) models.Client {
	client, _ := c.Locals(keyClient).(models.Client)
	return client
}

// FindSession looks up the session of a request's cookie or bearer token, or of the
// transaction that it names, and holds it to the policy. A token that fits no live session leaves the request
// anonymous; records that can't be reached are an error, never "signed out".
func (d *Door) FindSession(c *fiber.Ctx) error {
	if named := transactionOf(c); named != "" {
		return d.FindTransaction(c, named)
	}
	token, transport, err := d.token(c)
	if err != nil || token == "" {
		return err
	}
	session, err := d.Store.SessionByToken(c.UserContext(), models.HashToken(token))
	if models.CodeOf(err) == models.CodeSessionRequired {
		return nil
	}
	if err != nil {
		return err
	}
	if session.Transport != transport {
		return nil // a token travels the way it was born, or not at all
	}
	return d.Admit(c, session)
}

// Admit makes a session that was found the request's, and notes that it was used. One
// that the policy lets live no longer leaves the request anonymous.
func (d *Door) Admit(c *fiber.Ctx, session models.Session) error {
	began, live, err := d.hold(c.UserContext(), &session)
	if err != nil || !live {
		return err
	}
	c.Locals(keySession, session)
	c.Locals(keyBegan, began)
	now := d.Now()
	// A page opens its line again whenever it was cut, with nobody before it.
	// Proxies that ask about one may keep Upgrade to themselves.
	line := strings.EqualFold(c.Get(fiber.HeaderUpgrade), "websocket") || c.Get(fiber.HeaderSecWebSocketKey) != "" || strings.Contains(c.Get(fiber.HeaderAccept), "text/event-stream")
	if session.State == models.Authenticated && !line && now.Sub(session.LastSeenAt) >= d.TouchEvery {
		return d.Store.Touch(c.UserContext(), session.Ref(), Client(c), now.Add(d.Policy(c).Timeouts.Idle.Std()))
	}
	return nil
}

// hold holds a session to the stricter of the policy it began with and the one
// in force. It is not live when its end has come under them, when it stands on a
// remembered device that they don't bear, or when it began under rules that nobody
// knows any more and is not signed in: it starts over.
func (d *Door) hold(ctx context.Context, session *models.Session) (began models.Policy, live bool, err error) {
	began, err = d.Policies.ByVersion(ctx, session.PolicyVersion)
	switch {
	case models.CodeOf(err) == models.CodeNotFound && session.State != models.Authenticated:
		return began, false, nil
	case models.CodeOf(err) == models.CodeNotFound:
		began = d.Policies.Current()
	case err != nil:
		return began, false, err
	}
	policy := began.Strictest(d.Policies.Current())
	clamp(session, policy)
	return began, d.Now().Before(session.ExpiresAt()) && policy.Bears(session.ACR()), nil
}

// States tells where those of the sessions stand that are live, for whoever holds
// something open for them.
func (d *Door) States(ctx context.Context, ids []models.ID) (map[models.ID]models.State, error) {
	sessions, err := d.Store.SessionsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	states := map[models.ID]models.State{}
	for _, session := range sessions {
		_, live, err := d.hold(ctx, &session)
		if err != nil {
			return nil, err
		}
		if live {
			states[session.ID] = session.State
		}
	}
	return states, nil
}

// clamp holds a session to timeouts that were made stricter after it began.
func clamp(s *models.Session, policy models.Policy) {
	idle, absolute := policy.Timeouts.Idle, policy.Timeouts.Absolute
	// Not the newest proof: a step-up must not put the absolute end off.
	from := s.CreatedAt
	switch s.State {
	case models.SecondFactorRequired:
		idle, absolute = policy.Timeouts.SecondFactor, policy.Timeouts.SecondFactor
	case models.EnrolmentRequired:
		idle, absolute = policy.Timeouts.Enrolment, policy.Timeouts.Enrolment
	case models.Resetting:
		idle, absolute = policy.Timeouts.SecondFactor, policy.Timeouts.SecondFactor
		from = s.ProvenAt()
	case models.TransactionFactorRequired, models.TransactionEnrolmentRequired, models.TransactionPassed:
		return // as long as its transaction, whose end the app was told
	case models.Recovering:
		idle, absolute = policy.Timeouts.Recovery, policy.Timeouts.Recovery
		from = s.ProvenAt() // the recovery code: nothing is proven after it
	default: // authenticated: as above
	}
	s.EndsAt = earlier(s.EndsAt, from.Add(absolute.Std()))
	s.IdleEndsAt = earlier(s.IdleEndsAt, s.LastSeenAt.Add(idle.Std()))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// token reads the one token of a request. A bearer token is refused to
// browsers: what a script can read, a script can leak.
func (d *Door) token(c *fiber.Ctx) (string, models.Transport, error) {
	if header := c.Get(fiber.HeaderAuthorization); header != "" {
		scheme, token, ok := strings.Cut(header, " ")
		if !ok || !strings.EqualFold(scheme, "Bearer") {
			return c.Cookies(d.cookieName()), models.Cookie, nil // some proxy's own credentials
		}
		if c.Get(fiber.HeaderOrigin) != "" {
			return "", "", models.Refuse(models.CodeCrossSite, "bearer tokens are for apps: a browser signs in with its cookie")
		}
		return strings.TrimSpace(token), models.Bearer, nil
	}
	return c.Cookies(d.cookieName()), models.Cookie, nil
}

// Transport checks the transport that a sign-in asks for; "" is the cookie.
func Transport(c *fiber.Ctx, asked string) (models.Transport, error) {
	switch models.Transport(asked) {
	case "", models.Cookie:
		return models.Cookie, nil
	case models.Bearer:
		if c.Get(fiber.HeaderOrigin) != "" {
			return "", models.Refuse(models.CodeCrossSite, "bearer tokens are for apps: a browser signs in with its cookie")
		}
		return models.Bearer, nil
	default:
		return "", models.Invalid("transport", "unknown", "transport is cookie or bearer")
	}
}
