package transaction

import (
	"encoding/hex"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
	"github.com/sallyport/sallyport/server/web"
)

type createRequest struct {
	Subject     string          `json:"subject"`
	DisplayName string          `json:"display_name"`
	Factors     []models.Factor `json:"factors"`
	ACR         models.ACR      `json:"acr"`
	Purpose     string          `json:"purpose"`
	Context     contextRequest  `json:"context"`
	ReturnTo    string          `json:"return_to"`
	State       string          `json:"state"`
	Enrol       bool            `json:"enrol"`
	Display     models.Display  `json:"display"`
}

type contextRequest struct {
	Action  string `json:"action"`
	Details string `json:"details"`
}

type createdBody struct {
	ID          models.ID `json:"id"`
	URL         string    `json:"url"`
	ExpiresAt   time.Time `json:"expires_at"`
	ContextHash string    `json:"context_hash"`
}

// Create answers POST /v1/transactions. The secret stands in the address's fragment: no
// server and no scanner sees it, and only our page's script brings it.
func (h *Handlers) Create(c *fiber.Ctx) error {
	app, err := h.appOf(c)
	if err != nil {
		return err
	}
	var r createRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	if r.Display == "" {
		r.Display = models.DisplayPage
	}
	asked := models.Asked{
		Factors: r.Factors, ACR: r.ACR, Enrols: r.Enrol, Display: r.Display, ReturnTo: r.ReturnTo, State: r.State,
		Context: models.Context{Action: r.Context.Action, Details: r.Context.Details, Purpose: r.Purpose, Subject: r.Subject},
	}
	if err := asked.Check(app); err != nil {
		return err
	}
	if err := models.CheckDisplayName(r.DisplayName); err != nil {
		return err
	}
	if err := h.count(c, app, r.Subject); err != nil {
		return err
	}
	secret, now := seal.NewToken(), h.Now()
	t := models.Transaction{
		ID: models.NewID(now), App: app, User: models.User{AppID: app.ID, Subject: r.Subject, DisplayName: r.DisplayName}, Asked: asked,
		CreatedAt: now, ExpiresAt: now.Add(models.TransactionWithin),
	}
	by := models.Session{Client: web.Client(c), PolicyVersion: h.Policy(c).Version()}
	err = h.Store.BeginTransaction(c.UserContext(), t, models.HashToken(secret), by, func(a models.Attempt) (bool, error) {
		return judge(h.Policy(c), asked, a)
	})
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(createdBody{
		ID: t.ID, URL: h.Origin + "/transaction/" + string(t.ID) + "#" + secret, ExpiresAt: t.ExpiresAt, ContextHash: asked.Context.Hash(),
	})
}

// count counts what an app asks for, in all and of one subject: nobody who knows how to
// begin a sign-in at the app makes a person's page of requests.
func (h *Handlers) count(c *fiber.Ctx, app models.App, subject string) error {
	limits := h.Policy(c).Limits
	whose := models.NameSubject(hex.EncodeToString(h.Digester.Digest("subject", app.ID+"\n"+subject)))
	return h.Count(c, models.Try{Buckets: []models.Bucket{
		{Subject: models.AppSubject(app.ID), Kind: "transactions", Limit: limits.Transactions, Work: true},
		{Subject: whose, Kind: "transaction", Limit: limits.Transaction, Work: true},
	}})
}

// judge tells whether a subject can meet what is asked for, and whether it may set up its
// first factor. factor_required names what it has: it is the app's own subject.
func judge(policy models.Policy, asked models.Asked, a models.Attempt) (enrols bool, err error) {
	held := slices.DeleteFunc(a.Enrolled.List(), func(f models.Factor) bool { return !policy.Allows(f) })
	if len(asked.Usable(held)) > 0 {
		return false, nil
	}
	refusal := &models.Error{Code: models.CodeFactorRequired, Factors: held, Reason: "unmet", Message: "this subject has no second factor that would do"}
	switch {
	case a.Established && !a.Enrolled.Any():
		refusal.Reason = "factor_disabled"
	case len(held) > 0 || a.Established:
	case !asked.Enrols:
		refusal.Reason = "no_factor"
	case len(enrollable(policy, asked)) == 0:
		return false, models.Invalid("factors", "face_alone", "nothing can be set up first that would do: a face is never the only factor")
	default:
		return true, nil
	}
	return false, refusal
}

// enrollable are the factors that can be a subject's first.
func enrollable(policy models.Policy, asked models.Asked) []models.Factor {
	return slices.DeleteFunc(asked.Usable([]models.Factor{models.Passkey, models.TOTP}), func(f models.Factor) bool { return !policy.Allows(f) })
}
