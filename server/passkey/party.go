package passkey

import (
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// party is who the request's ceremony is for, and whether it needs its user verified. In a
// frame of an app the browser says in whose page it stands: that has to be one of the
// origins that the app registered (WebAuthn Level 3 section 13.4.9). Anywhere else a
// ceremony in a frame is refused.
func (h *Handlers) party(c *fiber.Ctx) (*webauthn.WebAuthn, protocol.UserVerificationRequirement, error) {
	verification := protocol.VerificationPreferred
	t, _ := web.Transaction(c)
	if t.Asked.ACR == models.ACRAAL2 {
		verification = protocol.VerificationRequired
	}
	if t.Asked.Display != models.DisplayFrame {
		return h.Party, verification, nil
	}
	framed := *h.Party.Config
	framed.RPAllowCrossOrigin, framed.RPTopOrigins = true, t.App.Transactions.FrameAncestors
	party, err := webauthn.New(&framed)
	if err != nil {
		return nil, "", fmt.Errorf("relying party for a frame of %s: %w", t.App.ID, err)
	}
	return party, verification, nil
}
