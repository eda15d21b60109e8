// Package recovery is how a person comes back who lost their factors: by saved codes,
// by a letter's link and a factor that is left, by waiting, or by two admins.
package recovery

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// Store is what this part needs of the records.
type Store interface {
	RecoveryCodes(ctx context.Context, session models.Session) ([]models.RecoveryCode, error)
	ReplaceRecoveryCodes(ctx context.Context, ref models.Ref, codes []models.RecoveryCode, decide models.Decide) (models.Session, string, error)
	WayBack(ctx context.Context, userID models.ID) (*models.WayBack, error)
	AskRecovery(ctx context.Context, ref models.Ref, decide models.Decide) error
	BeginRecovery(ctx context.Context, token models.TokenHash, client models.Client, may func(models.Attempt) error) (models.WayBack, error)
	FinishRecovery(ctx context.Context, ref models.Ref, token models.TokenHash, decide models.Decide) (models.Session, string, error)
	FollowAssisted(ctx context.Context, token models.TokenHash, client models.Client, transport models.Transport, decide models.Decide) (models.Session, string, error)
	StopRecoveryByLink(ctx context.Context, token models.TokenHash, client models.Client) error
	StopRecovery(ctx context.Context, by models.Session) error
	LeaveReset(ctx context.Context, ref models.Ref, decide models.Decide) (models.Session, string, error)
	PassRecovery(ctx context.Context, ref models.Ref, id models.ID, decide models.Decide) (models.Session, string, error)
}

// Hasher makes and checks salted Argon2id hashes; an empty hash costs the same
// and never matches.
type Hasher interface {
	Hash(ctx context.Context, secret string) (string, error)
	Check(ctx context.Context, secret, phc string) (match, stale bool, err error)
}

// Handlers answers the requests of this part.
type Handlers struct {
	*web.Door
	Store  Store
	Hasher Hasher
}

type stateBody struct {
	Total     int        `json:"total"`
	Left      int        `json:"left"`
	CreatedAt *time.Time `json:"created_at,omitempty"`
}

// State answers GET /v1/me/recovery-codes: how many are left, never which.
func (h *Handlers) State(c *fiber.Ctx) error {
	codes, err := h.Store.RecoveryCodes(c.UserContext(), web.Session(c))
	if err != nil {
		return err
	}
	body := stateBody{Total: len(codes)}
	for _, code := range codes {
		body.CreatedAt = &code.CreatedAt
		if code.UsedAt == nil {
			body.Left++
		}
	}
	return c.JSON(body)
}

const issueKind = "codes"

// issueLimit bounds what one account may have hashed: a set takes ten.
var issueLimit = models.Limit{Max: 10, Window: models.Duration(time.Hour)}

type issuedBody struct {
	Codes   []string        `json:"codes"`
	Session web.SessionBody `json:"session"`
}

// Issue answers POST /v1/me/recovery-codes: a new set, shown this once, in
// place of the old one.
func (h *Handlers) Issue(c *fiber.Ctx) error {
	if err := web.Decode(c, &struct{}{}); err != nil {
		return err
	}
	s := web.Session(c)
	if err := h.CountAccount(c, issueKind, issueLimit); err != nil {
		return err
	}
	now := h.Now()
	body := issuedBody{}
	var records []models.RecoveryCode
	for row := 1; row <= Count; row++ {
		secret := newSecret()
		hash, err := h.Hasher.Hash(c.UserContext(), secret)
		if err != nil {
			return h.GiveBackShed(c, err)
		}
		records = append(records, models.RecoveryCode{ID: models.NewID(now), Row: row, Hash: hash})
		body.Codes = append(body.Codes, format(row, secret))
	}
	moved, token, err := h.Store.ReplaceRecoveryCodes(c.UserContext(), s.Ref(), records, h.Decide(c, models.Event{Kind: models.CodesIssued}))
	if err != nil {
		return err
	}
	body.Session, err = h.Opened(c, moved, token)
	if err != nil {
		return err
	}
	return c.JSON(body)
}

type codeRequest struct {
	Code string `json:"code"`
}

// Verify answers POST /v1/verify/recovery.
func (h *Handlers) Verify(c *fiber.Ctx) error {
	var r codeRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	row, secret, err := parse(r.Code)
	if err != nil {
		return err
	}
	s := web.Session(c)
	if err := h.Try(c, models.Recovery); err != nil {
		return err
	}
	codes, err := h.Store.RecoveryCodes(c.UserContext(), s)
	if err != nil {
		return err
	}
	var found models.RecoveryCode
	hash := ""
	for _, code := range codes {
		hash = code.Hash
		if code.Row == row && code.UsedAt == nil {
			found = code
			break
		}
	}
	// Without such a row a hash is computed all the same, at the cost of the set:
	// how long the answer takes must not tell which rows are left.
	right, _, err := h.Hasher.Check(c.UserContext(), secret, hash)
	if err != nil {
		return h.GiveBackShed(c, err)
	}
	if !right || found.ID == "" {
		return models.Refuse(models.CodeFactorRejected, "this code is not right, or was used already: take another of your list")
	}
	fresh := newSecret()
	code := models.Reissue{Used: found.ID, ID: models.NewID(h.Now())}
	if code.Hash, err = h.Hasher.Hash(c.UserContext(), fresh); err != nil {
		return h.GiveBackShed(c, err)
	}
	body := passedBody{}
	event := models.Event{Kind: models.FactorPassed, Factor: models.Recovery, Since: found.CreatedAt}
	decide := reissuing(h.Decide(c, event), code, func() { body.RecoveryCode = format(row, fresh) })
	moved, token, err := h.Store.PassRecovery(c.UserContext(), s.Ref(), found.ID, decide)
	if err != nil {
		return err
	}
	body.SessionBody, err = h.Opened(c, moved, token)
	if err != nil {
		return err
	}
	return c.JSON(body)
}

type passedBody struct {
	web.SessionBody
	// RecoveryCode takes the place of the one that was used. It is shown this once.
	RecoveryCode string `json:"recovery_code,omitempty"`
}

// reissuing fills the code in that takes the used one's place, and tells whether
// there is to be one.
func reissuing(decide models.Decide, code models.Reissue, issued func()) models.Decide {
	return func(a models.Attempt) (models.Attempt, []models.Effect, error) {
		moved, effects, err := decide(a)
		for i := range effects {
			if effects[i].Kind == models.EffectReissue {
				effects[i].Code = code
				issued()
			}
		}
		return moved, effects, err
	}
}
