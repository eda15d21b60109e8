package passkey

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

// Apps are those that use the passkeys of this host beside its own pages.
type Apps struct {
	Origins []string     // of web apps, to the letter as browsers write them
	Android []AndroidApp // by package and certificate
	Apple   []string     // team and bundle: ABCDE12345.com.example.notes
}

// AndroidApp is an app by its package and a certificate that it is signed by.
type AndroidApp struct {
	Package     string
	Fingerprint [32]byte // SHA-256 of the certificate
}

var (
	packageName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$`)
	appleID     = regexp.MustCompile(`^[A-Z0-9]{10}\.[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
)

// ParseAndroidApp reads "com.example.notes=14:6D:E9:…": 32 bytes in hexadecimal, as keytool
// and the Play Console show them.
func ParseAndroidApp(s string) (AndroidApp, error) {
	name, fingerprint, _ := strings.Cut(s, "=")
	sum, err := hex.DecodeString(strings.ReplaceAll(fingerprint, ":", ""))
	if err != nil || len(sum) != 32 || !packageName.MatchString(name) {
		return AndroidApp{}, fmt.Errorf("must be a package, = and the SHA-256 fingerprint of its certificate, is %q", s)
	}
	return AndroidApp{name, [32]byte(sum)}, nil
}

// ParseAppleApp reads a team and a bundle.
func ParseAppleApp(s string) (string, error) {
	if !appleID.MatchString(s) {
		return "", fmt.Errorf("must be a team of ten characters, a dot and a bundle, is %q", s)
	}
	return s, nil
}

// fingerprint is how Android's statement list writes a certificate.
func (a AndroidApp) fingerprint() string {
	pairs := make([]string, len(a.Fingerprint))
	for i, b := range a.Fingerprint {
		pairs[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(pairs, ":")
}

// origins are all that a ceremony may come from: for an Android app it is what the Credential
// Manager says.
func (a Apps) origins(own string) []string {
	list := append([]string{own}, a.Origins...)
	for _, app := range a.Android {
		list = append(list, "android:apk-key-hash:"+base64.RawURLEncoding.EncodeToString(app.Fingerprint[:]))
	}
	return list
}

// RelatedOrigins answers GET /.well-known/webauthn (Web Authentication Level 3 section
// 5.11): pages of these origins may use passkeys of this host.
func (h *Handlers) RelatedOrigins(c *fiber.Ctx) error {
	if len(h.Apps.Origins) == 0 {
		return noLinks()
	}
	return wellKnown(c, fiber.Map{"origins": h.Apps.Origins})
}

// AssetLinks answers GET /.well-known/assetlinks.json (Digital Asset Links): these apps may
// use passkeys and passwords of this host, and open its links.
func (h *Handlers) AssetLinks(c *fiber.Ctx) error {
	if len(h.Apps.Android) == 0 {
		return noLinks()
	}
	statements := []fiber.Map{}
	var packages []string
	for _, app := range h.Apps.Android {
		if slices.Contains(packages, app.Package) {
			continue
		}
		packages = append(packages, app.Package)
		certificates := []string{}
		for _, other := range h.Apps.Android {
			if other.Package == app.Package {
				certificates = append(certificates, other.fingerprint())
			}
		}
		statements = append(statements, fiber.Map{
			"relation": []string{"delegate_permission/common.get_login_creds", "delegate_permission/common.handle_all_urls"},
			"target":   fiber.Map{"namespace": "android_app", "package_name": app.Package, "sha256_cert_fingerprints": certificates},
		})
	}
	return wellKnown(c, statements)
}

// AppleAssociation answers GET /.well-known/apple-app-site-association: these apps may use
// passkeys and passwords of this host.
func (h *Handlers) AppleAssociation(c *fiber.Ctx) error {
	if len(h.Apps.Apple) == 0 {
		return noLinks()
	}
	return wellKnown(c, fiber.Map{"webcredentials": fiber.Map{"apps": h.Apps.Apple}})
}

func noLinks() error { return models.Refuse(models.CodeNotFound, "there is nothing here") }

// wellKnown answers browsers and the services of Google and Apple, which keep it for a while anyway.
func wellKnown(c *fiber.Ctx, body any) error {
	c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	return c.JSON(body)
}
