package main

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/sallyport/sallyport/server/breach"
	"github.com/sallyport/sallyport/server/mail"
	"github.com/sallyport/sallyport/server/outbound"
	"github.com/sallyport/sallyport/server/passkey"
	"github.com/sallyport/sallyport/server/web"
)

// option is one key of the configuration.
type option struct {
	key       string
	otherwise string // the default
	secret    bool   // may come from a file: key_file, SALLYPORT_KEY_FILE
	set       func(*Config, string) error
}

// env is the option's name in the environment.
func (o option) env() string {
	return "SALLYPORT_" + strings.ToUpper(strings.ReplaceAll(o.key, ".", "_"))
}

// options lists every key. sallyport.example.yaml explains each; a test holds
// the two together.
var options = []option{
	{"listen", "127.0.0.1:8080", false, func(c *Config, s string) error {
		_, port, err := net.SplitHostPort(s)
		if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
			return fmt.Errorf("must be host:port, is %q", s)
		}
		c.Listen = s
		return nil
	}},
	{"public_url", "http://localhost:8080", false, setPublicURL},
	{"site_name", "Sallyport", false, func(c *Config, s string) error {
		if s == "" || len(s) > 64 || strings.Contains(s, ":") {
			return fmt.Errorf("must be 1 to 64 bytes without a colon, is %q", s)
		}
		c.SiteName = s
		return nil
	}},
	{"demo", "false", false, toBool(func(c *Config) *bool { return &c.Demo })},
	{"database.url", "", true, func(c *Config, s string) error {
		if s == "" {
			return errors.New("must name a Postgres database")
		}
		if _, err := pgxpool.ParseConfig(s); err != nil {
			return errors.New("can't be read as a Postgres URL or connection string") // the cause may quote the password
		}
		c.DatabaseURL = s
		return nil
	}},
	{"database.connections", "20", false, toInt(4, 1000, func(c *Config) *int { return &c.DatabaseConns })},
	{"keys.seal", "", true, func(c *Config, s string) error {
		if s == "" {
			return errors.New("must be a keyset (sallyport keys generate makes one)")
		}
		c.KeysSeal = s
		return nil
	}},
	{"keys.digest", "", true, func(c *Config, s string) error {
		if s == "" {
			return errors.New("must be 32 bytes in base64 (sallyport keys generate makes them)")
		}
		c.KeysDigest = s
		return nil
	}},
	{"clients.file", "", false, func(c *Config, s string) error {
		c.ClientsFile = s
		return nil
	}},
	{"policy.file", "", false, func(c *Config, s string) error {
		c.PolicyFile = s
		return nil
	}},
	{"proxies.trusted", "", false, func(c *Config, s string) error {
		if s == "" {
			return nil
		}
		proxies, err := web.ParseTrustedProxies(strings.Split(strings.ReplaceAll(s, " ", ""), ","))
		c.Proxies = proxies
		return err
	}},
	{"mail.smtp", "", true, func(c *Config, s string) (err error) {
		if s != "" {
			c.MailServer, err = mail.ParseServer(s)
		}
		return err
	}},
	{"mail.from", "", false, func(c *Config, s string) (err error) {
		if s == "" && c.MailServer.Host == "" {
			return nil
		}
		c.MailFrom, err = mail.ParseFrom(s)
		return err
	}},
	{"mail.viewer", "", false, func(c *Config, s string) error {
		switch {
		case s == "":
			return nil
		case c.MailServer.Host != "":
			return errors.New("must be left out where there is a mail server (mail.smtp)")
		case c.PublicURL == nil || c.PublicURL.Scheme != "http": // then it is localhost
			return errors.New("is for trying out on http://localhost alone: it shows everybody's mail")
		}
		c.MailViewer = s
		return mail.CheckViewer(s)
	}},
	{"accounts.email_verification", "", false, func(c *Config, s string) error { // after mail: it depends on it
		switch {
		case s == "required" && !c.mails():
			return errors.New("can't be required where no mail is sent: set mail.smtp, or say off")
		case s == "required", s == "" && c.MailServer.Host != "":
			c.VerifyEmails = true
		case s == "off", s == "false": // YAML reads a bare off as false
		case s == "":
			// An address proves nothing then. Whoever runs this must have said that they know.
			return errors.New("must be off where there is no mail server (mail.smtp): addresses can't be verified without one")
		default:
			return fmt.Errorf("must be required or off, is %q", s)
		}
		return nil
	}},
	{"password.memory_kib", "19456", false, toInt(8, 4<<20, func(c *Config) *uint32 { return &c.Argon2.MemoryKiB })},
	{"password.time", "2", false, toInt(1, 100, func(c *Config) *uint32 { return &c.Argon2.Time })},
	{"password.threads", "1", false, toInt(1, 64, func(c *Config) *uint8 { return &c.Argon2.Threads })},
	{"password.parallel", "0", false, func(c *Config, s string) error {
		err := toInt(0, 1024, func(c *Config) *int { return &c.HashParallel })(c, s)
		if c.HashParallel == 0 {
			c.HashParallel = cores()
		}
		return err
	}},
	{"password.queue", "64", false, toInt(0, 100_000, func(c *Config) *int { return &c.HashQueue })},
	{"passwords.breached", "off", false, func(c *Config, s string) error {
		if s == "false" { // as YAML reads a bare off
			s = breachedOff
		}
		if s != breachedOff && s != breachedHIBP && s != breachedFilter {
			return fmt.Errorf("must be off, hibp or filter, is %q", s)
		}
		c.Breached = s
		return nil
	}},
	{"passwords.hibp_url", breach.DefaultURL, false, func(c *Config, s string) error {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
			u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
			return fmt.Errorf("must be an https URL without a query, or http on this machine, is %q", s)
		}
		c.HIBPURL = s
		return nil
	}},
	{"passwords.filter_file", "", false, func(c *Config, s string) error {
		if s == "" && c.Breached == breachedFilter {
			return errors.New("must name the filter that passwords are looked up in (sallyport passwords build-filter makes one)")
		}
		c.FilterFile = s
		return nil
	}},
	{"bot_check.siteverify_url", "https://challenges.cloudflare.com/turnstile/v0/siteverify", false, func(c *Config, s string) error {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Hostname() != "localhost" {
			return fmt.Errorf("must be an https address, is %q", s)
		}
		c.Siteverify.URL = s
		return nil
	}},
	{"bot_check.site_key", "", false, func(c *Config, s string) error {
		c.Siteverify.SiteKey = s
		return nil
	}},
	{"bot_check.secret", "", true, func(c *Config, s string) error {
		c.Siteverify.Secret = s
		return nil
	}},
	{"webhooks.allow", "", false, func(c *Config, s string) (err error) {
		if s != "" {
			c.Outbound, err = outbound.ParseAllowed(strings.Split(strings.ReplaceAll(s, " ", ""), ","))
		}
		return err
	}},
	{"apps.origins", "", false, setAppOrigins},
	{"apps.android", "", false, toList(passkey.ParseAndroidApp, func(c *Config) *[]passkey.AndroidApp { return &c.Apps.Android })},
	{"apps.apple", "", false, toList(passkey.ParseAppleApp, func(c *Config) *[]string { return &c.Apps.Apple })},
	{"geo.database", "", false, func(c *Config, s string) error {
		c.GeoDatabase = s
		return nil
	}},
	{"face.enabled", "true", false, toBool(func(c *Config) *bool { return &c.FaceEnabled })},
	{"face.worker", "", false, func(c *Config, s string) error {
		c.FaceWorker = s
		return nil
	}},
	{"face.models", ".run/models", false, func(c *Config, s string) error {
		c.FaceModels = s
		return nil
	}},
	{"face.previous_models", "", false, func(c *Config, s string) error {
		if s != "" && filepath.Clean(s) == filepath.Clean(c.FaceModels) {
			return errors.New("must be another folder than face.models")
		}
		c.FacePrevious = s
		return nil
	}},
	{"face.detector", "hog", false, func(c *Config, s string) error {
		if s != "hog" && s != "cnn" {
			return fmt.Errorf("must be hog or cnn, is %q", s)
		}
		c.FaceDetector = s
		if manifest, err := c.manifest(); err == nil && c.FaceEnabled {
			return manifest.CheckDetector(s)
		}
		return nil
	}},
	{"face.workers", "0", false, toInt(0, 1024, func(c *Config) *int { return &c.FaceWorkers })},
	{"face.evaluation", "", false, func(c *Config, s string) error {
		c.FaceEvaluation = s
		return nil
	}},
	{"face.queue", "0", false, toInt(0, 100_000, func(c *Config) *int { return &c.FaceQueue })},
	{"face.nice", "10", false, toInt(0, 19, func(c *Config) *int { return &c.FaceNice })},
	{"face.memory_mib", "0", false, func(c *Config, s string) error {
		if s == "0" {
			c.FaceMemoryMiB = defaultMemoryMiB[c.FaceDetector]
			return nil
		}
		return toInt(512, 1<<20, func(c *Config) *int { return &c.FaceMemoryMiB })(c, s)
	}},
	{"log.format", "text", false, func(c *Config, s string) error {
		if s != "text" && s != "json" {
			return fmt.Errorf("must be text or json, is %q", s)
		}
		c.LogFormat = s
		return nil
	}},
	{"log.level", "info", false, func(c *Config, s string) error {
		if c.LogLevel.UnmarshalText([]byte(s)) != nil {
			return fmt.Errorf("must be debug, info, warn or error, is %q", s)
		}
		return nil
	}},
	{"shutdown.grace", "10s", false, func(c *Config, s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 || d > 10*time.Minute {
			return fmt.Errorf("must be a duration up to 10m, is %q", s)
		}
		c.Grace = d
		return nil
	}},
}

// The values of passwords.breached.
const (
	breachedOff    = "off"
	breachedHIBP   = "hibp"
	breachedFilter = "filter"
)

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

func setPublicURL(c *Config, s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("must be scheme and host, such as https://login.example.com, is %q", s)
	}
	if net.ParseIP(u.Hostname()) != nil {
		return fmt.Errorf("must be a name, for passkeys belong to names and not to addresses, is %q", s)
	}
	// Browsers give the camera and passkeys to secure origins alone, and
	// count http only for localhost among them.
	if u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost") {
		return fmt.Errorf("must be https, or http://localhost, is %q", s)
	}
	u.Path = ""
	c.PublicURL = u
	return nil
}

// toList reads values with commas between them, which no value has in it.
func toList[T any](parse func(string) (T, error), field func(*Config) *[]T) func(*Config, string) error {
	return func(c *Config, s string) error {
		for one := range strings.SplitSeq(strings.ReplaceAll(s, " ", ""), ",") {
			if s == "" {
				break
			}
			value, err := parse(one)
			if err != nil {
				return err
			}
			*field(c) = append(*field(c), value)
		}
		return nil
	}
}

func toBool(field func(*Config) *bool) func(*Config, string) error {
	return func(c *Config, s string) error {
		b, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("must be true or false, is %q", s)
		}
		*field(c) = b
		return nil
	}
}

func toInt[T int | uint8 | uint32](low, high int64, field func(*Config) *T) func(*Config, string) error {
	return func(c *Config, s string) error {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < low || n > min(high, math.MaxUint32) {
			return fmt.Errorf("must be a number from %d to %d, is %q", low, high, s)
		}
		*field(c) = T(n)
		return nil
	}
}
