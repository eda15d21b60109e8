package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/policy"
)

// good is the least that a configuration must say.
var good = map[string]string{
	"SALLYPORT_DATABASE_URL":                "postgres://localhost/app",
	"SALLYPORT_KEYS_SEAL":                   "{}",
	"SALLYPORT_KEYS_DIGEST":                 "AAAA",
	"SALLYPORT_ACCOUNTS_EMAIL_VERIFICATION": "off",
}

func load(t *testing.T, document string, over map[string]string) (Config, []error) {
	t.Helper()
	path := ""
	if document != "" {
		path = filepath.Join(t.TempDir(), "sallyport.yaml")
		if err := os.WriteFile(path, []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{}
	for name, value := range good {
		env[name] = value
	}
	for name, value := range over {
		if env[name] = value; value == "-" {
			delete(env, name)
		}
	}
	return loadConfig(path, env)
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, problems := load(t, "", nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if c.Listen != "127.0.0.1:8080" || c.Demo || c.Argon2.MemoryKiB != 19456 || c.Argon2.Time != 2 || c.Argon2.Threads != 1 || c.HashParallel < 1 {
		t.Errorf("got %+v", c)
	}
}

func TestTheEnvironmentComesBeforeTheFile(t *testing.T) {
	t.Parallel()
	c, problems := load(t, "listen: 127.0.0.1:1\nsite_name: From the file\n", map[string]string{"SALLYPORT_LISTEN": "127.0.0.1:2"})
	if len(problems) > 0 || c.Listen != "127.0.0.1:2" || c.SiteName != "From the file" {
		t.Errorf("got %+v %v", c, problems)
	}
}

func TestEverythingWrongIsToldAtOnce(t *testing.T) {
	t.Parallel()
	_, problems := load(t, "lsten: x\nfase:\n  workers: 2\npassword:\n  memory_kib: lots\nface:\n  detector: magic\nproxies:\n  trusted: [nowhere]\n", map[string]string{
		"SALLYPORT_DATABASE_URL":                "-",
		"SALLYPORT_KEYS_SEAL":                   "-",
		"SALLYPORT_ACCOUNTS_EMAIL_VERIFICATION": "-",
		"SALLYPORT_PUBLIC_URL":                  "http://login.example.com",
		"SALLYPORT_DEMO":                        "perhaps",
		"SALLYPORT_SHUTDOWN_GRACE":              "long",
	})
	var all []string
	for _, problem := range problems {
		all = append(all, problem.Error())
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{
		"lsten: is not a key", "fase.workers: is not a key", "password.memory_kib: must be a number", "face.detector: must be hog or cnn",
		"proxies.trusted: \"nowhere\"", "database.url: must name", "keys.seal: must be", "accounts.email_verification: must be off where",
		"public_url: must be https", "demo: must be true or false", "shutdown.grace: must be a duration",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("does not tell %q in\n%s", want, text)
		}
	}
	if len(problems) != 11 {
		t.Errorf("%d problems:\n%s", len(problems), text)
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(secret, []byte("postgres://from-a-file/app\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, problems := load(t, "", map[string]string{"SALLYPORT_DATABASE_URL": "-", "SALLYPORT_DATABASE_URL_FILE": secret})
	if len(problems) > 0 || c.DatabaseURL != "postgres://from-a-file/app" {
		t.Errorf("got %q %v", c.DatabaseURL, problems)
	}
	if _, problems := load(t, "", map[string]string{"SALLYPORT_DATABASE_URL_FILE": secret}); len(problems) != 1 {
		t.Errorf("both forms at once: %v", problems)
	}
	if _, problems := load(t, "", map[string]string{"SALLYPORT_DATABASE_URL": "-", "SALLYPORT_DATABASE_URL_FILE": secret + ".missing"}); len(problems) != 1 {
		t.Errorf("a missing file: %v", problems)
	}
	if _, problems := load(t, "listen_file: x\n", nil); len(problems) != 1 {
		t.Errorf("what is no secret has no file form: %v", problems)
	}
}

func TestPublicURLs(t *testing.T) {
	t.Parallel()
	for u, ok := range map[string]bool{
		"https://login.example.com": true, "https://login.example.com/": true, "https://login.example.com:8443": true, "http://localhost:9000": true,
		"http://login.example.com": false, "https://192.0.2.1": false, "https://login.example.com/door": false, "https://a@b.example": false, "login.example.com": false, "": false,
	} {
		_, problems := load(t, "", map[string]string{"SALLYPORT_PUBLIC_URL": u})
		if (len(problems) == 0) != ok {
			t.Errorf("%q: %v", u, problems)
		}
	}
}

// The example explains every key and holds no key that doesn't exist.
func TestTheExampleIsComplete(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../sallyport.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	smtp := filepath.Join(t.TempDir(), "smtp.url") // other keys depend on it
	if err := os.WriteFile(smtp, []byte("smtp://mail.example.com"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, problems := load(t, string(raw), map[string]string{
		"SALLYPORT_MAIL_SMTP_FILE": smtp,
		"SALLYPORT_DATABASE_URL":   "-", "SALLYPORT_KEYS_SEAL": "-", "SALLYPORT_KEYS_DIGEST": "-", "SALLYPORT_ACCOUNTS_EMAIL_VERIFICATION": "-",
	})
	for _, problem := range problems {
		// The example's secrets lie in files that aren't here.
		if !strings.Contains(problem.Error(), "can't be read from its file") {
			t.Error(problem)
		}
	}
	for _, o := range options {
		key := o.key[strings.LastIndexByte(o.key, '.')+1:]
		if !strings.Contains(string(raw), key+":") && !strings.Contains(string(raw), key+"_file:") {
			t.Errorf("does not mention %s", o.key)
		}
	}
}

func TestKeysAreMadeOnceAndForTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	for range 2 {
		if err := (keysGenerateCommand{Dir: dir}).Run(os.Stderr); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, sealFile)
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
	if err := (keysRotateCommand{File: path}).Run(t.Context(), nil, os.Stderr); err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(path)
	if err != nil || string(second) == string(first) {
		t.Errorf("nothing was rotated: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode after rotation %v %v", info.Mode(), err)
	}
	c, _ := load(t, "", map[string]string{
		"SALLYPORT_KEYS_SEAL": "-", "SALLYPORT_KEYS_DIGEST": "-",
		"SALLYPORT_KEYS_SEAL_FILE": path, "SALLYPORT_KEYS_DIGEST_FILE": filepath.Join(dir, digestFile),
	})
	if _, err := c.sealer(); err != nil {
		t.Error(err)
	}
}

// What is printed to begin a policy file with needs no configuration, names no
// face model, and says what is in force without it.
func TestTheDefaultPolicyIsPrintedForAFile(t *testing.T) {
	t.Setenv("SALLYPORT_POLICY_FILE", filepath.Join(t.TempDir(), "not-yet.yaml"))
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := printed(t, path, "policy", "show", "--defaults"); err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(document), "model:") {
		t.Errorf("names a face model:\n%s", document)
	}
	for _, model := range []string{"dlib-v1", "dlib-v1-q8"} {
		want := models.DefaultPolicy(model)
		if got, err := policy.Parse(path, document, func(string, string) models.Policy { return want }); err != nil || got.Version() != want.Version() {
			t.Errorf("%s: %v %+v", model, err, got)
		}
	}
}

// printed runs a command line with its output in a file.
func printed(t *testing.T, path string, args ...string) error {
	t.Helper()
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	return errors.Join(run(t.Context(), args, out), out.Close())
}

// config check reads everything that the configuration points to, and tells
// what is wrong with each in one go.
func TestConfigCheckTellsEverything(t *testing.T) {
	dir := t.TempDir()
	rules := filepath.Join(dir, "policy.yaml")
	if err := os.WriteFile(rules, []byte("face: {threshold: 9}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"LISTEN": "nohost:99999999", "DATABASE_URL": "postgres://%%%", "KEYS_SEAL": "{}", "KEYS_DIGEST": "AAAA",
		"SERVICE_HOST": "10.0.0.1", "PORT": "tcp://10.0.0.1:8080", "PORT_8080_TCP_ADDR": "10.0.0.1", "POSTGRES_SERVICE_PORT_SQL": "5432",
		"ACCOUNTS_EMAIL_VERIFICATION": "off", "POLICY_FILE": rules, "LISTN": "x", "LISTEN_FILE": "x",
	} {
		t.Setenv("SALLYPORT_"+name, value)
	}
	err := printed(t, filepath.Join(dir, "out"), "config", "check")
	if err == nil {
		t.Fatal("nothing was wrong")
	}
	for _, want := range []string{"listen: must be host:port", "database.url: can't be read", "keys.seal:", "face.threshold", "SALLYPORT_LISTN:", "SALLYPORT_LISTEN_FILE:"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("does not tell %q in\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "SERVICE") || strings.Contains(err.Error(), "PORT_8080") {
		t.Errorf("refuses what Kubernetes sets: %v", err)
	}
	if strings.Contains(err.Error(), "%%%") {
		t.Errorf("the database URL, which may hold a password, is quoted: %v", err)
	}
}
