package server

import (
	_ "embed"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

// healthz tells that the process answers.
func (s *Server) healthz(c *fiber.Ctx) error {
	return c.JSON(fiber.Map{"status": "ok"})
}

// readyz tells whether requests can be served: the records are in reach. Face
// is told apart, for everything else works without it.
func (s *Server) readyz(c *fiber.Ctx) error {
	if err := s.deps.Store.Ping(c.UserContext()); err != nil {
		return err
	}
	return c.JSON(fiber.Map{"status": "ok", "face": s.door.FaceReady()})
}

//go:embed openapi.json
var openAPIDocument []byte

func openAPI(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, "application/json")
	return c.Send(openAPIDocument)
}

// asset serves styles, scripts and pictures under names that change with their
// content, so they may be kept for good. On an app's host they lie below what is ours.
func (s *Server) asset(c *fiber.Ctx) error {
	body, kind, ok := s.door.Pages.Asset(strings.TrimPrefix(c.Path(), "/.sallyport"))
	if !ok {
		return notHere(c)
	}
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	return c.Send(body)
}

func notHere(*fiber.Ctx) error {
	return models.Refuse(models.CodeNotFound, "there is nothing here")
}
