package main

import (
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// streamKeys are an API key and its secret of a chat service of Stream's kind, where there
// is one: then whoever is here past both doors gets a token for it.
type streamKeys struct{ key, secret string }

const streamLifetime = time.Hour

// streamToken answers POST /api/stream-token, in the form that such services take: HS256
// by the API secret, with the claim user_id.
func (c *chat) streamToken(w http.ResponseWriter, r *http.Request, s session) {
	if c.stream.secret == "" {
		problem(w, http.StatusNotFound, "not_found", "this chat has no such service", "")
		return
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(c.stream.secret)}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	now := c.now()
	token, err := jwt.Signed(signer).Claims(map[string]any{"user_id": s.Sub, "iat": now.Unix(), "exp": now.Add(streamLifetime).Unix()}).Serialize()
	if err != nil {
		c.fail(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]string{"api_key": c.stream.key, "user_id": s.Sub, "token": token})
}
