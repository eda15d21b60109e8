package guard

import (
	"context"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
)

// maxToken is the longest token that is looked at, in bytes.
const maxToken = 8 << 10

// claims are what a token says of whoever it was given for (RFC 9068, RFC 7662).
type claims struct {
	jwt.Claims

	ClientID  string   `json:"client_id"`
	Scope     string   `json:"scope"`
	ACR       string   `json:"acr"`
	AMR       []string `json:"amr"`
	AuthTime  int64    `json:"auth_time"`
	SessionID string   `json:"sid"`
	Groups    []string `json:"groups"`
}

// verify reads a signed access token. Its key is found by its id among Sallyport's own;
// keys and addresses that the token brings along are not looked at.
func (g *Guard) verify(ctx context.Context, token string) (Identity, error) {
	parsed, err := jwt.ParseSigned(token, g.algorithms)
	if err != nil || len(parsed.Headers) != 1 {
		return Identity{}, invalidToken("this token can't be read")
	}
	header := parsed.Headers[0]
	// ID tokens, assertions for proxies and logout tokens are signed by the same keys
	// (RFC 9068 section 4).
	typ, _ := header.ExtraHeaders["typ"].(string)
	if strings.TrimPrefix(strings.ToLower(typ), "application/") != "at+jwt" {
		return Identity{}, invalidToken("this is no access token")
	}
	key, err := g.keys.find(ctx, header.KeyID, header.Algorithm)
	if err != nil {
		return Identity{}, err
	}
	var said claims
	if parsed.Claims(key, &said) != nil {
		return Identity{}, invalidToken("this token was not signed there")
	}
	return g.accept(said)
}

// accept holds what a token says to who said it, for whom, and the time.
func (g *Guard) accept(said claims) (Identity, error) {
	expected := jwt.Expected{Issuer: g.options.Issuer, AnyAudience: jwt.Audience{g.options.Audience}, Time: g.options.Now()}
	if said.ValidateWithLeeway(expected, g.options.Leeway) != nil || said.Expiry == nil || said.IssuedAt == nil || said.Subject == "" {
		return Identity{}, invalidToken("this token is not for here, or not for now")
	}
	who := Identity{
		Subject: said.Subject, ClientID: said.ClientID, SessionID: said.SessionID, ACR: said.ACR, AMR: said.AMR,
		Scopes: strings.Fields(said.Scope), Groups: said.Groups, ExpiresAt: said.Expiry.Time(),
	}
	if said.AuthTime > 0 {
		who.AuthTime = time.Unix(said.AuthTime, 0)
	}
	return who, nil
}
