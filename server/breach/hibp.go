package breach

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // the name by which leaked passwords are listed
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// DefaultURL is the public range API of Have I Been Pwned.
const DefaultURL = "https://api.pwnedpasswords.com/range/"

const (
	prefixDigits = 5
	suffixDigits = 2*sha1.Size - prefixDigits
	// maxRange bounds an answer: a padded one has some 50 KiB.
	maxRange = 512 << 10
)

// HIBP asks a range API (https://haveibeenpwned.com/API/v3#PwnedPasswords). Only
// the first five hex digits of a hash are sent, which about 2,000 leaked
// passwords share; the rest is compared here.
type HIBP struct {
	base   string
	client *http.Client
}

// NewHIBP makes a client of the API at a URL, which the five digits are added to.
func NewHIBP(base string) *HIBP {
	return &HIBP{base: strings.TrimSuffix(base, "/") + "/", client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Known asks for the password's range. No error names the password or anything
// that was made of it.
func (h *HIBP) Known(ctx context.Context, password string) (bool, error) {
	digest := sha1.Sum([]byte(password)) //nolint:gosec // see above
	text := strings.ToUpper(hex.EncodeToString(digest[:]))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.base+text[:prefixDigits], http.NoBody)
	if err != nil {
		return false, errors.New("the range API's URL can't be asked")
	}
	request.Header.Set("Add-Padding", "true") // else the answer's length tells which range it was
	request.Header.Set("User-Agent", "Sallyport")
	answer, err := h.client.Do(request)
	if err != nil {
		var asked *url.Error // it quotes the URL, and with it the five digits
		if errors.As(err, &asked) {
			err = asked.Err
		}
		return false, fmt.Errorf("the range API can't be reached: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return false, fmt.Errorf("the range API answers %d", answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxRange+1))
	if err != nil {
		return false, fmt.Errorf("the range API breaks off: %w", err)
	}
	if len(body) > maxRange {
		return false, fmt.Errorf("the range API answers more than %d bytes", maxRange)
	}
	return inRange(body, text[prefixDigits:])
}

// inRange looks for a suffix in an answer: lines of 35 hex digits, a colon, and
// how often that password was seen. 0 is padding. An answer in which any line is
// something else is no answer: some proxy's error page must not pass for "not
// known".
func inRange(body []byte, suffix string) (bool, error) {
	found, lines := false, 0
	scanner := bufio.NewScanner(bytes.NewReader(body))
	for ; scanner.Scan(); lines++ {
		hash, count, ok := strings.Cut(strings.TrimSuffix(scanner.Text(), "\r"), ":")
		if !ok || len(hash) != suffixDigits || !isHex(hash) || count == "" || strings.Trim(count, "0123456789") != "" {
			return false, errors.New("the range API answers something else than a range")
		}
		if strings.EqualFold(hash, suffix) && strings.Trim(count, "0") != "" {
			found = true
		}
	}
	if lines == 0 || scanner.Err() != nil {
		return false, errors.New("the range API answers no lines")
	}
	return found, nil
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdefABCDEF") == "" }
