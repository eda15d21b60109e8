package passkey

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
	"github.com/sallyport/sallyport/server/web"
)

type loginOptionsRequest struct {
	Transport string `json:"transport"`
}

type loginOptionsBody struct {
	PublicKey protocol.PublicKeyCredentialRequestOptions `json:"publicKey"`
	// Ceremony is what an app without cookies sends back with the assertion.
	Ceremony string `json:"ceremony,omitempty"`
}

// LoginOptions answers POST /v1/login/passkey/options: a challenge for any
// passkey of this site, bound to this browser by a pre-session cookie.
func (h *Handlers) LoginOptions(c *fiber.Ctx) error {
	var r loginOptionsRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	transport, err := web.Transport(c, r.Transport)
	if err != nil {
		return err
	}
	if err := h.CountNetworkOrDevice(c, "passkey_login", h.Policies.Current().Limits.PasskeyLogin); err != nil {
		return err
	}
	assertion, data, err := h.Party.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return fmt.Errorf("beginning discoverable assertion: %w", err)
	}
	doc, err := json.Marshal(data)
	if err != nil {
		return err
	}
	token, now := seal.NewToken(), h.Now()
	err = h.Store.CreateChallenge(c.UserContext(), models.Challenge{
		ID: models.NewID(now), Purpose: purposeLogin, Binding: models.HashToken(token), Data: doc, ExpiresAt: now.Add(ceremonyWithin),
	})
	if err != nil {
		return err
	}
	body := loginOptionsBody{PublicKey: assertion.Response}
	if transport == models.Bearer {
		body.Ceremony = token
	} else {
		h.SetPreSession(c, token, now.Add(ceremonyWithin))
	}
	return c.JSON(body)
}

// loginExtras is what an app adds to AuthenticationResponseJSON.
type loginExtras struct {
	Transport string `json:"transport"`
	Ceremony  string `json:"ceremony"`
}

// Login answers POST /v1/login/passkey. Whatever is wrong gets the same
// answer, or an attacker learns which user handles exist.
func (h *Handlers) Login(c *fiber.Ctx) error {
	response, err := web.RawJSON(c)
	if err != nil {
		return err
	}
	var extras loginExtras
	if err := json.Unmarshal(response, &extras); err != nil {
		return malformed(err)
	}
	transport, err := web.Transport(c, extras.Transport)
	if err != nil {
		return err
	}
	data, err := h.takePreSession(c, transport, extras.Ceremony)
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return malformed(err)
	}
	var records []models.PasskeyRecord
	var storeErr error
	_, credential, err := h.Party.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		user, err := h.Store.UserByHandle(c.UserContext(), handle)
		if err != nil {
			storeErr = err
			return nil, err
		}
		p, found, err := h.load(c.UserContext(), user)
		records, storeErr = found, err
		return p, err
	}, data, parsed)
	if code := models.CodeOf(storeErr); storeErr != nil && code != models.CodeNotFound {
		return storeErr // out of reach is never "wrong passkey"
	}
	if err != nil {
		return refused(detailed(err))
	}
	row, err := h.asserted(c, records, credential)
	if err != nil {
		if models.CodeOf(err) == models.CodeFactorRejected {
			return refused(err)
		}
		return err
	}
	event := models.Event{Kind: models.PasskeySignIn, Factor: models.Passkey, UV: parsed.Response.AuthenticatorData.Flags.HasUserVerified(), Key: models.PasskeyKind(row.BackupEligible), Since: row.CreatedAt}
	session, token, err := h.Store.OpenSessionByPasskey(c.UserContext(), row, web.Client(c), transport, h.DecideFor(c, row.UserID, event))
	if models.CodeOf(err) == models.CodeFactorRejected {
		return refused(err)
	}
	if err != nil {
		return err
	}
	h.EndReplaced(c)
	return h.Answer(c, fiber.StatusOK, session, token)
}

// takePreSession gives the data of a ceremony that began without a session.
func (h *Handlers) takePreSession(c *fiber.Ctx, transport models.Transport, ceremony string) (webauthn.SessionData, error) {
	var data webauthn.SessionData
	binding, bound := models.HashToken(ceremony), ceremony != ""
	if transport == models.Cookie {
		binding, bound = h.TakePreSession(c)
	}
	if !bound {
		return data, models.Refuse(models.CodeChallengeExpired, "this took too long: start again")
	}
	challenge, err := h.Store.ConsumePreSessionChallenge(c.UserContext(), binding, purposeLogin)
	if err != nil {
		return data, err
	}
	return data, json.Unmarshal(challenge.Data, &data)
}

func refused(cause error) error {
	var own *models.Error
	if errors.As(cause, &own) && own.Code == models.CodeUnavailable {
		return cause
	}
	return &models.Error{Code: models.CodeInvalidCredentials, Message: "this passkey does not sign in here: use your password, or another passkey", Cause: cause}
}
