package server

import (
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/mfa"
	"github.com/sallyport/sallyport/server/account"
	"github.com/sallyport/sallyport/server/auth"
	"github.com/sallyport/sallyport/server/chat"
	"github.com/sallyport/sallyport/server/face"
	"github.com/sallyport/sallyport/server/passkey"
	"github.com/sallyport/sallyport/server/recovery"
	"github.com/sallyport/sallyport/server/totp"
	"github.com/sallyport/sallyport/server/web"
)

type parts struct {
	auth     *auth.Handlers
	passkey  *passkey.Handlers
	totp     *totp.Handlers
	face     *face.Handlers
	recovery *recovery.Handlers
	account  *account.Handlers
	chat     *chat.Handlers
}

// route is a row of the route table. Whoever is not in one of the states is
// refused, so a route that says nothing is open to nobody but the anonymous.
type route struct {
	method, path string
	states       access
	body         int    // most bytes
	stepUp       stepUp // asked of an authenticated session beside its state
	handler      fiber.Handler
}

// access is the set of states that may use a route.
type access []models.State

var (
	anyone   = access{models.Anonymous, models.SecondFactorRequired, models.EnrolmentRequired, models.Recovering, models.Authenticated}
	signedIn = access{models.SecondFactorRequired, models.EnrolmentRequired, models.Recovering, models.Authenticated}
	// verify: to pass the second door, and to step up behind it.
	verify = access{models.SecondFactorRequired, models.Authenticated}
	// enrol: to set a first factor up, or replace what was lost, or add one.
	enrol = access{models.EnrolmentRequired, models.Recovering, models.Authenticated}
	// tidy: what a person who came in with a recovery code may do beside.
	tidy = access{models.Recovering, models.Authenticated}
	full = access{models.Authenticated}
)

// stepUp says which context a fresh proof must reach, given what the account
// holds. nil asks for none.
type stepUp func(models.Enrolled) models.ACR

func toAdd(f models.Factor) stepUp {
	return func(models.Enrolled) models.ACR { return mfa.Yields(f) }
}

// toChange: what guards the account is changed by its strongest proof alone.
func toChange(e models.Enrolled) models.ACR { return mfa.Strongest(e) }

const (
	small  = 16 << 10
	assert = 64 << 10 // WebAuthn responses with attestation certificates
)

// api is the v1 surface.
func (s *Server) api(p parts) []route {
	return []route{
		{"POST", "/v1/accounts", anyone, small, nil, p.auth.Register},
		{"POST", "/v1/password/advice", anyone, small, nil, p.auth.Advice},
		{"POST", "/v1/login", anyone, small, nil, p.auth.Login},
		{"POST", "/v1/login/passkey/options", anyone, small, nil, p.passkey.LoginOptions},
		{"POST", "/v1/login/passkey", anyone, assert, nil, p.passkey.Login},
		{"GET", "/v1/session", signedIn, 0, nil, p.auth.Session},
		{"DELETE", "/v1/session", signedIn, 0, nil, p.auth.Logout},

		{"POST", "/v1/verify/totp", verify, small, nil, p.totp.Verify},
		{"POST", "/v1/verify/recovery", verify, small, nil, p.recovery.Verify},
		{"POST", "/v1/verify/passkey/options", verify, small, nil, p.passkey.VerifyOptions},
		{"POST", "/v1/verify/passkey", verify, assert, nil, p.passkey.Verify},
		{"POST", "/v1/verify/face/challenge", verify, small, nil, p.face.VerifyChallenge},
		{"GET", "/v1/verify/face/capture", verify, 0, nil, p.face.Capture},
		{"POST", "/v1/verify/face", verify, small, nil, p.face.Verify},

		{"GET", "/v1/me", full, 0, nil, p.account.Me},
		{"GET", "/v1/me/passkeys", enrol, 0, nil, p.passkey.List},
		{"POST", "/v1/me/passkeys/options", enrol, small, toAdd(models.Passkey), p.passkey.EnrolOptions},
		{"POST", "/v1/me/passkeys", enrol, assert, nil, p.passkey.Enrol}, // judged by when its options were asked for
		{"PATCH", "/v1/me/passkeys/:id", full, small, nil, p.passkey.Rename},
		{"DELETE", "/v1/me/passkeys/:id", full, 0, toChange, p.passkey.Remove},
		{"GET", "/v1/me/totp", enrol, 0, nil, p.totp.State},
		{"POST", "/v1/me/totp", enrol, small, toAdd(models.TOTP), p.totp.Begin},
		{"POST", "/v1/me/totp/confirm", enrol, small, nil, p.totp.Confirm}, // likewise
		{"DELETE", "/v1/me/totp", full, 0, toChange, p.totp.Remove},
		{"GET", "/v1/me/recovery-codes", enrol, 0, nil, p.recovery.State},
		{"POST", "/v1/me/recovery-codes", enrol, small, toChange, p.recovery.Issue},
		{"GET", "/v1/me/face", enrol, 0, nil, p.face.State},
		{"POST", "/v1/me/face/challenge", enrol, small, toAdd(models.Face), p.face.EnrolChallenge},
		{"GET", "/v1/me/face/capture", enrol, 0, nil, p.face.Capture},
		{"POST", "/v1/me/face", enrol, small, nil, p.face.Enrol}, // likewise
		{"DELETE", "/v1/me/face", full, 0, toChange, p.face.Remove},
		{"POST", "/v1/me/face/consent", full, small, nil, p.face.AgreeAnew},
		{"GET", "/v1/me/devices", enrol, 0, nil, p.face.Devices},
		{"POST", "/v1/me/devices", full, small, toAdd(models.Passkey), p.face.AddDevice}, // the face itself is not enough
		{"DELETE", "/v1/me/devices/:id", full, 0, toChange, p.face.RemoveDevice},
		{"GET", "/v1/me/export", full, 0, toChange, p.account.Export},
		{"GET", "/v1/me/sessions", tidy, 0, nil, p.account.Sessions},
		{"DELETE", "/v1/me/sessions/:id", tidy, 0, nil, p.account.EndSession},
		{"DELETE", "/v1/me/sessions", tidy, 0, nil, p.account.EndOthers},
		{"POST", "/v1/me/password", full, small, toChange, p.auth.ChangePassword},
	}
}

// demo is the sample room, with `demo: true` alone.
func (s *Server) demo(p parts) []route {
	return []route{
		{"GET", "/v1/chat/messages", full, 0, nil, p.chat.Messages},
		{"POST", "/v1/chat/messages", full, small, nil, p.chat.Post},
		{"GET", "/v1/chat/socket", full, 0, nil, p.chat.Socket},
	}
}

// pages only read; a person in the wrong state is led to the right page.
func (s *Server) pages(p parts) []route {
	list := []route{
		{"GET", "/", access{}, 0, nil, notHere}, // leads everybody elsewhere
		{"GET", "/login", access{models.Anonymous}, 0, nil, p.auth.LoginPage},
		{"GET", "/register", access{models.Anonymous}, 0, nil, p.auth.RegisterPage},
		{"GET", "/verify", access{models.SecondFactorRequired}, 0, nil, p.account.VerifyPage},
		{"GET", "/privacy/biometrics", anyone, 0, nil, p.face.PrivacyPage},
		{"GET", "/account", full, 0, nil, p.account.AccountPage},
		{"GET", "/account/security", enrol, 0, nil, p.account.SecurityPage},
		{"GET", "/account/sessions", tidy, 0, nil, p.account.SessionsPage},
	}
	if s.deps.Demo {
		list = append(list, route{"GET", "/chat", full, 0, nil, p.chat.Page})
	}
	return list
}

// mount builds the app from the tables.
func (s *Server) mount(p parts) {
	s.app.Use(web.Uploads(maxBody), web.Recover, s.door.Headers(), web.RefuseEncoded, s.door.FindClient, s.deadline, s.door.RefuseCrossSite)
	s.app.Get("/healthz", s.healthz)
	s.app.Get("/readyz", s.readyz)
	s.app.Get("/openapi.json", openAPI)
	s.app.Get("/static/*", s.asset)
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
