// Package auth is the first door: registering, signing in with a password, and
// signing out.
package auth

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// Store is what this part needs of the records.
type Store interface {
	CreateAccount(ctx context.Context, u models.NewUser, client models.Client, transport models.Transport, decide models.Decide) (models.Session, string, error)
	OpenSession(ctx context.Context, userID models.ID, hash string, client models.Client, transport models.Transport, decide models.Decide) (models.Session, string, error)
	PasswordDecoy(ctx context.Context, digest []byte) (string, error)
	CredentialsByIdentifier(ctx context.Context, canonical string) (models.Credentials, error)
	CredentialsByID(ctx context.Context, id models.ID) (models.Credentials, error)
	PassPassword(ctx context.Context, ref models.Ref, hash string, decide models.Decide) (models.Session, string, error)
	RehashPassword(ctx context.Context, userID models.ID, old, fresh string) error
	Register(ctx context.Context, u models.NewUser, by models.Session, unchecked bool) error
	Unconfirmed(ctx context.Context, usernameCanonical string) (models.Credentials, error)
	RegisterAgain(ctx context.Context, userID models.ID, claim models.Claim, client models.Client) error
	UnconfirmedByLink(ctx context.Context, token models.TokenHash) (models.Credentials, error)
	ConfirmEmail(ctx context.Context, token models.TokenHash, hash string, client models.Client, transport models.Transport, decide models.Decide) (models.Session, string, error)
	ClaimEmail(ctx context.Context, by models.Session, canonical string) error
	AskEmail(ctx context.Context, ref models.Ref, claim models.Claim, client models.Client, decide models.Decide) (models.Session, string, error)
	ChangeEmail(ctx context.Context, ref models.Ref, claim models.Claim, client models.Client, decide models.Decide) (models.Session, string, error)
	RemoveSecondEmail(ctx context.Context, ref models.Ref, decide models.Decide) (models.Session, string, error)
	AskReset(ctx context.Context, emailCanonical string, client models.Client) error
	FollowReset(ctx context.Context, token models.TokenHash, client models.Client, transport models.Transport, decide models.Decide) (models.Session, string, error)
	ResetPassword(ctx context.Context, ref models.Ref, fresh string, decide models.Decide) error
	AbandonSignIn(ctx context.Context, by models.Session) error
	ProofStore
	ChangePassword(ctx context.Context, ref models.Ref, old, fresh string, decide models.Decide) (models.Session, string, error)
}

// ProofStore remembers which proofs of work were used.
type ProofStore interface {
	SpendProof(ctx context.Context, challenge []byte, expires time.Time) (first bool, err error)
}

// Digester gives keyed hashes of names that nobody has registered.
type Digester interface {
	Digest(purpose, value string) []byte
}

// Handlers answers the requests of this part.
type Handlers struct {
	*web.Door
	Store    Store
	Digester Digester
	Hasher   *Hasher
	Breaches Breaches // nil where nobody is asked
	Sources  *Sources
	Bots     *Bots
	SiteName string

	unasked seldom
}

// Session answers GET /v1/session.
func (h *Handlers) Session(c *fiber.Ctx) error {
	return h.Answer(c, fiber.StatusOK, web.Session(c), "")
}

// Logout answers DELETE /v1/session.
func (h *Handlers) Logout(c *fiber.Ctx) error {
	s := web.Session(c)
	var err error
	if s.State == models.SecondFactorRequired {
		err = h.Store.AbandonSignIn(c.UserContext(), s)
	} else {
		err = h.Door.Store.EndSession(c.UserContext(), s, s.ID)
	}
	if err != nil && models.CodeOf(err) != models.CodeNotFound {
		return err
	}
	h.ClearSession(c)
	return c.SendStatus(fiber.StatusNoContent)
}
