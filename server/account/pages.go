package account

import (
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
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
	page := pages.VerifyPage{Layout: h.Layout(c), FaceAvailable: reason == "", FaceReason: reason, Off: len(enrolled.Disabled) > 0, ByMail: models.ByMail(s.Methods), Next: web.NextPath(c)}
	for _, f := range byUse(h.Counting(c, s, enrolled), used) {
		page.Factors = append(page.Factors, string(f))
	}
	return h.Render(c, page)
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
	addresses, err := h.Store.Addresses(c.UserContext(), u.ID)
	if err != nil {
		return err
	}
	return h.Render(c, pages.AccountPage{
		Layout: h.Layout(c), Email: u.Email, Username: u.Username, DisplayName: u.DisplayName, CreatedAt: u.CreatedAt,
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
	for _, f := range enrolled.Disabled {
		page.Off = append(page.Off, string(f))
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
			ID: string(s.ID), Current: s.Current, Browser: s.Browser, Device: s.Device, IP: s.IP, Place: s.Place, ACR: string(s.ACR),
			CreatedAt: s.CreatedAt, LastSeenAt: s.LastSeenAt, ExpiresAt: s.ExpiresAt,
		}
		for _, m := range s.Methods {
			row.Methods = append(row.Methods, string(m))
		}
		page.Sessions = append(page.Sessions, row)
	}
	return h.Render(c, page)
}
