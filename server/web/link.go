package web

import (
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

// LinkToken reads the body of a request by a letter's link, {"token"}, and gives what
// is stored of the token. What is no token is answered later, like one that was used.
func LinkToken(c *fiber.Ctx) (models.TokenHash, error) {
	var r struct {
		Token string `json:"token"`
	}
	if err := Decode(c, &r); err != nil {
		return models.TokenHash{}, err
	}
	return HashLink(r.Token)
}

// OpeningLink is LinkToken for a link that opens a session, {"token", "transport"}.
func OpeningLink(c *fiber.Ctx) (models.TokenHash, models.Transport, error) {
	var r struct {
		Token     string `json:"token"`
		Transport string `json:"transport"`
	}
	if err := Decode(c, &r); err != nil {
		return models.TokenHash{}, "", err
	}
	transport, err := Transport(c, r.Transport)
	if err != nil {
		return models.TokenHash{}, "", err
	}
	hash, err := HashLink(r.Token)
	return hash, transport, err
}

// HashLink is what is stored of a link's token, where that came with more.
func HashLink(token string) (models.TokenHash, error) {
	if token == "" {
		return models.TokenHash{}, models.Invalid("token", "length", "open the link of the letter again")
	}
	return models.HashToken(token), nil
}
