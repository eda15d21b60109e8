package server

import (
	"crypto/sha256"
	_ "embed"
	"fmt"
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
	if strings.Contains(c.Path(), "/sdk/") {
		forEverybody(c)
	}
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	return c.Send(body)
}

// sdk answers GET /sdk/sallyport.js.
func (s *Server) sdk(c *fiber.Ctx) error {
	forEverybody(c)
	c.Set(fiber.HeaderContentType, "text/javascript; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "no-cache") // kept, and asked about each time
	body := s.door.Pages.SDK()
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256([]byte(body)))
	c.Set(fiber.HeaderETag, tag)
	if c.Get(fiber.HeaderIfNoneMatch) == tag {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return c.SendString(body)
}

// forEverybody lets any page import a script: there is nothing of anybody in it.
func forEverybody(c *fiber.Ctx) {
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	c.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

func notHere(*fiber.Ctx) error {
	return models.Refuse(models.CodeNotFound, "there is nothing here")
}
