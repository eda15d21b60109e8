package forward

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

// identity is what an app is told of a person. Each header is in every answer, empty
// where there is nothing to tell: so a proxy that copies them replaces what a client sent.
type identity struct{ user, groups, name, email, acr, assertion string }

func identify(c *fiber.Ctx, i identity) {
	for name, value := range map[string]string{
		"Remote-User": i.user, "Remote-Groups": i.groups, "Remote-Name": i.name, "Remote-Email": i.email,
		"Sallyport-Acr": i.acr, "Sallyport-Assertion": i.assertion,
	} {
		c.Set(name, value)
	}
}

// assertionWithin is how long an assertion is good: for the request that it comes with.
const assertionWithin = time.Minute

// assertion is the claims of Sallyport-Assertion (RFC 7519, OpenID Connect Core section 2).
type assertion struct {
	Issuer   string     `json:"iss"`
	Audience string     `json:"aud"` // the app's origin
	Subject  models.ID  `json:"sub"`
	Session  models.ID  `json:"sid"`
	ACR      models.ACR `json:"acr"`
	AMR      []string   `json:"amr"`
	AuthTime int64      `json:"auth_time"`
	Groups   []string   `json:"groups"`
	IssuedAt int64      `json:"iat"`
	Expires  int64      `json:"exp"`
	ID       string     `json:"jti"`
}

func (h *Handlers) sign(ctx context.Context, s models.Session, host string) (string, error) {
	now := h.Now()
	return h.Signer.Sign(ctx, assertion{
		Issuer: h.Origin, Audience: h.origin(host), Subject: s.User.ID, Session: s.ID, ACR: s.ACR(), AMR: models.AMROf(s.Methods),
		AuthTime: models.AuthTime(s.Methods).Unix(), Groups: append([]string{}, s.User.Groups...), IssuedAt: now.Unix(), Expires: now.Add(assertionWithin).Unix(), ID: rand.Text(),
	})
}

func (h *Handlers) identity(ctx context.Context, s models.Session, host string) (identity, error) {
	signed, err := h.sign(ctx, s, host)
	if err != nil {
		return identity{}, err
	}
	known := identity{
		user: encode(s.User.Username), groups: strings.Join(s.User.Groups, ","), name: encode(s.User.DisplayName),
		acr: string(s.ACR()), assertion: signed,
	}
	// Apps know people by their address: one that nobody has proven is none to them.
	if s.User.EmailVerified {
		known.email = encode(s.User.Email)
	}
	return known, nil
}

// encode makes text fit for a header: each byte that is no printable ASCII, and the
// percent sign itself, is percent-encoded (RFC 3986 section 2.1).
func encode(text string) string {
	var out strings.Builder
	for i := range len(text) {
		if b := text[i]; b < ' ' || b >= 0x7f || b == '%' {
			fmt.Fprintf(&out, "%%%02X", b)
		} else {
			out.WriteByte(b)
		}
	}
	return out.String()
}
