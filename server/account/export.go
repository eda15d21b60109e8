package account

import (
	"encoding/hex"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// exportBody is what is kept about an account, but for secrets: templates,
// keys and codes are told of by when they were made.
type exportBody struct {
	ExportedAt    time.Time       `json:"exported_at"`
	User          *web.UserBody   `json:"user"`
	CreatedAt     time.Time       `json:"created_at"`
	Groups        []string        `json:"groups"`
	Passkeys      []exportedKey   `json:"passkeys"`
	TOTPSince     *time.Time      `json:"totp_since"`
	RecoveryCodes int             `json:"recovery_codes_left"`
	Face          *exportedFace   `json:"face"`
	Consents      []exportedClaim `json:"consents"`
	Devices       []exportedKey   `json:"devices"`
	Remembered    []deviceBody    `json:"remembered_devices"`
	Sessions      []sessionBody   `json:"sessions"`
	exportedDossier
}

type exportedKey struct {
	ID         models.ID  `json:"id"`
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

type exportedFace struct {
	EnrolledAt time.Time     `json:"enrolled_at"`
	LastUsedAt time.Time     `json:"last_used_at"`
	DisabledAt *time.Time    `json:"disabled_at"`
	Sittings   []exportedSit `json:"sittings"`
}

type exportedSit struct {
	At        time.Time `json:"at"`
	Model     string    `json:"model"`
	Templates int       `json:"templates"`
}

// exportedClaim is a row of the ledger of consents.
type exportedClaim struct {
	Kind        models.ConsentKind `json:"kind"`
	Version     string             `json:"version"`
	Language    string             `json:"language"`
	TextSHA256  string             `json:"text_sha256"`
	GivenAt     time.Time          `json:"given_at"`
	WithdrawnAt *time.Time         `json:"withdrawn_at"`
}

// Export answers GET /v1/me/export.
func (h *Handlers) Export(c *fiber.Ctx) error {
	ctx, s := c.UserContext(), web.Session(c)
	body := exportBody{
		ExportedAt: h.Now(), User: web.NewUserBody(s.User), CreatedAt: s.User.CreatedAt, Groups: s.User.Groups,
		Passkeys: []exportedKey{}, Consents: []exportedClaim{}, Devices: []exportedKey{},
	}
	passkeys, err := h.Store.Passkeys(ctx, s.User.ID)
	if err != nil {
		return err
	}
	for _, p := range passkeys {
		body.Passkeys = append(body.Passkeys, exportedKey{p.ID, p.Name, p.CreatedAt, p.LastUsedAt})
	}
	totp, err := h.Store.TOTP(ctx, s.User.ID)
	switch {
	case err == nil:
		body.TOTPSince = &totp.CreatedAt
	case models.CodeOf(err) != models.CodeNotFound:
		return err
	}
	enrolled, err := h.Door.Store.Enrolled(ctx, s)
	if err != nil {
		return err
	}
	body.RecoveryCodes = enrolled.Codes
	if err := h.exportFace(c, &body); err != nil {
		return err
	}
	if body.Remembered, err = h.remembered(c); err != nil {
		return err
	}
	if body.Sessions, err = h.sessions(c); err != nil {
		return err
	}
	if body.exportedDossier, err = h.dossier(c); err != nil {
		return err
	}
	if err := h.Store.RecordExport(ctx, s.Ref(), h.Decide(c, models.Event{Kind: models.Exported})); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="export.json"`)
	return c.JSON(body)
}

func (h *Handlers) exportFace(c *fiber.Ctx, body *exportBody) error {
	ctx, id := c.UserContext(), web.Session(c).User.ID
	face, err := h.Store.FaceFactor(ctx, id)
	if err != nil {
		return err
	}
	if face.Enrolled() {
		body.Face = &exportedFace{EnrolledAt: face.EnrolledAt, LastUsedAt: face.LastUsedAt, DisabledAt: face.DisabledAt}
		for _, sitting := range face.Captures {
			body.Face.Sittings = append(body.Face.Sittings, exportedSit{sitting.CreatedAt, sitting.Model, len(sitting.Templates)})
		}
	}
	ledger, err := h.Store.Consents(ctx, id)
	if err != nil {
		return err
	}
	for _, row := range ledger {
		body.Consents = append(body.Consents, exportedClaim{row.Kind, row.Version, row.Language, hex.EncodeToString(row.TextSHA256), row.GivenAt, row.WithdrawnAt})
	}
	devices, err := h.Store.DeviceKeys(ctx, id)
	if err != nil {
		return err
	}
	for _, k := range devices {
		body.Devices = append(body.Devices, exportedKey{k.ID, k.Name, k.CreatedAt, &k.LastUsedAt})
	}
	return nil
}
