package passkey

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// maxPasskeys bounds how many an account holds: the allow list of every
// sign-in carries them all.
const maxPasskeys = 20

// EnrolOptions answers POST /v1/me/passkeys/options.
func (h *Handlers) EnrolOptions(c *fiber.Ctx) error {
	if err := web.Decode(c, &struct{}{}); err != nil {
		return err
	}
	s := web.Session(c)
	p, _, err := h.load(c.UserContext(), s.User)
	if err != nil {
		return err
	}
	if len(p.passkeys) >= maxPasskeys {
		return models.Refuse(models.CodeConflict, fmt.Sprintf("an account can hold %d passkeys: remove one first", maxPasskeys))
	}
	party, verification, err := h.party(c)
	if err != nil {
		return err
	}
	creation, data, err := party.BeginRegistration(p,
		webauthn.WithExclusions(webauthn.Credentials(p.passkeys).CredentialDescriptors()),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			ResidentKey:      residence(c),
			UserVerification: verification,
		}),
		webauthn.WithExtensions(webauthn.WithExtensionCredProps()),
	)
	if err != nil {
		return fmt.Errorf("beginning registration: %w", err)
	}
	if err := h.issue(c, purposeEnrol, data, ""); err != nil {
		return err
	}
	return c.JSON(fiber.Map{"publicKey": creation.Response})
}

// residence asks for a passkey that signs in alone. Preferred, not required: a key without
// room for discoverable credentials still makes a second factor. An app's subject signs in
// nowhere, so theirs is better not offered at our login.
func residence(c *fiber.Ctx) protocol.ResidentKeyRequirement {
	if _, ok := web.Transaction(c); ok {
		return protocol.ResidentKeyRequirementDiscouraged
	}
	return protocol.ResidentKeyRequirementPreferred
}

type enrolRequest struct {
	Name       string          `json:"name"`
	Credential json.RawMessage `json:"credential"`
}

type enrolledBody struct {
	Passkey passkeyBody     `json:"passkey"`
	Session web.SessionBody `json:"session"`
}

// Enrol answers POST /v1/me/passkeys. The new passkey proves itself in doing
// so, so a first enrolment ends signed in.
func (h *Handlers) Enrol(c *fiber.Ctx) error {
	var r enrolRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	name, err := checkName(r.Name)
	if err != nil {
		return err
	}
	s := web.Session(c)
	challenge, data, err := h.take(c, purposeEnrol)
	if err != nil {
		return err
	}
	p, records, err := h.load(c.UserContext(), s.User)
	if err != nil {
		return err
	}
	party, _, err := h.party(c)
	if err != nil {
		return err
	}
	credential, uv, err := register(party, p, data, r.Credential)
	if err != nil {
		return err
	}
	if name == "" {
		name = fmt.Sprintf("Passkey %d", len(records)+1)
	}
	row, err := record(models.PasskeyRecord{ID: models.NewID(h.Now()), UserID: s.User.ID, Name: name, CreatedAt: h.Now()}, h.Party.Config.RPID, credential)
	if err != nil {
		return err
	}
	event := models.Event{Kind: models.FactorEnrolled, Factor: models.Passkey, Object: row.ID, UV: uv, Key: models.PasskeyKind(row.BackupEligible), Begun: challenge.CreatedAt}
	moved, token, err := h.Store.EnrolPasskey(c.UserContext(), s.Ref(), row, h.Decide(c, event))
	if err != nil {
		return err
	}
	body := enrolledBody{Passkey: describe(row)}
	if body.Session, err = h.Opened(c, moved, token); err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(body)
}

// register checks a registration response against the ceremony it answers and
// reads the UV bit from it (WebAuthn Level 3 section 7.1).
func register(party *webauthn.WebAuthn, p person, data webauthn.SessionData, response []byte) (credential *webauthn.Credential, uv bool, err error) {
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return nil, false, &models.Error{Code: models.CodeInvalidRequest, Field: "credential", Reason: "malformed", Message: "this is no passkey that we can read", Cause: detailed(err)}
	}
	credential, err = party.CreateCredential(p, data, parsed)
	if err != nil {
		return nil, false, rejected(detailed(err))
	}
	return credential, parsed.Response.AttestationObject.AuthData.Flags.HasUserVerified(), nil
}

const maxName = 64

// checkName reads the name that a person gives a passkey.
func checkName(typed string) (string, error) {
	name := strings.TrimSpace(typed)
	if utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, unicode.IsControl) {
		return "", models.Invalid("name", "too_long", fmt.Sprintf("use at most %d characters, without line breaks", maxName))
	}
	return name, nil
}

// issue keeps a ceremony's data for the request's session, and for the step-up that
// its answer is a proof for.
func (h *Handlers) issue(c *fiber.Ctx, purpose string, data *webauthn.SessionData, stepUp models.ID) error {
	doc, err := json.Marshal(data)
	if err != nil {
		return err
	}
	s := web.Session(c)
	now := h.Now()
	return h.Store.CreateChallenge(c.UserContext(), models.Challenge{
		ID: models.NewID(now), Purpose: purpose, SessionID: s.ID, UserID: s.User.ID, StepUp: stepUp, Data: doc, ExpiresAt: now.Add(ceremonyWithin),
	})
}

// take gives the data of a ceremony, once.
func (h *Handlers) take(c *fiber.Ctx, purpose string) (models.Challenge, webauthn.SessionData, error) {
	var data webauthn.SessionData
	challenge, err := h.Store.ConsumeChallenge(c.UserContext(), web.Session(c).ID, purpose, "")
	if err != nil {
		return challenge, data, err
	}
	return challenge, data, json.Unmarshal(challenge.Data, &data)
}

// detailed brings out what the library keeps for developers.
func detailed(err error) error {
	var e *protocol.Error
	if errors.As(err, &e) {
		return fmt.Errorf("%s: %s (%s)", e.Type, e.Details, e.DevInfo)
	}
	return err
}

type passkeyBody struct {
	ID         models.ID  `json:"id"`
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	Synced     bool       `json:"synced"`
	// QuarantinedAt is when it was set aside: it opens nothing then.
	QuarantinedAt *time.Time `json:"quarantined_at,omitempty"`
}

func describe(p models.PasskeyRecord) passkeyBody {
	return passkeyBody{ID: p.ID, Name: p.Name, CreatedAt: p.CreatedAt, LastUsedAt: p.LastUsedAt, Synced: p.BackupState, QuarantinedAt: p.QuarantinedAt}
}
