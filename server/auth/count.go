package auth

import (
	"encoding/hex"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// nameSubject is who a typed name's tries are counted for, whether anybody has
// it or not, and each of an account's two names apart: else whoever uses one up
// and tries the other learns that they belong together.
func (h *Handlers) nameSubject(canonical string) string {
	return models.NameSubject(hex.EncodeToString(h.Digester.Digest("identifier", canonical)))
}

// nameSubjects are those of an account's names that it signs in by: an address that
// isn't its own is another's.
func (h *Handlers) nameSubjects(u models.User) []string {
	names := []string{h.nameSubject(canonicalIdentifier(u.Username))}
	if u.EmailHeld {
		names = append(names, h.nameSubject(canonicalIdentifier(u.Email)))
	}
	return names
}

// countSignIn counts a sign-in by password before anything is hashed. On a known
// device of the account it is counted there and nowhere else, so that nothing
// strangers do keeps its owner out. user is the zero user for a name that nobody
// has; that must not show.
func (h *Handlers) countSignIn(c *fiber.Ctx, user models.User, canonical, password, proof string) error {
	device, err := h.KnownDevice(c, user.ID)
	if err != nil {
		return err
	}
	policy, name, pwd := h.Policies.Current(), h.nameSubject(canonical), string(models.Password)
	limits := policy.Limits
	try := models.Try{
		Factor: models.Password, Waits: limits.InARow,
		By: models.Session{User: user, Client: web.Client(c), PolicyVersion: policy.Version()},
	}
	if device != "" {
		subject := models.DeviceSubject(device)
		try.Buckets = []models.Bucket{{Subject: subject, Kind: pwd, Limit: limits.Password}}
		try.Streaks = []models.Streak{{Subject: subject, Kind: pwd, CloseAfter: limits.InARow.DisableAfter}}
		try.Reopens = []string{name}
		return h.Count(c, try)
	}
	network := web.Network(c)
	if err := h.checkBot(c, models.Password, proof, models.NetworkSubject(network), name); err != nil {
		return err
	}
	cost, sprayed := h.Sources.Cost(limits.Sources, network, password)
	try.Buckets = []models.Bucket{
		{Subject: name, Kind: pwd, Limit: limits.Password},
		{Subject: models.From(name, network), Kind: pwd, Limit: limits.Password.Half()},
		{Subject: models.NetworkSubject(network), Kind: "login", Limit: limits.Login, Cost: cost, Work: true},
		{Subject: models.Everybody, Kind: "login", Limit: limits.Global, Work: true},
	}
	if sprayed {
		try.Buckets = append(try.Buckets, models.Bucket{Subject: models.Everybody, Kind: "sprayed", Limit: limits.Sprayed, Work: true})
	}
	// An account has two names, and what both allow must stay within what one
	// account may (NIST SP 800-63B-4 section 3.2.2).
	try.Streaks = []models.Streak{{Subject: name, Kind: pwd, CloseAfter: limits.InARow.DisableAfter / 2}}
	return h.Count(c, try)
}
