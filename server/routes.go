package server

import (
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/account"
	"github.com/sallyport/sallyport/server/admin"
	"github.com/sallyport/sallyport/server/auth"
	"github.com/sallyport/sallyport/server/chat"
	"github.com/sallyport/sallyport/server/face"
	"github.com/sallyport/sallyport/server/forward"
	"github.com/sallyport/sallyport/server/link"
	"github.com/sallyport/sallyport/server/live"
	"github.com/sallyport/sallyport/server/oidc"
	"github.com/sallyport/sallyport/server/passkey"
	"github.com/sallyport/sallyport/server/recovery"
	"github.com/sallyport/sallyport/server/remembered"
	"github.com/sallyport/sallyport/server/stepup"
	"github.com/sallyport/sallyport/server/totp"
	"github.com/sallyport/sallyport/server/transaction"
	"github.com/sallyport/sallyport/server/web"
)

type parts struct {
	auth       *auth.Handlers
	passkey    *passkey.Handlers
	totp       *totp.Handlers
	face       *face.Handlers
	recovery   *recovery.Handlers
	remembered *remembered.Handlers
	account    *account.Handlers
	stepUp     *stepup.Handlers
	chat       *chat.Handlers
	link       *link.Handlers
	admin      *admin.Handlers
	live       *live.Handlers
	oidc       *oidc.Handlers
	forward    *forward.Handlers

	transaction *transaction.Handlers
}

// route is a row of the route table. Whoever is not in one of the states is
// refused, so a route that says nothing is open to nobody but the anonymous.
type route struct {
	method, path string
	states       access
	body         int // most bytes
	act          act // asked of an authenticated session beside its state
	handler      fiber.Handler
}

// access is the set of states that may use a route.
type access []models.State

var (
	anyone   = access{models.Anonymous, models.SecondFactorRequired, models.EnrolmentRequired, models.Recovering, models.Resetting, models.Authenticated}
	signedIn = access{models.SecondFactorRequired, models.EnrolmentRequired, models.Recovering, models.Resetting, models.Authenticated}
	// door: to pass the second door by what is no proof behind it.
	door = access{models.SecondFactorRequired}
	// verify: to pass the second door, and to step up behind it.
	verify = access{models.SecondFactorRequired, models.Authenticated}
	// enrol: to set a first factor up, or replace what was lost, or add one.
	enrol = access{models.EnrolmentRequired, models.Recovering, models.Authenticated}
	// tidy: what a person who came in with a recovery code may do beside.
	tidy = access{models.Recovering, models.Authenticated}
	full = access{models.Authenticated}
	// apps show who they are to the handler; they have no session.
	apps = access{models.Anonymous}
	// transact: what the page of a transaction does, beside a factor.
	transact = access{models.TransactionFactorRequired, models.TransactionEnrolmentRequired, models.TransactionPassed}
	// confirm and setUp are verify and enrol, there too.
	confirm = append(access{models.TransactionFactorRequired}, verify...)
	setUp   = append(access{models.TransactionEnrolmentRequired, models.TransactionPassed}, enrol...)
)

// act is what a route does that a session has to have asked for by a step-up. Where a
// ceremony leads to it, that is judged when the ceremony begins. What asks for nothing is
// open to a session on a remembered device as well: it reads, or takes access away.
type act struct {
	purpose models.Purpose
	begun   bool
	admin   bool // of admins alone; for everybody else there is nothing here
}

var free act

func byAdmins(a act) act { a.admin = true; return a }

func asks(p models.Purpose) act  { return act{purpose: p} }
func begun(p models.Purpose) act { return act{purpose: p, begun: true} }

const (
	small  = 16 << 10
	form   = 32 << 10 // an app with its keys
	assert = 64 << 10 // WebAuthn responses with attestation certificates
)

// api is the v1 surface.
func (s *Server) api(p parts) []route {
	return []route{
		{"POST", "/v1/accounts", anyone, small, free, p.auth.Register},
		{"POST", "/v1/password/advice", anyone, small, free, p.auth.Advice},
		{"POST", "/v1/password/forgot", anyone, small, free, p.auth.Forgot},
		{"POST", "/v1/password/reset", access{models.Resetting}, small, free, p.auth.Reset},
		{"POST", "/v1/login", anyone, small, free, p.auth.Login},
		{"POST", "/v1/login/passkey/options", anyone, small, free, p.passkey.LoginOptions},
		{"POST", "/v1/login/passkey", anyone, assert, free, p.passkey.Login},
		{"GET", "/v1/session", signedIn, 0, free, p.auth.Session},
		{"DELETE", "/v1/session", signedIn, 0, free, p.auth.Logout},
		{"GET", "/v1/session/events", anyone, 0, free, p.live.Events},
		{"POST", "/v1/session/confirm", full, small, asks(models.Authenticate), p.oidc.Confirm},
		{"POST", "/v1/authorizations/:id", full, small, free, p.oidc.Decide},
		{"POST", "/v1/device-authorizations", full, small, asks(models.SecondFactor), p.oidc.FindDevice},
		{"POST", "/v1/device-authorizations/:id", full, small, asks(models.AuthorizeDevice), p.oidc.AllowDevice},
		{"DELETE", "/v1/device-authorizations/:id", full, 0, free, p.oidc.DenyDevice},

		{"POST", "/v1/links/password-reset", anyone, small, free, p.auth.FollowReset},
		{"POST", "/v1/links/not-me", anyone, small, free, p.link.NotMe},
		{"POST", "/v1/links/begin-recovery", anyone, small, free, p.recovery.Begin},
		{"POST", "/v1/links/stop-recovery", anyone, small, free, p.recovery.StopByLink},
		{"POST", "/v1/links/assisted-recovery", anyone, small, free, p.recovery.FollowAssisted},

		{"GET", "/v1/recovery", verify, 0, free, p.recovery.Status},
		{"POST", "/v1/recovery", access{models.Resetting}, small, free, p.recovery.LeaveReset},
		{"POST", "/v1/recovery/wait", access{models.SecondFactorRequired}, small, free, p.recovery.Ask},
		{"POST", "/v1/recovery/finish", access{models.SecondFactorRequired}, small, free, p.recovery.Finish},
		{"POST", "/v1/links/confirm-email", anyone, small, free, p.auth.ConfirmEmail},
		{"POST", "/v1/links/verify-email", anyone, small, free, p.link.ProveEmail(models.LinkVerifyEmail)},
		{"POST", "/v1/links/change-email", anyone, small, free, p.link.ProveEmail(models.LinkChangeEmail)},
		{"POST", "/v1/links/second-email", anyone, small, free, p.link.ProveEmail(models.LinkSecondEmail)},
		{"POST", "/v1/links/undo-email", anyone, small, free, p.link.UndoEmail},

		{"POST", "/v1/transactions", apps, small, free, p.transaction.Create},
		{"GET", "/v1/transactions/:id", apps, 0, free, p.transaction.Status},
		{"POST", "/v1/transactions/:id/result", apps, small, free, p.transaction.Result},
		{"DELETE", "/v1/subjects/:id", apps, 0, free, p.transaction.Erase},
		{"POST", "/v1/transactions/:id/open", apps, small, free, p.transaction.Open},
		{"POST", "/v1/transactions/:id/return", access{models.TransactionPassed}, small, free, p.transaction.Return},
		{"POST", "/v1/transactions/:id/deny", transact, small, free, p.transaction.Deny},

		{"POST", "/v1/step-up", full, small, free, p.stepUp.Begin},
		{"POST", "/v1/verify/password", full, small, free, p.auth.Confirm},
		{"POST", "/v1/verify/totp", confirm, small, free, p.totp.Verify},
		{"POST", "/v1/verify/recovery", verify, small, free, p.recovery.Verify},
		{"POST", "/v1/verify/passkey/options", confirm, small, free, p.passkey.VerifyOptions},
		{"POST", "/v1/verify/passkey", confirm, assert, free, p.passkey.Verify},
		{"POST", "/v1/verify/device/options", door, small, free, p.remembered.Options},
		{"POST", "/v1/verify/device", door, small, free, p.remembered.Verify},
		{"POST", "/v1/verify/face/challenge", confirm, small, free, p.face.VerifyChallenge},
		{"GET", "/v1/verify/face/capture", confirm, 0, free, p.face.Capture},
		{"POST", "/v1/verify/face", confirm, small, free, p.face.Verify},

		{"GET", "/v1/me", full, 0, free, p.account.Me},
		{"GET", "/v1/me/passkeys", enrol, 0, free, p.passkey.List},
		{"POST", "/v1/me/passkeys/options", setUp, small, asks(models.AddPasskey), p.passkey.EnrolOptions},
		{"POST", "/v1/me/passkeys", setUp, assert, begun(models.AddPasskey), p.passkey.Enrol},
		{"PATCH", "/v1/me/passkeys/:id", full, small, asks(models.SecondFactor), p.passkey.Rename},
		{"DELETE", "/v1/me/passkeys/:id", full, 0, asks(models.RemovePasskey), p.passkey.Remove},
		{"GET", "/v1/me/totp", enrol, 0, free, p.totp.State},
		{"POST", "/v1/me/totp", setUp, small, asks(models.AddTOTP), p.totp.Begin},
		{"POST", "/v1/me/totp/confirm", setUp, small, begun(models.AddTOTP), p.totp.Confirm},
		{"DELETE", "/v1/me/totp", full, 0, asks(models.RemoveTOTP), p.totp.Remove},
		{"GET", "/v1/me/recovery-codes", enrol, 0, free, p.recovery.State},
		{"POST", "/v1/me/recovery-codes", enrol, small, asks(models.NewRecoveryCodes), p.recovery.Issue},
		{"DELETE", "/v1/me/recovery", full, 0, asks(models.SecondFactor), p.recovery.Stop},
		{"GET", "/v1/me/face", enrol, 0, free, p.face.State},
		{"POST", "/v1/me/face/challenge", setUp, small, asks(models.AddFace), p.face.EnrolChallenge},
		{"GET", "/v1/me/face/capture", setUp, 0, free, p.face.Capture},
		{"POST", "/v1/me/face", setUp, small, begun(models.AddFace), p.face.Enrol},
		{"DELETE", "/v1/me/face", full, 0, asks(models.RemoveFace), p.face.Remove},
		{"POST", "/v1/me/face/consent", full, small, asks(models.SecondFactor), p.face.AgreeAnew},
		{"GET", "/v1/me/devices", enrol, 0, free, p.face.Devices},
		{"POST", "/v1/me/devices", full, small, asks(models.AddDevice), p.face.AddDevice},
		{"DELETE", "/v1/me/devices/:id", full, 0, asks(models.RemoveDevice), p.face.RemoveDevice},
		{"DELETE", "/v1/me", full, 0, asks(models.DeleteAccount), p.account.Delete},
		{"POST", "/v1/me/restore", full, small, asks(models.SecondFactor), p.account.Restore},
		{"GET", "/v1/me/events", full, 0, free, p.account.Events},
		{"GET", "/v1/me/export", full, 0, asks(models.Export), p.account.Export},
		{"GET", "/v1/me/sessions", tidy, 0, free, p.account.Sessions},
		{"DELETE", "/v1/me/sessions/:id", tidy, 0, free, p.account.EndSession},
		{"DELETE", "/v1/me/sessions", tidy, 0, free, p.account.EndSessions},
		{"GET", "/v1/me/remembered-devices", full, 0, free, p.account.Remembered},
		{"POST", "/v1/me/remembered-devices", full, small, free, p.remembered.Remember},
		{"DELETE", "/v1/me/remembered-devices/:id", full, 0, free, p.account.Forget},
		{"GET", "/v1/me/apps", full, 0, free, p.oidc.Apps},
		{"DELETE", "/v1/me/apps/:id", full, 0, free, p.oidc.Withdraw},
		{"POST", "/v1/me/password", full, small, asks(models.ChangePassword), p.auth.ChangePassword},
		{"POST", "/v1/me/email", full, small, asks(models.ChangeEmail), p.auth.ChangeEmail},
		{"POST", "/v1/me/email/verification", access{models.EnrolmentRequired, models.Authenticated}, small, free, p.auth.SendVerification},
		{"POST", "/v1/me/email/second", full, small, asks(models.ChangeEmail), p.auth.AddSecondEmail},
		{"DELETE", "/v1/me/email/second", full, 0, asks(models.ChangeEmail), p.auth.RemoveSecondEmail},

		{"GET", "/v1/admin/recoveries", full, 0, byAdmins(free), p.admin.Recoveries},
		{"POST", "/v1/admin/recoveries", full, small, byAdmins(asks(models.OpenRecovery)), p.admin.Open},
		{"POST", "/v1/admin/recoveries/:id/approve", full, small, byAdmins(asks(models.ApproveRecovery)), p.admin.Approve},
		{"DELETE", "/v1/admin/recoveries/:id", full, 0, byAdmins(free), p.admin.Withdraw},
		{"GET", "/v1/admin/events", full, 0, byAdmins(free), p.admin.Events},
		{"GET", "/v1/admin/clients", full, 0, byAdmins(free), p.admin.Clients},
		{"POST", "/v1/admin/clients", full, form, byAdmins(asks(models.ManageClients)), p.admin.AddClient},
		{"GET", "/v1/admin/clients/:id", full, 0, byAdmins(free), p.admin.Client},
		{"PUT", "/v1/admin/clients/:id", full, form, byAdmins(asks(models.ManageClients)), p.admin.ChangeClient},
		{"DELETE", "/v1/admin/clients/:id", full, 0, byAdmins(asks(models.ManageClients)), p.admin.RemoveClient},
		{"POST", "/v1/admin/clients/:id/secrets", full, small, byAdmins(asks(models.ManageClients)), p.admin.RotateClientSecret},
		{"GET", "/v1/admin/webhooks", full, 0, byAdmins(free), p.admin.Webhooks},
		{"POST", "/v1/admin/webhooks", full, small, byAdmins(asks(models.ManageWebhooks)), p.admin.AddWebhook},
		{"PATCH", "/v1/admin/webhooks/:id", full, small, byAdmins(asks(models.ManageWebhooks)), p.admin.ChangeWebhook},
		{"DELETE", "/v1/admin/webhooks/:id", full, 0, byAdmins(asks(models.ManageWebhooks)), p.admin.RemoveWebhook},
		{"POST", "/v1/admin/webhooks/:id/secrets", full, small, byAdmins(asks(models.ManageWebhooks)), p.admin.RotateSecret},
		{"POST", "/v1/admin/webhooks/:id/test", full, small, byAdmins(free), p.admin.TestWebhook},
		{"GET", "/v1/admin/webhooks/:id/deliveries", full, 0, byAdmins(free), p.admin.Deliveries},
		{"POST", "/v1/admin/deliveries/:id/replay", full, small, byAdmins(free), p.admin.Replay},
	}
}

// demo is the sample room, with `demo: true` alone.
func (s *Server) demo(p parts) []route {
	return []route{
		{"GET", "/v1/chat/messages", full, 0, free, p.chat.Messages},
		{"POST", "/v1/chat/messages", full, small, free, p.chat.Post},
		{"GET", "/v1/chat/socket", full, 0, free, p.live.Socket(chat.Topic)},
	}
}

// proxied is what proxies ask about apps, and hand over on the hosts of apps: see
// server/forward. The session there is another cookie's, so no guard stands before it; and
// proxies ask with what the app was sent, whatever its encoding or the site it came from.
func (s *Server) proxied(p parts) {
	s.app.Get("/authz/nginx", p.forward.Nginx)
	s.app.All("/authz/forward", p.forward.Forward)
	s.app.All("/authz/envoy/*", p.forward.Envoy)
	s.app.Get("/.sallyport/start", p.forward.Start)
	s.app.Get("/.sallyport/callback", p.forward.Callback)
	s.app.Post("/.sallyport/signout", p.forward.SignOut)
	s.app.Get("/.sallyport/static/*", s.asset)
}

// pages only read; a person in the wrong state is led to the right page.
func (s *Server) pages(p parts) []route {
	list := []route{
		{"GET", "/", access{}, 0, free, notHere}, // leads everybody elsewhere
		{"GET", "/login", access{models.Anonymous}, 0, free, p.auth.LoginPage},
		{"GET", "/register", access{models.Anonymous}, 0, free, p.auth.RegisterPage},
		{"GET", "/verify", access{models.SecondFactorRequired}, 0, free, p.account.VerifyPage},
		{"GET", "/privacy/biometrics", anyone, 0, free, p.face.PrivacyPage},
		{"GET", "/forgot", access{models.Anonymous}, 0, free, p.auth.ForgotPage},
		{"GET", "/reset", access{models.Resetting}, 0, free, p.auth.ResetPage},
		{"GET", "/link/password-reset", anyone, 0, free, p.auth.ResetLinkPage},
		{"GET", "/link/not-me", anyone, 0, free, p.link.NotMePage},
		{"GET", "/link/begin-recovery", anyone, 0, free, p.recovery.LinkPage(models.LinkBeginRecovery)},
		{"GET", "/link/stop-recovery", anyone, 0, free, p.recovery.LinkPage(models.LinkStopRecovery)},
		{"GET", "/link/finish-recovery", anyone, 0, free, p.recovery.LinkPage(models.LinkFinishRecovery)},
		{"GET", "/link/assisted-recovery", anyone, 0, free, p.recovery.LinkPage(models.LinkAssistedRecovery)},
		{"GET", "/link/confirm-email", anyone, 0, free, p.auth.ConfirmEmailPage},
		{"GET", "/link/verify-email", anyone, 0, free, p.link.ProveEmailPage(models.LinkVerifyEmail)},
		{"GET", "/link/change-email", anyone, 0, free, p.link.ProveEmailPage(models.LinkChangeEmail)},
		{"GET", "/link/second-email", anyone, 0, free, p.link.ProveEmailPage(models.LinkSecondEmail)},
		{"GET", "/link/undo-email", anyone, 0, free, p.link.UndoEmailPage},
		{"GET", "/transaction/:id", append(transact, anyone...), 0, free, p.transaction.Page},
		{"GET", "/forward/continue", full, 0, free, p.forward.Continue},
		{"GET", "/account", full, 0, free, p.account.AccountPage},
		{"GET", "/account/security", enrol, 0, free, p.account.SecurityPage},
		{"GET", "/account/activity", full, 0, free, p.account.ActivityPage},
		{"GET", "/account/sessions", tidy, 0, free, p.account.SessionsPage},
		{"GET", "/confirm", full, 0, free, p.oidc.ConfirmPage},
		{"GET", "/device", full, 0, free, p.oidc.DevicePage},
		{"GET", "/device/:id", full, 0, free, p.oidc.FoundDevicePage},
		{"GET", "/admin/recoveries", full, 0, byAdmins(free), p.admin.Page},
	}
	if s.deps.Demo {
		list = append(list, route{"GET", "/chat", full, 0, free, p.chat.Page})
	}
	return list
}

func allowBody(most int) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := web.AllowBody(c, most); err != nil {
			return err
		}
		return c.Next()
	}
}

// mount builds the app from the tables.
func (s *Server) mount(p parts) {
	s.app.Use(web.Uploads(maxBody), web.Recover, s.door.Headers(), s.door.FindClient, s.deadline)
	s.proxied(p)
	s.app.Use(web.RefuseEncoded)
	// Apps come here, and browsers that they send: neither are our own pages.
	for _, r := range p.oidc.Routes() {
		s.app.Add(r.Method, r.Path, allowBody(r.Body), r.Handler)
	}
	s.app.Use(s.door.ShareWithApps, s.door.RefuseCrossSite)
	s.app.Get("/healthz", s.healthz)
	s.app.Get("/readyz", s.readyz)
	s.app.Get("/openapi.json", openAPI)
	s.app.Get("/static/*", s.asset)
	s.app.Get("/sdk/sallyport.js", s.sdk)
	s.app.Get("/.well-known/webauthn", p.passkey.RelatedOrigins)
	s.app.Get("/.well-known/assetlinks.json", p.passkey.AssetLinks)
	s.app.Get("/.well-known/apple-app-site-association", p.passkey.AppleAssociation)
	table := s.api(p)
	if s.deps.Demo {
		table = append(table, s.demo(p)...)
	}
	for _, r := range table {
		s.app.Add(r.method, r.path, s.guard(r), r.handler)
	}
	for _, r := range s.pages(p) {
		s.app.Add(r.method, r.path, s.lead(r), r.handler)
	}
	s.app.Use(s.fallback(table))
}
