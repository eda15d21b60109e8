package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/riverqueue/river/rivertype"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/worker"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres/pgtest"
	"github.com/sallyport/sallyport/server/face"
	"github.com/sallyport/sallyport/server/mail"
	"github.com/sallyport/sallyport/server/place"
)

// mailbox takes letters, but sends the first that knocks away until later.
type mailbox struct {
	letters chan string
	knocked atomic.Bool
}

func (m *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return m, nil }

func (m *mailbox) Mail(string, *smtp.MailOptions) error {
	if m.knocked.CompareAndSwap(false, true) {
		return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "come back later"}
	}
	return nil
}

func (m *mailbox) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "gone@") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	}
	return nil
}

func (m *mailbox) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	m.letters <- string(text)
	return err
}

func (m *mailbox) Reset()        {}
func (m *mailbox) Logout() error { return nil }

// office opens a mail server on this machine.
func office(t *testing.T) (*mailbox, mail.Server) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := &mailbox{letters: make(chan string, 10)}
	server := smtp.NewServer(box)
	served := make(chan struct{})
	go func() { _ = server.Serve(listener); close(served) }()
	t.Cleanup(func() { _ = server.Close(); <-served })
	return box, mail.Server{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port}
}

// withFace is an account whose face was last used so many days ago.
func withFace(t *testing.T, f *pgtest.Fixture, name string, days int) models.ID {
	t.Helper()
	id, now := models.NewID(f.Clock.Now()), f.Clock.Now()
	for _, sql := range []string{
		`INSERT INTO users (id, email, email_canonical, username, username_canonical, display_name, password_hash, webauthn_handle, created_at)
		 VALUES ($1, $2 || '@example.com', $2 || '@example.com', $2, $2, $2, '$argon2id$', sha512($2::bytea), $3)`,
		`INSERT INTO faces (user_id, enrolled_at, last_used_at) SELECT id, $3, $3 FROM users WHERE id = $1 AND username = $2`,
	} {
		if _, err := f.Pool.Exec(context.Background(), sql, id, name, now.AddDate(0, 0, -days)); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

func newChores(f *pgtest.Fixture, server mail.Server, log *slog.Logger) chores {
	policy := models.DefaultPolicy(biometrics.ModelDlibV1)
	letters, err := mail.NewLetters("Example", &url.URL{Scheme: "https", Host: "login.example.com"})
	if err != nil {
		panic(err) // what is built in can't be read
	}
	f.MailPerHour = func() int { return policy.Mail.PerHour }
	return chores{
		config:  Config{FaceEnabled: true},
		courier: &mail.Courier{Store: f.Store, Letters: letters, Post: mail.New(server, "<login@example.com>"), Place: (*place.Database)(nil).Place},
		store:   f.Store, policy: func() models.Policy { return policy }, engine: noFace{"there is none"},
		cohorts: &face.Cohorts{Store: f.Store, Now: f.Clock.Now, Log: log}, log: log,
	}
}

func TestOwnersOfUnusedFacesGetMailAlsoWhenTheServerWasDown(t *testing.T) {
	t.Parallel()
	f := pgtest.New(t)
	box, server := office(t)
	withFace(t, f, "ada", 340)
	var log pgtest.Log
	c := newChores(f, server, slog.New(slog.NewTextHandler(&log, nil)))
	jobs, err := f.Jobs(c.work(), time.Second, c.log)
	if err != nil {
		t.Fatal(err)
	}
	if err := jobs.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case letter := <-box.letters:
		erased := f.Clock.Now().AddDate(0, 0, 30).UTC().Format("2 January 2006")
		letter = strings.ReplaceAll(letter, "=\r\n", "") // soft line breaks of quoted-printable
		if !strings.Contains(letter, "To: <ada@example.com>") || !strings.Contains(letter, erased) {
			t.Errorf("no word of %s in %s", erased, letter)
		}
	case <-time.After(60 * time.Second):
		t.Error("no letter arrived")
	}
	if err := jobs.Stop(); err != nil {
		t.Error(err)
	}
	for _, secret := range []string{"ada@example.com", "ada "} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log tells %q: %s", secret, log.String())
		}
	}
	if !strings.Contains(log.String(), "421") {
		t.Errorf("the log does not tell that the server was down: %s", log.String())
	}
}

func TestAMailboxThatIsGoneIsGivenUp(t *testing.T) {
	t.Parallel()
	f := pgtest.New(t)
	box, server := office(t)
	box.knocked.Store(true)
	withFace(t, f, "gone", 340)
	c := newChores(f, server, slog.New(slog.DiscardHandler))
	if told, _, err := f.PurgeFaces(t.Context(), 365); err != nil || told != 1 {
		t.Fatalf("told %d, %v", told, err)
	}
	var id models.ID
	if err := f.Pool.QueryRow(t.Context(), `SELECT id FROM notices`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	err := c.sendNotice(t.Context(), id)
	var given *rivertype.JobCancelError
	if !errors.As(err, &given) {
		t.Errorf("would be tried again: %v", err)
	}
	var givenUp bool
	if err := f.Pool.QueryRow(t.Context(), `SELECT given_up_at IS NOT NULL AND sent_at IS NULL FROM notices`).Scan(&givenUp); err != nil || !givenUp {
		t.Errorf("given up: %v, %v", givenUp, err)
	}
	// It stays given up, also when the job runs once more.
	if err := c.sendNotice(t.Context(), id); err != nil || len(box.letters) != 0 {
		t.Errorf("%d letters, %v", len(box.letters), err)
	}
}

func TestTheCohortIsNotRenewedWithoutAnEngine(t *testing.T) {
	t.Parallel()
	f := pgtest.New(t)
	c := newChores(f, mail.Server{}, slog.New(slog.DiscardHandler))
	if err := c.renewCohort(t.Context()); err == nil || !strings.Contains(err.Error(), "there is none") {
		t.Errorf("got %v", err)
	}
	c.engine = noFace{worker.Loading} // at the start, which is no failure
	var later *rivertype.JobSnoozeError
	if err := c.renewCohort(t.Context()); !errors.As(err, &later) {
		t.Errorf("while the models are loaded: %v", err)
	}
	c.config.FaceEnabled = false
	if err := c.renewCohort(t.Context()); err != nil {
		t.Errorf("where faces are switched off: %v", err)
	}
}

func TestMailSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		smtp, from, problem string
	}{
		{"", "", ""},
		{"smtp://u:secret@mail.example.com", "Example <login@example.com>", ""},
		{"smtp://u:secret@mail.example.com", "", "mail.from: must be an address"},
		{"smtp://u:secret@mail.example.com", "nobody", "mail.from: must be an address"},
		{"mail.example.com", "login@example.com", "mail.smtp: must"},
		{"smtp://mail.example.com:65536", "", "mail.smtp: must have a port from 1 to 65535, has 65536"},
		{"http://u:secret@mail.example.com", "login@example.com", "mail.smtp: must begin with smtp:// or smtps://"},
	} {
		config, problems := load(t, "", map[string]string{"SALLYPORT_MAIL_SMTP": c.smtp, "SALLYPORT_MAIL_FROM": c.from})
		switch {
		case c.problem == "" && len(problems) > 0:
			t.Errorf("%+v: %v", c, problems)
		case c.problem == "" && config.mails() != (c.smtp != ""):
			t.Errorf("%+v: mails %v", c, config.mails())
		case c.problem != "" && (len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), c.problem) || strings.Contains(problems[0].Error(), "secret")):
			t.Errorf("%+v: %v", c, problems)
		}
	}
}

// The viewer shows everybody's mail: nobody may switch it on where others could
// reach it, or by mistake in production.
func TestTheMailViewerIsForTryingOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ viewer, public, smtp, problem string }{
		{"127.0.0.1:8025", "http://localhost:8080", "", ""},
		{"0.0.0.0:8025", "http://localhost:8080", "", "mail.viewer: must be on this machine"},
		{"192.0.2.1:8025", "http://localhost:8080", "", "mail.viewer: must be on this machine"},
		{"127.0.0.1:8025", "https://login.example.com", "", "mail.viewer: is for trying out"},
		{"127.0.0.1:8025", "https://localhost", "", "mail.viewer: is for trying out"},
		{"127.0.0.1:8025", "http://localhost:8080", "smtp://mail.example.com", "mail.viewer: must be left out"},
	} {
		config, problems := load(t, "", map[string]string{
			"SALLYPORT_MAIL_VIEWER": c.viewer, "SALLYPORT_PUBLIC_URL": c.public, "SALLYPORT_MAIL_SMTP": c.smtp, "SALLYPORT_MAIL_FROM": "login@example.com",
		})
		switch {
		case c.problem == "" && (len(problems) > 0 || !config.mails()):
			t.Errorf("%+v: %v", c, problems)
		case c.problem != "" && (len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), c.problem)):
			t.Errorf("%+v: %v", c, problems)
		}
	}
}

// Where there is a mail server addresses are verified unless somebody says otherwise;
// where there is none somebody has to.
func TestEmailVerificationFollowsTheMailServer(t *testing.T) {
	t.Parallel()
	const smtp, viewer = "smtp://mail.example.com", "127.0.0.1:8025"
	for _, c := range []struct {
		smtp, viewer, setting string
		required              bool
		problem               string
	}{
		{smtp: smtp, setting: "-", required: true},
		{smtp: smtp, setting: "required", required: true},
		{smtp: smtp, setting: "off"},
		{viewer: viewer, setting: "-", problem: "accounts.email_verification: must be off where there is no mail server"},
		{viewer: viewer, setting: "required", required: true},
		{viewer: viewer, setting: "off"},
		{setting: "-", problem: "accounts.email_verification: must be off where there is no mail server"},
		{setting: "required", problem: "accounts.email_verification: can't be required where no mail is sent"},
		{setting: "false"},
		{setting: "maybe", problem: "accounts.email_verification: must be required or off"},
	} {
		config, problems := load(t, "", map[string]string{
			"SALLYPORT_MAIL_SMTP": c.smtp, "SALLYPORT_MAIL_VIEWER": c.viewer, "SALLYPORT_MAIL_FROM": "login@example.com",
			"SALLYPORT_PUBLIC_URL": "http://localhost:8080", "SALLYPORT_ACCOUNTS_EMAIL_VERIFICATION": c.setting,
		})
		switch {
		case c.problem == "" && (len(problems) > 0 || config.VerifyEmails != c.required):
			t.Errorf("%+v: required %v, %v", c, config.VerifyEmails, problems)
		case c.problem != "" && (len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), c.problem)):
			t.Errorf("%+v: %v", c, problems)
		}
	}
}
