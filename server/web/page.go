package web

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	pages "github.com/sallyport/sallyport/web"
)

// Layout is what the frame of a page shows of this request.
func (d *Door) Layout(c *fiber.Ctx) pages.Layout {
	layout := pages.Layout{Path: c.Path(), Demo: d.Demo, Mails: d.Mails, FaceReady: d.FaceReady(), FaceColours: d.Policy(c).Face.Liveness == models.LivenessActiveFlash}
	if s := Session(c); s.State != models.Anonymous {
		layout.State = string(s.State)
		if s.State == models.Authenticated || s.State == models.EnrolmentRequired {
			layout.User = &pages.User{Username: s.User.Username, DisplayName: s.User.DisplayName}
		}
	}
	return layout
}

// Render sends a page.
func (d *Door) Render(c *fiber.Ctx, page pages.Page) error {
	return d.RenderAs(c, fiber.StatusOK, page)
}

// RenderAs sends a page with a status.
func (d *Door) RenderAs(c *fiber.Ctx, status int, page pages.Page) error {
	c.Status(status).Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return d.Pages.Render(c, page)
}

// NextPath is where the person was going: a path on this site, or "".
func NextPath(c *fiber.Ctx) string { return SafeNext(c.Query("next")) }

// SafeNext lets a path of our own through and nothing that a browser could
// read as another site, such as //evil.example or /\evil.example, also once it
// has taken dots out of it, as in /.//evil.example.
func SafeNext(next string) string {
	if !strings.HasPrefix(next, "/") || len(next) > 2048 || strings.ContainsAny(next, "\\\r\n\t\x00") || strings.HasPrefix(next, "//") {
		return ""
	}
	u, err := url.Parse(next)
	if err != nil || u.Host != "" || u.Scheme != "" || strings.Contains(u.Path, "//") || strings.Contains(u.Path, "\\") {
		return ""
	}
	return next
}

// MaxPassword is the longest password that is taken, in code points.
const MaxPassword = 256
