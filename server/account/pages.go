package account

import (
	"fmt"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/mfa"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

// VerifyPage shows the factors that the person can use now, last used first.
func (h *Handlers) VerifyPage(c *fiber.Ctx) error {
	s := web.Session(c)
	enrolled, err := h.Door.Store.Enrolled(c.UserContext(), s)
	if err != nil {
		return err
	}
	used, err := h.Store.FactorsByUse(c.UserContext(), s.User.ID)
	if err != nil {
		return err
	}
	reason := h.Face.Unavailable(h.Policy(c))
	page := pages.VerifyPage{Layout: h.Layout(c), FaceAvailable: reason == "", FaceReason: reason, ByMail: models.ByMail(s.Methods), Next: web.NextPath(c)}
	page.Off = slices.ContainsFunc(enrolled.Disabled, func(f models.Factor) bool { return f != models.Device })
	recovery := h.Policy(c).Recovery
	page.Waiting, page.WaitHours = recovery.Waiting && h.Mails, int(recovery.Wait.Std().Hours())
	if wayBack, err := h.Store.WayBack(c.UserContext(), s.User.ID); err != nil {
		return err
	} else if wayBack != nil {
		page.UnderWay = true
		if wayBack.Kind == models.WaitingRecovery {
			over := wayBack.OverAt(recovery)
			page.OverAt = &over
		}
	}
	if remember := h.Policy(c).Remember; remember.Allowed && !page.ByMail {
		page.RememberFor, page.Subject = inWords(remember.Lifetime.Std()), models.SubjectOf(s.User.ID)
	}
	for _, f := range byUse(h.Counting(c, s, enrolled), used) {
		if f != models.Device { // which the page tries by itself
			page.Factors = append(page.Factors, string(f))
		}
	}
	return h.Render(c, page)
}

// inWords says how long something lasts, in whole days or hours.
func inWords(d time.Duration) string {
	n, unit := int(d/time.Hour), "hour"
	if n >= 48 {
		n, unit = n/24, "day"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// byUse puts the factors used last first; recovery codes stay last, for they
// are used up.
func byUse(usable, used []models.Factor) []models.Factor {
	rank := func(f models.Factor) int {
		if f == models.Recovery {
			return len(used) + 1
		}
		if i := slices.Index(used, f); i >= 0 {
			return i
		}
		return len(used)
	}
	sorted := slices.Clone(usable)
	slices.SortStableFunc(sorted, func(a, b models.Factor) int { return rank(a) - rank(b) })
	return sorted
}

// AccountPage shows who the person is here.
func (h *Handlers) AccountPage(c *fiber.Ctx) error {
	u := web.Session(c).User
	due, err := h.Store.DeletionDue(c.UserContext(), u.ID)
	if err != nil {
		return err
	}
	wayBack, err := h.Store.WayBack(c.UserContext(), u.ID)
	if err != nil {
		return err
	}
	var recovery *time.Time
	if wayBack != nil {
		recovery = &wayBack.BegunAt
	}
	addresses, err := h.Store.Addresses(c.UserContext(), u.ID)
	if err != nil {
		return err
	}
	return h.Render(c, pages.AccountPage{
		RecoverySince: recovery,
		Layout:        h.Layout(c), Email: u.Email, Username: u.Username, DisplayName: u.DisplayName, CreatedAt: u.CreatedAt,
		PasswordMin: h.Policy(c).Password.MinLength, PasswordMax: web.MaxPassword, FaceStatement: h.Face.Statement,
		EmailHeld: u.EmailHeld, EmailVerified: u.EmailVerified, SecondEmail: addresses.Second,
		EmailAsked: addresses.Waits(models.LinkChangeEmail), SecondEmailAsked: addresses.Waits(models.LinkSecondEmail),
		DeletionDue: due, DeletionGraceDays: int(h.Policy(c).Accounts.DeletionGrace.Std().Hours() / 24),
	})
}

// SecurityPage adds, renames and removes factors; in its first use it leads to
// the first one.
func (h *Handlers) SecurityPage(c *fiber.Ctx) error {
	ctx, userID := c.UserContext(), web.Session(c).User.ID
	page := pages.SecurityPage{Layout: h.Layout(c), Next: web.NextPath(c)}
	if s := web.Session(c); h.VerifyEmails && s.State == models.EnrolmentRequired && !s.User.EmailVerified {
		page.Unproven = s.User.Email
	}
	passkeys, err := h.Store.Passkeys(ctx, userID)
	if err != nil {
		return err
	}
	for _, p := range passkeys {
		page.Passkeys = append(page.Passkeys, pages.Passkey{
			ID: string(p.ID), Name: p.Name, CreatedAt: p.CreatedAt, LastUsedAt: p.LastUsedAt, Synced: p.BackupState, SetAside: p.QuarantinedAt != nil,
		})
	}
	enrolled, err := h.Door.Store.Enrolled(ctx, web.Session(c))
	if err != nil {
		return err
	}
	for _, f := range []models.Factor{models.Passkey, models.TOTP, models.Face} {
		if enrolled.Has(f) && mfa.Removable(enrolled, f) != nil {
			page.Needed = append(page.Needed, string(f))
		}
	}
	for _, f := range enrolled.Disabled {
		if f != models.Device { // which is remembered anew while signing in
			page.Off = append(page.Off, string(f))
		}
	}
	totp, err := h.Store.TOTP(ctx, userID)
	switch {
	case err == nil && !enrolled.TOTP: // off, and to be set up anew
	case err == nil:
		page.TOTPSince, page.TOTPSetAside = &totp.CreatedAt, totp.QuarantinedAt != nil
	case models.CodeOf(err) != models.CodeNotFound:
		return err
	}
	codes, err := h.Store.RecoveryCodes(ctx, web.Session(c))
	if err != nil {
		return err
	}
	page.RecoveryTotal = len(codes)
	for _, code := range codes {
		if code.UsedAt == nil {
			page.RecoveryLeft++
		}
	}
	freeze, err := h.Store.Freeze(ctx, userID)
	if err != nil {
		return err
	}
	if freeze.Active(h.Now()) {
		page.FrozenUntil = &freeze.Until
	}
	if page.Face, err = h.Face.State(ctx, userID, h.Policy(c)); err != nil {
		return err
	}
	return h.Render(c, page)
}

// SessionsPage lists where the person is signed in.
func (h *Handlers) SessionsPage(c *fiber.Ctx) error {
	list, err := h.sessions(c)
	if err != nil {
		return err
	}
	page := pages.SessionsPage{Layout: h.Layout(c)}
	for _, s := range list {
		row := pages.SessionRow{
			Machine: pages.Machine{Browser: s.Browser, Device: s.Device}, ID: string(s.ID), Current: s.Current, IP: s.IP, Place: s.Place, ACR: string(s.ACR),
			CreatedAt: s.CreatedAt, LastSeenAt: s.LastSeenAt, ExpiresAt: s.ExpiresAt,
		}
		for _, m := range s.Methods {
			row.Methods = append(row.Methods, string(m))
		}
		page.Sessions = append(page.Sessions, row)
	}
	remembered, err := h.remembered(c)
	if err != nil {
		return err
	}
	for _, d := range remembered {
		page.Remembered = append(page.Remembered, pages.RememberedRow{
			Machine: pages.Machine{Browser: d.Browser, Device: d.Device}, ID: string(d.ID), Current: d.Current, IP: d.IP, Place: d.Place, LastUsedAt: d.LastUsedAt, EndsAt: d.EndsAt,
		})
	}
	apps, err := h.Store.AppConsents(c.UserContext(), web.Session(c).User.ID)
	if err != nil {
		return err
	}
	for _, a := range apps {
		page.Apps = append(page.Apps, pages.AppRow{ID: a.AppID, Name: a.AppName, Scopes: a.Scopes, GivenAt: a.GivenAt})
	}
	return h.Render(c, page)
}
