package totp

import (
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

const (
	digits = 6
	period = 30 // seconds
	skew   = 1  // steps either way: half a minute of a slow clock or a slow person
)

// match finds the time step that a code belongs to. All steps are tried in
// constant time, whichever fits. The library's own validation hides the step
// and would take a code twice.
func match(secret []byte, code string, now time.Time) (step int64, ok bool) {
	current := now.Unix() / period
	for at := current - skew; at <= current+skew; at++ {
		want, err := codeAt(secret, at)
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, ok = at, true
		}
	}
	return step, ok
}

// codeAt is the code of a time step (RFC 6238 section 4.2, RFC 4226 section 5.3).
func codeAt(secret []byte, step int64) (string, error) {
	if step < 0 {
		return "", fmt.Errorf("time step %d is before 1970", step)
	}
	return hotp.GenerateCodeCustom(text(secret), uint64(step), hotp.ValidateOpts{Digits: digits, Algorithm: otp.AlgorithmSHA1})
}

// text is how a secret is written for people and apps.
func text(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// keyURI is the otpauth link that authenticator apps read.
func keyURI(issuer, account string, secret []byte) string {
	query := url.Values{}
	query.Set("secret", text(secret))
	query.Set("issuer", issuer)
	query.Set("algorithm", "SHA1")
	query.Set("digits", fmt.Sprint(digits))
	query.Set("period", fmt.Sprint(period))
	// Apps show a "+" as it stands, so spaces are written %20.
	return "otpauth://totp/" + url.PathEscape(issuer+":"+account) + "?" + strings.ReplaceAll(query.Encode(), "+", "%20")
}

// readCode reads a request and the six digits in it; the spaces that apps show
// between them are fine.
func readCode(c *fiber.Ctx, request any, typed *string) (string, error) {
	if err := web.Decode(c, request); err != nil {
		return "", err
	}
	code := strings.NewReplacer(" ", "", "\u00a0", "", "-", "").Replace(*typed)
	if len(code) != digits || strings.Trim(code, "0123456789") != "" {
		return "", models.Invalid("code", "malformed", "write the six digits that your app shows")
	}
	return code, nil
}
