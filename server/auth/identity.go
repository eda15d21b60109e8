package auth

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/sallyport/models"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// canonicalIdentifier is what a sign-in looks up: an email address when there
// is an @ in it, else a user name.
func canonicalIdentifier(identifier string) string {
	if strings.Contains(identifier, "@") {
		if _, canonical, err := checkEmail(identifier); err == nil {
			return canonical
		}
	}
	return fold(strings.TrimSpace(identifier))
}

// checkEmail reads an address. What was typed is kept; the canonical form,
// which must be unique, ignores case and writes the domain in ASCII.
func checkEmail(typed string) (email, canonical string, err error) {
	email = strings.TrimSpace(typed)
	bad := models.Invalid("email", "malformed", "write an email address, such as you@example.com")
	if len(email) > 254 || strings.ContainsFunc(email, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return "", "", bad
	}
	address, err := mail.ParseAddress(email)
	if err != nil || address.Address != email || address.Name != "" {
		return "", "", bad
	}
	at := strings.LastIndexByte(email, '@')
	local, domain := email[:at], email[at+1:]
	if strings.ContainsAny(local, `"@`) || strings.HasPrefix(domain, "[") {
		return "", "", bad
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", "", bad
	}
	// Folding may bring forth what no address holds: a small tilde becomes a space
	// and a mark.
	local = fold(local)
	canonical = local + "@" + strings.ToLower(ascii)
	address, err = mail.ParseAddress(canonical)
	if err != nil || address.Address != canonical || strings.ContainsAny(local, `"@`) {
		return "", "", bad
	}
	return email, canonical, nil
}

const (
	minUsername    = 2
	maxUsername    = 32
	maxDisplayName = 64
)

// checkUsername reads a public name: letters and digits of any script, and
// . _ - in between. It never holds an @, so that a name can't be read as
// somebody's address.
func checkUsername(typed string) (username, canonical string, err error) {
	if len(typed) > 16*maxUsername { // not worth folding
		return "", "", models.Invalid("username", "length", fmt.Sprintf("use %d to %d characters", minUsername, maxUsername))
	}
	username = norm.NFC.String(strings.TrimSpace(typed))
	canonical = fold(username)
	n := utf8.RuneCountInString(canonical)
	if n < minUsername || n > maxUsername {
		return "", "", models.Invalid("username", "length", fmt.Sprintf("use %d to %d characters", minUsername, maxUsername))
	}
	for i, r := range canonical {
		edge := i == 0 || i == len(canonical)-1
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && (edge || !strings.ContainsRune("._-", r)) {
			return "", "", models.Invalid("username", "characters", "use letters and digits, with . _ or - in between")
		}
	}
	return username, canonical, nil
}

// checkDisplayName reads the name that other people see. Without one the user
// name serves.
func checkDisplayName(typed, username string) (string, error) {
	name := strings.TrimSpace(typed)
	switch {
	case name == "":
		return username, nil
	case utf8.RuneCountInString(name) > maxDisplayName:
		return "", models.Invalid("display_name", "too_long", fmt.Sprintf("use at most %d characters", maxDisplayName))
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || r == '\u202e' || r == '\u2066' || r == '\u2067' }):
		return "", models.Invalid("display_name", "characters", "leave out line breaks and control characters")
	}
	return name, nil
}
