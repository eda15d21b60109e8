package passkey

import (
	"bytes"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

type verifyRequest struct {
	StepUp string `json:"step_up"`
}

// VerifyOptions answers POST /v1/verify/passkey/options. Issuing a challenge
// counts as the attempt that it allows.
func (h *Handlers) VerifyOptions(c *fiber.Ctx) error {
	var r verifyRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	stepUp, err := web.StepUpID(r.StepUp)
	if err != nil {
		return err
	}
	p, _, err := h.load(c.UserContext(), web.Session(c).User)
	if err != nil {
		return err
	}
	if len(p.passkeys) == 0 {
		return models.Refuse(models.CodeConflict, "this account has no passkey: choose another way")
	}
	if err := h.TryChallenge(c, models.Passkey); err != nil {
		return err
	}
	party, verification, err := h.party(c)
	if err != nil {
		return err
	}
	assertion, data, err := party.BeginLogin(p, webauthn.WithUserVerification(verification))
	if err != nil {
		return fmt.Errorf("beginning assertion: %w", err)
	}
	if err := h.issue(c, purposeVerify, data, stepUp); err != nil {
		return err
	}
	return c.JSON(fiber.Map{"publicKey": assertion.Response})
}

// Verify answers POST /v1/verify/passkey: as second factor, and as step-up.
func (h *Handlers) Verify(c *fiber.Ctx) error {
	response, err := web.RawJSON(c)
	if err != nil {
		return err
	}
	s := web.Session(c)
	challenge, data, err := h.take(c, purposeVerify)
	if err != nil {
		return err
	}
	p, records, err := h.load(c.UserContext(), s.User)
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return malformed(err)
	}
	if err := h.TryAnswer(c, models.Passkey); err != nil {
		return err
	}
	party, _, err := h.party(c)
	if err != nil {
		return err
	}
	credential, err := party.ValidateLogin(p, data, parsed)
	if err != nil {
		return rejected(detailed(err))
	}
	row, err := h.asserted(c, records, credential)
	if err != nil {
		return err
	}
	event := models.Event{Kind: models.FactorPassed, Factor: models.Passkey, UV: parsed.Response.AuthenticatorData.Flags.HasUserVerified(), Key: models.PasskeyKind(row.BackupEligible), Since: row.CreatedAt}
	moved, token, err := h.Store.PassPasskey(c.UserContext(), s.Proving(challenge.StepUp), row, h.Decide(c, event))
	if err != nil {
		return err
	}
	return h.Answer(c, fiber.StatusOK, moved, token)
}

// asserted finds the record of a credential that was just proven, with what
// the assertion changed in it. A counter that went back is recorded and
// refused: somebody may hold a copy (WebAuthn Level 3 section 6.1.1).
func (h *Handlers) asserted(c *fiber.Ctx, records []models.PasskeyRecord, credential *webauthn.Credential) (models.PasskeyRecord, error) {
	for _, r := range records {
		if !bytes.Equal(r.CredentialID, credential.ID) {
			continue
		}
		// The library latches the warning of an earlier regression; this
		// assertion is judged by its own counter.
		fresh := credential.Authenticator.SignCount > r.SignCount || credential.Authenticator.SignCount == 0 && r.SignCount == 0
		if credential.Authenticator.CloneWarning && !fresh {
			if err := h.Store.RecordClone(c.UserContext(), r, web.Client(c), h.Policy(c).Version()); err != nil {
				return models.PasskeyRecord{}, err
			}
			return models.PasskeyRecord{}, rejected(fmt.Errorf("counter went back from %d", r.SignCount))
		}
		return record(r, h.Party.Config.RPID, credential)
	}
	return models.PasskeyRecord{}, rejected(fmt.Errorf("credential has no record"))
}

func malformed(err error) error {
	return &models.Error{Code: models.CodeInvalidRequest, Reason: "malformed", Message: "this is no passkey answer that we can read", Cause: detailed(err)}
}
