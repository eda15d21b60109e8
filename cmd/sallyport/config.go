package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models/seal"
	"github.com/sallyport/sallyport/server/auth"
	"github.com/sallyport/sallyport/server/mail"
	"github.com/sallyport/sallyport/server/outbound"
	"github.com/sallyport/sallyport/server/passkey"
	"github.com/sallyport/sallyport/server/web"
)

// Config is what doesn't change while the server runs. What an admin may tune
// while it does is in the policy.
type Config struct {
	Listen         string
	PublicURL      *url.URL
	SiteName       string
	Demo           bool
	DatabaseURL    string
	DatabaseConns  int
	KeysSeal       string
	KeysDigest     string
	PolicyFile     string
	ClientsFile    string
	Proxies        web.TrustedProxies
	MailServer     mail.Server
	MailViewer     string // shows letters instead of sending them
	MailFrom       string
	VerifyEmails   bool // an address counts once it is proven
	Argon2         auth.Argon2
	HashParallel   int
	HashQueue      int
	Breached       string
	HIBPURL        string
	FilterFile     string
	Siteverify     auth.Siteverify
	Outbound       outbound.Allowed
	Apps           passkey.Apps
	GeoDatabase    string // names places; empty for none
	FaceEnabled    bool
	FaceWorker     string
	FaceModels     string
	FacePrevious   string
	FaceDetector   string
	FaceWorkers    int
	FaceQueue      int
	FaceEvaluation string
	FaceNice       int
	FaceMemoryMiB  int
	LogFormat      string
	LogLevel       slog.Level
	Grace          time.Duration
}

// environment is what the process was started with.
func environment() map[string]string {
	env := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	return env
}

// notOurs are variables of the same prefix that others read: the command line,
// the preparation of the models, the tests.
var notOurs = []string{
	"SALLYPORT_CONFIG", "SALLYPORT_MODELS", "SALLYPORT_MODELS_SOURCE", "SALLYPORT_POSTGRES_OPTIONS", "SALLYPORT_BIN", "SALLYPORT_UID",
	"SALLYPORT_TESTDATA", "SALLYPORT_REQUIRE_TESTDATA", "SALLYPORT_TEST_DATABASE_URL", "SALLYPORT_UPDATE_GOLDEN",
}

// serviceLink are the variables that Kubernetes sets for a service that is
// called sallyport or begins so.
var serviceLink = regexp.MustCompile(`^SALLYPORT_(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_.+)?)?)$`)

// loadConfig reads the file, if any, and the environment over it. It gives
// every problem at once, each naming its key.
func loadConfig(path string, env map[string]string) (Config, []error) {
	var problems []error
	k := koanf.New(".")
	if path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			return Config{}, []error{fmt.Errorf("%s: %v", path, err)}
		}
	}
	// Environment variables are mapped by name: an underscore in one could
	// stand for a dot or for itself.
	over := map[string]any{}
	for _, o := range options {
		if value, ok := env[o.env()]; ok {
			over[o.key] = value
		}
		if value, ok := env[o.env()+"_FILE"]; ok && o.secret {
			over[o.key+"_file"] = value
		}
	}
	for name := range env {
		if strings.HasPrefix(name, "SALLYPORT_") && !strings.HasPrefix(name, "SALLYPORT_E2E_") && !serviceLink.MatchString(name) && !knownVariable(name) {
			problems = append(problems, fmt.Errorf("%s: is not a variable of the configuration", name))
		}
	}
	if err := k.Load(confmap.Provider(over, "."), nil); err != nil {
		return Config{}, []error{err}
	}
	for _, key := range k.Keys() {
		if !known(key) {
			problems = append(problems, fmt.Errorf("%s: is not a key of the configuration", key))
		}
	}
	var c Config
	for _, o := range options {
		text, err := o.read(k)
		if err == nil {
			err = o.set(&c, text)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w (%s)", o.key, err, o.env()))
		}
	}
	return c, problems
}

func knownVariable(name string) bool {
	return slices.Contains(notOurs, name) || slices.ContainsFunc(options, func(o option) bool {
		return name == o.env() || o.secret && name == o.env()+"_FILE"
	})
}

func known(key string) bool {
	return slices.ContainsFunc(options, func(o option) bool {
		return key == o.key || o.secret && key == o.key+"_file"
	})
}

// read gives the option's text: from the file it names, as it stands, or the
// default.
func (o option) read(k *koanf.Koanf) (string, error) {
	if o.secret && k.Exists(o.key+"_file") {
		if k.Exists(o.key) {
			return "", fmt.Errorf("is given as it is and as a file: choose one")
		}
		data, err := os.ReadFile(k.String(o.key + "_file"))
		if err != nil {
			return "", fmt.Errorf("can't be read from its file: %v", errors.Unwrap(err))
		}
		return strings.TrimSpace(string(data)), nil
	}
	if !k.Exists(o.key) {
		return o.otherwise, nil
	}
	switch value := k.Get(o.key).(type) {
	case []any, []string:
		return strings.Join(k.Strings(o.key), ","), nil
	case map[string]any:
		return "", fmt.Errorf("must be one value, not a section")
	default:
		return strings.TrimSpace(fmt.Sprint(value)), nil
	}
}

// sealer opens the keys.
func (c Config) sealer() (*seal.Sealer, error) {
	var problems []error
	digest, err := base64.StdEncoding.DecodeString(c.KeysDigest)
	if err != nil || len(digest) != 32 {
		problems = append(problems, errors.New("keys.digest: must be 32 bytes in base64 (sallyport keys generate makes them)"))
		digest = make([]byte, 32) // so that the keyset is looked at too
	}
	sealer, err := seal.New([]byte(c.KeysSeal), digest)
	if err != nil {
		problems = append(problems, fmt.Errorf("keys.seal: %w", err))
	}
	return sealer, errors.Join(problems...)
}

// mails tells whether letters go anywhere: to a mail server, or to the viewer.
func (c Config) mails() bool { return c.MailServer.Host != "" || c.MailViewer != "" }

// manifest reads what is said of the installed face models.
func (c Config) manifest() (biometrics.Manifest, error) {
	data, err := os.ReadFile(filepath.Join(c.FaceModels, biometrics.ManifestFile))
	if err != nil {
		return biometrics.Manifest{}, fmt.Errorf("face.models: no face models in %s (make models prepares them)", c.FaceModels)
	}
	m, err := biometrics.ParseManifest(data)
	if err != nil {
		return biometrics.Manifest{}, fmt.Errorf("face.models: %v", err)
	}
	return m, nil
}

// previous is the configuration of the net that was installed before, in a
// folder of its own; false without one.
func (c Config) previous() (Config, bool) {
	c.FaceModels, c.FaceWorkers = c.FacePrevious, 1
	return c, c.FacePrevious != ""
}

// workerPath is the face worker's program: where the config says, or beside
// this one.
func (c Config) workerPath() string {
	if c.FaceWorker != "" {
		return c.FaceWorker
	}
	self, err := os.Executable()
	if err != nil {
		return "sallyport-face"
	}
	return filepath.Join(filepath.Dir(self), "sallyport-face")
}

func cores() int { return runtime.GOMAXPROCS(0) }
