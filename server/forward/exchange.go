package forward

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
	"github.com/sallyport/sallyport/server/web"
)

// The cookies of an app's host: the browser's token there, and the one by which it is
// known again when it comes back from Sallyport.
const (
	appCookie = "sallyport-app"
	preCookie = "sallyport-app-pre"
)

// preWithin is how long a person may take to sign in.
const preWithin = time.Hour

// host is the app's host that a request was sent to, as its proxy tells.
func (h *Handlers) host(c *fiber.Ctx) (string, error) {
	if err := h.trusted(c); err != nil {
		return "", err
	}
	forwarded, err := one(c, fiber.HeaderXForwardedHost)
	if err != nil {
		return "", err
	}
	return h.app(forwarded)
}

// Start answers GET /.sallyport/start?rd= on an app's host: it leads to Sallyport, and
// notes in the browser that it set out. Tabs that set out at once share that note. What
// is too long to be brought back leads to the app's front page.
func (h *Handlers) Start(c *fiber.Ctx) error {
	host, err := h.host(c)
	if err != nil {
		return err
	}
	to := c.Query("rd", "/")
	if _, err := h.rule(host, to); err != nil {
		return err
	}
	pre := h.HostCookie(c, preCookie)
	if !isToken(pre) {
		pre = seal.NewToken()
	}
	h.SetHostCookie(c, preCookie, pre, h.Now().Add(preWithin))
	binding := models.HashToken(pre)
	next := continueAt(host, to, binding)
	if web.SafeNext(next) == "" {
		next = continueAt(host, "/", binding)
	}
	return c.Redirect(h.Origin+next, fiber.StatusSeeOther)
}

func continueAt(host, to string, binding models.TokenHash) string {
	q := url.Values{"app": {host}, "rd": {to}, "state": {base64.RawURLEncoding.EncodeToString(binding[:])}}
	return "/forward/continue?" + q.Encode()
}

// Continue answers GET /forward/continue on Sallyport's own host: it sends a person who
// has what the app asks for back there with a code, and others to what is missing.
func (h *Handlers) Continue(c *fiber.Ctx) error {
	// A picture of another site must not have codes made.
	if mode := c.Get("Sec-Fetch-Mode"); mode != "" && mode != "navigate" {
		return models.Refuse(models.CodeCrossSite, "this address is for people who open it")
	}
	host, err := h.app(c.Query("app"))
	if err != nil {
		return err
	}
	to := c.Query("rd")
	rule, err := h.rule(host, to)
	if err != nil {
		return err
	}
	binding, err := base64.RawURLEncoding.Strict().DecodeString(c.Query("state"))
	if err != nil || len(binding) != sha256.Size {
		return models.Invalid("state", "syntax", "open the app again")
	}
	session, now := web.Session(c), h.Now()
	switch judge(rule, session, now) {
	case theGroup:
		return wrongGroup()
	case theSession, aProof:
		return c.Redirect(confirmAt(rule, c.OriginalURL()), fiber.StatusSeeOther)
	case nothing:
	}
	code := seal.NewToken()
	err = h.Store.IssueHostCode(c.UserContext(), session, models.HostCode{
		Code: models.HashToken(code), Host: host, Binding: models.TokenHash(binding), To: to, ExpiresAt: now.Add(models.HostCodeWithin),
	})
	if err != nil {
		return err
	}
	return c.Redirect(h.origin(host)+below+"callback?code="+code, fiber.StatusSeeOther)
}

// confirmAt is the page where a session proves what a rule asks for.
func confirmAt(rule models.ForwardRule, next string) string {
	q := url.Values{"next": {next}}
	if rule.ACR != "" {
		q.Set("acr", string(rule.ACR))
	}
	if rule.MaxAge != 0 {
		q.Set("max_age", strconv.Itoa(int(rule.MaxAge.Std().Seconds())))
	}
	return "/confirm?" + q.Encode()
}

// Callback answers GET /.sallyport/callback?code= on an app's host: the browser that set
// out there gets its token for that host. A code in any other browser, or at another
// host, is worth nothing.
func (h *Handlers) Callback(c *fiber.Ctx) error {
	host, err := h.host(c)
	if err != nil {
		return err
	}
	code, binding := models.HashToken(c.Query("code")), models.HashToken(h.HostCookie(c, preCookie))
	session, token, to, err := h.Store.EnterHost(c.UserContext(), code, binding, host)
	if err != nil {
		return err
	}
	h.SetHostCookie(c, appCookie, token, session.EndsAt)
	return c.Redirect(h.origin(host)+to, fiber.StatusSeeOther)
}

// SignOut answers POST /.sallyport/signout on an app's host. It ends the session behind:
// else the app would let the person in again at once, and nobody take that for signing out.
func (h *Handlers) SignOut(c *fiber.Ctx) error {
	host, err := h.host(c)
	if err != nil {
		return err
	}
	switch site := c.Get("Sec-Fetch-Site"); {
	case site == "same-origin", site == "none":
	case site == "" && (c.Get(fiber.HeaderOrigin) == "" || c.Get(fiber.HeaderOrigin) == h.origin(host)):
	default:
		return models.Refuse(models.CodeCrossSite, "this request came from another site")
	}
	if err := h.findSession(c, host); err != nil {
		return err
	}
	if session := web.Session(c); session.State != models.Anonymous {
		if err := h.Door.Store.EndSession(c.UserContext(), session, session.ID); err != nil && models.CodeOf(err) != models.CodeNotFound {
			return err
		}
	}
	h.SetHostCookie(c, appCookie, "", time.Unix(0, 0))
	return c.Redirect(h.Origin+"/", fiber.StatusSeeOther)
}

// isToken tells whether text looks like what seal.NewToken makes.
func isToken(text string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(raw) == 32
}
