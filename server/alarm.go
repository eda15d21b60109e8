package server

import (
	"context"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

const noteWithin = 2 * time.Second

// noteRefusal notes, in this one place for every factor, that a second factor was
// refused after the right password: its owner is told that somebody may know it.
func (s *Server) noteRefusal(c *fiber.Ctx, r route, session models.Session, err error) {
	rest, verifies := strings.CutPrefix(r.path, "/v1/verify/")
	code := models.CodeOf(err)
	if !verifies || session.State != models.SecondFactorRequired || models.ByMail(session.Methods) || code != models.CodeFactorRejected && code != models.CodeFaceMismatch {
		return
	}
	factor, _, _ := strings.Cut(rest, "/")
	// The request's own time may be used up: a face takes long.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), noteWithin)
	defer cancel()
	if err := s.deps.Store.RecordSecondFactorFailed(ctx, session, models.Factor(factor)); err != nil && models.CodeOf(err) != models.CodeSessionRequired {
		s.deps.Log.Warn("a refused second factor was not noted", "error", err)
	}
}
