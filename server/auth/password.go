package auth

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// normalise brings a password into the form that is hashed (NFKC), so that the
// same keys pressed on another device give the same password.
func normalise(password string) string { return norm.NFKC.String(password) }

// forms are the bytes that a typed password may stand for elsewhere: as it is
// hashed here, and as it was typed, where that is something else.
func forms(typed string) []string {
	password := normalise(typed)
	if password == typed {
		return []string{password}
	}
	return []string{password, typed}
}

// checkPassword judges a new password, already normalised: its length in code
// points and the blocklist. There are no composition rules, on purpose.
func checkPassword(policy models.PasswordPolicy, field, password, siteName string, u models.User) error {
	refuse := func(reason, message string) error { return models.Invalid(field, reason, message) }
	n := utf8.RuneCountInString(password)
	switch {
	case n < policy.MinLength:
		return refuse("too_short", fmt.Sprintf("use at least %d characters: a few words together are good", policy.MinLength))
	case n > web.MaxPassword:
		return refuse("too_long", fmt.Sprintf("use at most %d characters", web.MaxPassword))
	case strings.ContainsFunc(password, unicode.IsControl):
		return refuse("control_character", "leave out line breaks and other control characters")
	}
	folded := fold(password)
	mailbox, _, _ := strings.Cut(u.Email, "@")
	for _, own := range []struct{ value, reason, message string }{
		{u.Username, "own_name", "this is your user name: anybody would try that first"},
		{u.DisplayName, "own_name", "this is your name: anybody would try that first"},
		{u.Email, "own_email", "this is your email address: anybody would try that first"},
		{mailbox, "own_email", "this is your email address: anybody would try that first"},
		{siteName, "site_name", "this is the name of this site: anybody would try that first"},
	} {
		if own.value != "" && folded == fold(own.value) {
			return refuse(own.reason, own.message)
		}
	}
	if isCommon(folded) || repeats(folded) {
		return refuse("common", "this password is on the lists that attackers try first: choose another")
	}
	return nil
}

// repeats tells "aaaaaaaa" and "abababab" from passwords.
func repeats(s string) bool {
	for _, unit := range []int{1, 2, 3} {
		if len(s)%unit == 0 && s == strings.Repeat(s[:unit], len(s)/unit) {
			return true
		}
	}
	return false
}

// fold brings a name into the form by which names are compared: case folded and
// NFKC. Folding can undo the normalisation and the other way round, so both are
// repeated until nothing changes (Unicode section 3.13, toNFKC_Casefold).
func fold(s string) string {
	for range 8 {
		folded := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
		if folded == s {
			break
		}
		s = folded
	}
	return s
}
