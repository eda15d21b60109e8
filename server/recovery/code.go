package recovery

import (
	"encoding/base32"
	"fmt"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

const (
	// Count is how many codes a set has.
	Count = 10
	// secretBytes is 80 bits; NIST SP 800-63B-4 section 4.2.1.1 asks for 64.
	secretBytes = 10
	secretChars = 16
)

// newSecret makes the part of a code that is hashed: 16 base32 characters.
func newSecret() string { return base32.StdEncoding.EncodeToString(seal.Random(secretBytes)) }

// format writes a code as people copy it: "07-ABCD-EFGH-IJKL-MNOP". The number
// names the row, so that checking a code takes one hash and not ten.
func format(row int, secret string) string {
	return fmt.Sprintf("%02d-%s-%s-%s-%s", row, secret[0:4], secret[4:8], secret[8:12], secret[12:16])
}

// parse reads what a person typed: case, spaces and dashes don't matter, and
// digits that base32 hasn't are read as the letters they look like.
func parse(typed string) (row int, secret string, err error) {
	bad := models.Invalid("code", "malformed", "write the whole code: two digits, then sixteen letters and digits")
	if len(typed) > 128 {
		return 0, "", bad
	}
	code := strings.ToUpper(strings.Join(strings.FieldsFunc(typed, func(r rune) bool { return r == '-' || r == ' ' || r == '\t' || r == '\u00a0' || r == '\u2013' }), ""))
	if len(code) != 2+secretChars {
		return 0, "", bad
	}
	row, err = strconv.Atoi(code[:2])
	if err != nil || row < 1 {
		return 0, "", bad
	}
	secret = strings.NewReplacer("0", "O", "1", "I", "8", "B").Replace(code[2:])
	if _, err := base32.StdEncoding.DecodeString(secret); err != nil {
		return 0, "", bad
	}
	return row, secret, nil
}
