package face

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

// ConsentText is what a person accepts before the camera opens.
type ConsentText struct {
	Version  string   `json:"version"`
	Language string   `json:"language"`
	Text     []string `json:"text"`   // paragraphs
	Cohort   []string `json:"cohort"` // of the separate opt-in
}

// builtIn is the text where the policy has none. Change it and its version
// together: people who accepted an older text are asked again. How long numbers are
// kept is a part of both.
func builtIn(unusedDays int) ConsentText {
	return ConsentText{
		Version:  fmt.Sprintf("2026-11-3/%d", unusedDays),
		Language: "en",
		Text: []string{
			"We watch you through your camera for a few seconds while you follow what the page says, and turn the best pictures into 128 numbers each that describe your face. We keep the numbers, sealed, and never the pictures.",
			"When you sign in we look again, compare the new numbers with yours, and throw pictures and new numbers away. We compare with nobody else’s, and look nobody up.",
			"The numbers serve to sign you in here and nothing else. They go to nobody. If you don’t use your face for " + strconv.Itoa(unusedDays) + " days, they are erased; we write to you first where we can.",
			"You can erase them at any time on your security page. They are gone at once, and other ways to sign in stay yours.",
			"You don’t have to: a passkey or an authenticator app does the same, and better.",
		},
		Cohort: []string{
			"Some people look alike to the measuring program. To treat everybody fairly it compares every result with those of a random sample of faces here. May your numbers be in that sample? Nobody can see who is in it or who was near to whom, and you can take yours out at any time.",
		},
	}
}

// Statement is what a face can't do even with liveness checked. The start-up
// log, the account page and the README say it.
const Statement = "Your face, with the movements that we ask for, stops a stranger and a photograph of you. It may not stop a well-made fake that is fed in place of the camera. A passkey protects you better."

// Consent is the text under a policy.
func (h *Handlers) Consent(policy models.Policy) ConsentText {
	if t := policy.Face.Consent; !t.IsZero() {
		return ConsentText{Version: t.Version, Language: t.Language, Text: t.Text, Cohort: t.Cohort}
	}
	return builtIn(policy.Face.UnusedDays)
}

// accepts refuses any version but this one.
func (t ConsentText) accepts(version string) error {
	if version != t.Version {
		return models.Invalid("consent_version", "outdated", "read and accept the present consent text first")
	}
	return nil
}

// consent is the ledger's row for accepting a part of the text.
func (t ConsentText) consent(kind models.ConsentKind) models.Consent {
	paragraphs := t.Text
	if kind == models.ConsentCohort {
		paragraphs = t.Cohort
	}
	sum := sha256.Sum256([]byte(strings.Join(paragraphs, "\n")))
	return models.Consent{Kind: kind, Version: t.Version, Language: t.Language, TextSHA256: sum[:]}
}

type consentRequest struct {
	ConsentVersion string `json:"consent_version"`
	Cohort         bool   `json:"cohort"`
}

// AgreeAnew answers POST /v1/me/face/consent: somebody who has a face here
// accepts a newer text, and says whether the template may serve in the cohort.
// Saying no to that erases it from there in the same transaction.
func (h *Handlers) AgreeAnew(c *fiber.Ctx) error {
	var r consentRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	text := h.Consent(h.Policy(c))
	if err := text.accepts(r.ConsentVersion); err != nil {
		return err
	}
	s := web.Session(c)
	face, err := h.Store.FaceFactor(c.UserContext(), s.User.ID)
	if err != nil {
		return err
	}
	if !face.Enrolled() {
		return models.Refuse(models.CodeConflict, "this account has not enrolled a face")
	}
	if err := h.Store.GiveConsent(c.UserContext(), s, text.consent(models.ConsentFace)); err != nil {
		return err
	}
	if r.Cohort {
		err = h.Store.GiveConsent(c.UserContext(), s, text.consent(models.ConsentCohort))
	} else {
		err = h.Store.LeaveCohort(c.UserContext(), s)
	}
	if err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// PrivacyPage shows everybody what is kept of a face, why and for how long, and
// how to withdraw (740 ILCS 14/15(a), GDPR article 13).
func (h *Handlers) PrivacyPage(c *fiber.Ctx) error {
	policy := h.Policy(c)
	text := h.Consent(policy)
	return h.Render(c, pages.PrivacyPage{
		Layout: h.Layout(c), Version: text.Version, Language: text.Language, Text: text.Text, Cohort: text.Cohort,
		UnusedDays: policy.Face.UnusedDays, Statement: Statement,
	})
}
