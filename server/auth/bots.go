package auth

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// Bots is the check that somebody, or at least a computer that works for it,
// stands behind a request.
type Bots struct {
	Digester   Digester
	Store      ProofStore
	Now        func() time.Time
	Log        *slog.Logger
	Siteverify Siteverify
	Client     *http.Client
}

// maxProof bounds a proof: Turnstile's tokens have up to 2048 characters.
const maxProof = 2048

// checkBot asks for a proof once one of the subjects has failed often. A proof
// lets one request through, and takes nothing from any limit.
func (h *Handlers) checkBot(c *fiber.Ctx, factor models.Factor, proof string, subjects ...string) error {
	policy := h.Policies.Current().BotCheck
	if policy.Provider == models.BotOff {
		return nil
	}
	if len(proof) > maxProof {
		return models.Invalid("bot_check", "length", "this is no proof that was asked for")
	}
	try := models.Try{Factor: factor}
	for _, subject := range subjects {
		try.Buckets = append(try.Buckets, models.Bucket{Subject: subject, Kind: "bot_check", Limit: policy.Limit()})
	}
	err := h.Count(c, try)
	if models.CodeOf(err) != models.CodeRateLimited {
		return err
	}
	if proof != "" {
		if holds, err := h.Bots.verify(c.UserContext(), policy.Provider, proof, web.Client(c).IP); err != nil || holds {
			return err
		}
	}
	return &models.Error{
		Code: models.CodeBotCheckRequired, Message: "show that you are no robot, then try again", BotCheck: h.Bots.challenge(policy),
	}
}

func (b *Bots) challenge(policy models.BotCheckPolicy) *models.BotChallenge {
	if policy.Provider == models.BotSiteverify {
		return &models.BotChallenge{Provider: models.BotSiteverify, SiteKey: b.Siteverify.SiteKey}
	}
	return b.newWork(policy.MaxNumber)
}

func (b *Bots) verify(ctx context.Context, provider models.BotProvider, proof, ip string) (bool, error) {
	if provider == models.BotSiteverify {
		return b.ask(ctx, proof, ip), nil
	}
	return b.worked(ctx, proof)
}
