package server

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/mfa"
	"github.com/sallyport/sallyport/server/web"
)

// deadline bounds a request: fasthttp's own context never ends.
func (s *Server) deadline(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), s.deps.RequestWithin)
	defer cancel()
	c.SetUserContext(ctx)
	return c.Next()
}

// guard lets a request through to its handler when its session is in one of
// the route's states and has proven what the route asks for afresh.
func (s *Server) guard(r route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := s.door.FindSession(c); err != nil {
			return err
		}
		session := web.Session(c)
		if !slices.Contains(r.states, session.State) {
			return mfa.Refusal(session.State)
		}
		if r.act.admin && !helps(session) {
			return notHere(c)
		}
		if err := web.AllowBody(c, r.body); err != nil {
			return err
		}
		// What begins an enrolment is refused with it: the machine judges its end.
		if r.act.purpose != "" && session.State == models.EnrolmentRequired {
			if err := mfa.RefuseUnproven(models.Attempt{MustVerify: s.door.VerifyEmails, EmailVerified: session.User.EmailVerified}); err != nil {
				return err
			}
		}
		if t, _ := web.Transaction(c); r.act.purpose != "" && session.State == models.TransactionPassed && !t.Enrolled {
			return mfa.Refusal(session.State)
		}
		if r.act.purpose != "" && session.State == models.Authenticated {
			if err := s.checkStepUp(c, r, session); err != nil {
				return err
			}
		}
		err := c.Next()
		s.noteRefusal(c, r, session, err)
		return err
	}
}

// helps tells whether a session is an admin's, past both doors by factors.
func helps(s models.Session) bool { return s.User.Admin && s.ACR().Level() == 2 }

// checkStepUp notes what the request does and refuses it before its body is read,
// unless the session asked for it and gave its proofs. The store uses the step-up
// up with the write itself.
func (s *Server) checkStepUp(c *fiber.Ctx, r route, session models.Session) error {
	act := models.Act{Purpose: r.act.purpose, Object: c.Params("id")}
	web.SetAct(c, act)
	if r.act.begun {
		return nil
	}
	enrolled, err := s.deps.Store.Enrolled(c.UserContext(), session)
	if err != nil {
		return err
	}
	asked, err := s.deps.Store.StepUp(c.UserContext(), session.ID, act)
	if err != nil {
		return err
	}
	attempt := models.Attempt{State: session.State, Methods: session.Methods, Enrolled: enrolled, StepUp: asked}
	return mfa.StepUp(s.door.Policy(c), attempt, act.Purpose, s.deps.Now())
}

// lead shows a page to whom it is for and leads everybody else to theirs,
// without losing where they were going.
func (s *Server) lead(r route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := s.door.FindSession(c); err != nil {
			return err
		}
		state := web.Session(c).State
		if slices.Contains(r.states, state) {
			if r.act.admin && !helps(web.Session(c)) {
				return notHere(c)
			}
			return c.Next()
		}
		next := web.NextPath(c)
		if r.path != "/" && slices.Contains(r.states, models.Authenticated) {
			next = web.SafeNext(c.OriginalURL()) // they were going right here
		}
		return c.Redirect(s.place(state, next), http.StatusSeeOther)
	}
}

// place is where a person in a state belongs.
func (s *Server) place(state models.State, next string) string {
	var path string
	switch state {
	case models.Anonymous:
		path = "/login"
	case models.SecondFactorRequired:
		path = "/verify"
	case models.Resetting:
		return "/reset"
	case models.EnrolmentRequired, models.Recovering:
		path = "/account/security"
	default:
		if next != "" && !slices.Contains([]string{"/", "/login", "/register", "/verify"}, strings.SplitN(next, "?", 2)[0]) {
			return next
		}
		if s.deps.Demo {
			return "/chat"
		}
		return "/account"
	}
	if next == "" {
		return path
	}
	return path + "?next=" + url.QueryEscape(next)
}

// fallback answers what no route takes: 405 where another method would do.
func (s *Server) fallback(table []route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		var allowed []string
		for _, r := range table {
			if matches(r.path, c.Path()) {
				allowed = append(allowed, r.method)
			}
		}
		if len(allowed) == 0 {
			return notHere(c)
		}
		c.Set(fiber.HeaderAllow, strings.Join(allowed, ", "))
		return models.Refuse(models.CodeMethodNotAllowed, "this address does not take that method")
	}
}

func matches(pattern, path string) bool {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && !strings.HasPrefix(want[i], ":") {
			return false
		}
	}
	return true
}
