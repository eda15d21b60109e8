package auth

import (
	"encoding/base32"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
	"golang.org/x/text/language"
)

// ImportColumns are what an account can bring along; the first three it must.
var ImportColumns = []string{
	"email", "username", "password_hash",
	"display_name", "email_verified", "external_id", "totp_secret", "created_at", "language",
}

// RequiredColumns is how many of ImportColumns an account must bring along.
const RequiredColumns = 3

const (
	maxExternalID = 255
	minTOTPSecret = 10 // bytes; RFC 4226 asks for 16, and 10 are about
	maxTOTPSecret = 64
)

// ReadImported reads an account that is brought along from its columns, by the
// same checks as a registration's; what is empty counts as missing. Refusals name
// the column and never quote it. An address counts as verified only if it says so
// and that is trusted.
func ReadImported(columns map[string]string, trustEmails bool, now time.Time) (models.ImportedUser, error) {
	u := models.ImportedUser{NewUser: models.NewUser{User: models.User{ID: models.NewID(now), Handle: seal.Random(64), CreatedAt: now}}}
	for _, required := range ImportColumns[:RequiredColumns] {
		if columns[required] == "" {
			return u, models.Invalid(required, "missing", "is missing")
		}
	}
	for _, column := range slices.Sorted(maps.Keys(columns)) {
		if !slices.Contains(ImportColumns, column) {
			return u, models.Invalid(column, "unknown_field", "is not known here")
		}
		if !utf8.ValidString(columns[column]) {
			return u, models.Invalid(column, "encoding", "must be UTF-8")
		}
	}
	var err error
	if u.Email, u.EmailCanonical, err = checkEmail(columns["email"]); err != nil {
		return u, err
	}
	if u.Username, u.UsernameCanonical, err = checkUsername(columns["username"]); err != nil {
		return u, err
	}
	if u.DisplayName, err = checkDisplayName(columns["display_name"], u.Username); err != nil {
		return u, err
	}
	u.PasswordHash = columns["password_hash"]
	if err := Importable(u.PasswordHash); err != nil {
		return u, models.Invalid("password_hash", "unsupported", err.Error())
	}
	return u, readOptional(&u, columns, trustEmails, now)
}

// readOptional reads what an account need not bring along.
func readOptional(u *models.ImportedUser, columns map[string]string, trustEmails bool, now time.Time) error {
	if text := columns["email_verified"]; text != "" {
		verified, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return models.Invalid("email_verified", "malformed", "must be true or false")
		}
		u.EmailVerified = verified && trustEmails
	}
	u.ExternalID = columns["external_id"]
	if len(u.ExternalID) > maxExternalID || strings.ContainsFunc(u.ExternalID, unicode.IsControl) {
		return models.Invalid("external_id", "length", "must be at most "+strconv.Itoa(maxExternalID)+" bytes without control characters")
	}
	if text := columns["totp_secret"]; text != "" {
		tidy := strings.TrimRight(strings.ToUpper(strings.ReplaceAll(text, " ", "")), "=")
		secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(tidy)
		if err != nil || len(secret) < minTOTPSecret || len(secret) > maxTOTPSecret {
			return models.Invalid("totp_secret", "malformed", "must be 10 to 64 bytes in base32")
		}
		u.TOTPSecret = secret
	}
	if text := columns["created_at"]; text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil || at.After(now) || at.Year() < 1970 {
			return models.Invalid("created_at", "malformed", "must be a time that has been, such as 2019-03-01T12:00:00Z (RFC 3339)")
		}
		u.CreatedAt = at
	}
	u.Language = models.Languages[0]
	if text := columns["language"]; text != "" {
		if _, err := language.Parse(text); err != nil || len(text) > 35 {
			return models.Invalid("language", "malformed", "must be a language tag, such as en or pt-BR (BCP 47)")
		}
		u.Language = languageOf(text)
	}
	return nil
}
