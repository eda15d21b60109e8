package auth

import (
	"github.com/ccojocar/zxcvbn-go"
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/server/web"
)

type adviceRequest struct {
	Password string `json:"password"`
	Email    string `json:"email"`
	Username string `json:"username"`
}

type adviceBody struct {
	Score int    `json:"score"` // 0 to 4, as zxcvbn counts
	Words string `json:"words"`
}

// adviceWords says what each of zxcvbn's scores means to a person.
var adviceWords = [5]string{
	"Very easy to guess",
	"Easy to guess",
	"Could be stronger: add a word or two",
	"Good",
	"Strong",
}

// maxAdvice bounds what zxcvbn looks at. Its time explodes with the length of
// what is written in leet: 25 ms at 32 characters, 750 at 64. What is longer is
// strong or a repetition.
const maxAdvice = 32

// Advice answers POST /v1/password/advice. It only advises: what is refused is
// refused by checkPassword.
func (h *Handlers) Advice(c *fiber.Ctx) error {
	var r adviceRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	if err := h.CountNetwork(c, "advice", h.Policies.Current().Limits.Advice); err != nil {
		return err
	}
	password := []rune(normalise(r.Password))
	password = password[:min(len(password), maxAdvice)]
	score := zxcvbn.PasswordStrength(string(password), []string{r.Email, r.Username, h.SiteName}).Score
	score = max(0, min(score, len(adviceWords)-1))
	return c.JSON(adviceBody{Score: score, Words: adviceWords[score]})
}
