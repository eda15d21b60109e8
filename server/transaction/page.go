package transaction

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

// Page answers GET /transaction/{id}. Looking at it does nothing: what is to be confirmed
// is shown to the browser that has opened it alone.
func (h *Handlers) Page(c *fiber.Ctx) error {
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	t, err := h.Store.Transaction(c.UserContext(), id)
	if err != nil {
		return err
	}
	letShow(c, t)
	if err := h.FindTransaction(c, string(id)); err != nil {
		return err
	}
	page := pages.TransactionPage{Layout: h.Layout(c), ID: string(id), App: t.App.Name, Display: string(t.Asked.Display)}
	page.State, page.Path = "", "" // of no account, and at no place of ours
	page.Transaction = page.ID
	session := web.Session(c)
	switch {
	case !t.Allowed() || t.StatusAt(h.Now()) != models.TransactionPending && t.StatusAt(h.Now()) != models.TransactionDone:
		page.Step = pages.TransactionOver
		c.Status(http.StatusGone)
	case t.OpenedAt == nil:
		page.Step = pages.TransactionOpening
	case session.State == models.Anonymous:
		page.Step = pages.TransactionElsewhere
		c.Status(http.StatusConflict)
	default:
		if err := h.fill(c, &page, t, session); err != nil {
			return err
		}
	}
	return h.RenderAs(c, c.Response().StatusCode(), page)
}

// fill shows what is to be confirmed, and by what.
func (h *Handlers) fill(c *fiber.Ctx, page *pages.TransactionPage, t models.Transaction, session models.Session) error {
	policy := h.Policy(c)
	page.Action, page.Details = t.Asked.Context.Action, strings.Split(t.Asked.Context.Details, "\n")
	page.Name, page.EndsAt = t.User.DisplayName, t.ExpiresAt
	page.FaceReason = h.FaceUnavailable(policy)
	usable, err := h.UsableFactors(c, session)
	if err != nil {
		return err
	}
	switch session.State {
	case models.TransactionFactorRequired:
		page.Step = pages.TransactionConfirm
		for _, f := range usable {
			page.Factors = append(page.Factors, string(f))
		}
		return nil
	case models.TransactionEnrolmentRequired:
		page.Step = pages.TransactionChoose
		for _, f := range enrollable(policy, t.Asked) {
			page.Factors = append(page.Factors, string(f))
		}
		return nil
	default: // passed
		page.Step = pages.TransactionDone
	}
	if !t.Enrolled {
		return nil
	}
	page.Step = pages.TransactionEnrolled
	if t.Asked.Takes(models.Face) && page.FaceReason == "" && !slices.Contains(usable, models.Face) {
		face, err := h.FaceState(c.UserContext(), session.User.ID, policy)
		if err != nil {
			return err
		}
		page.Face = &face
	}
	return nil
}

// letShow lets the page stand where its app said that it will: in a frame of the app's own
// pages, or in a window that may tell its opener. Everywhere else all stays shut.
func letShow(c *fiber.Ctx, t models.Transaction) {
	switch t.Asked.Display {
	case models.DisplayFrame:
		if t.Allowed() {
			policy := string(c.Response().Header.Peek(fiber.HeaderContentSecurityPolicy))
			ancestors := "frame-ancestors " + strings.Join(t.App.Transactions.FrameAncestors, " ")
			c.Set(fiber.HeaderContentSecurityPolicy, strings.Replace(policy, "frame-ancestors 'none'", ancestors, 1))
		}
	case models.DisplayPopup:
		c.Set("Cross-Origin-Opener-Policy", "unsafe-none")
	default: // a page
	}
}
