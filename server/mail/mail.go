// Package mail writes to people: letters in their language, as text and as HTML, sent
// by SMTP, one message to one address.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// ErrRefused is wrapped by errors that trying again won't mend: the server knows
// no such mailbox, or the address is none.
var ErrRefused = errors.New("refused for good")

// sendWithin is how long the mail server may take for one message.
const sendWithin = time.Minute

// Message is what somebody is sent.
type Message struct {
	To      string // an address, without a name
	Subject string
	Text    string
	HTML    string // says the same
}

// Sender sends by one mail server. It is safe for concurrent use.
type Sender struct {
	server Server
	from   string
	tls    *tls.Config
	dial   gomail.DialContextFunc // nil for the network; tests lead it elsewhere
}

// Server is a mail server: where it is, and who we are to it.
type Server struct {
	Host           string
	Port           int
	User, Password string // empty where it asks for none
	// Implicit is TLS from the first byte (RFC 8314 section 3.3), of smtps URLs.
	// Else STARTTLS (RFC 3207) is demanded, but of a host that is this machine.
	Implicit bool
}

// ParseServer reads smtp://user:password@host:port or smtps://. Without a port it
// is 587, or 465 with smtps. Errors don't quote the URL, for it holds a password.
func ParseServer(text string) (Server, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return Server{}, errors.New("must be smtp://user:password@host:port or smtps://, user and password in URL encoding")
	}
	s := Server{Host: u.Hostname(), Port: 587, User: u.User.Username()}
	s.Password, _ = u.User.Password()
	switch u.Scheme {
	case "smtp":
	case "smtps":
		s.Implicit, s.Port = true, 465
	default:
		return Server{}, fmt.Errorf("must begin with smtp:// or smtps://, not %s://", u.Scheme)
	}
	if u.Port() != "" {
		port, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || port == 0 {
			return Server{}, fmt.Errorf("must have a port from 1 to 65535, has %s", u.Port())
		}
		s.Port = int(port)
	}
	if s.User == "" && s.Password != "" {
		return Server{}, errors.New("has a password without a user")
	}
	return s, nil
}

// loopback tells whether what is sent there stays on this machine.
func (s Server) loopback() bool {
	ip := net.ParseIP(s.Host)
	return s.Host == "localhost" || ip != nil && ip.IsLoopback()
}

// ParseFrom reads an address that mail comes from, with a name or without one
// (RFC 5322 section 3.4).
func ParseFrom(text string) (string, error) {
	address, err := netmail.ParseAddress(text)
	if err != nil {
		return "", fmt.Errorf("must be an address, such as Sallyport <login@example.com>, is %q", text)
	}
	return address.String(), nil
}

// New makes a sender; from is as ParseFrom gives it.
func New(server Server, from string) *Sender {
	return &Sender{server: server, from: from, tls: &tls.Config{ServerName: server.Host, MinVersion: tls.VersionTLS12}}
}

// Send hands a message to the server. What the server said is told by its code
// alone, since it likes to quote the address.
func (s *Sender) Send(ctx context.Context, m Message) error {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := errors.Join(msg.From(s.from), msg.To(m.To)); err != nil {
		return fmt.Errorf("mail: sender or recipient is no address: %w", ErrRefused)
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	msg.SetMessageID()
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 section 5: no holiday notes, please
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)

	client, err := gomail.NewClient(s.server.Host, s.options()...)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	err = client.DialAndSendWithContext(ctx, msg)
	var failed *gomail.SendError
	switch {
	case errors.As(err, &failed) && !failed.IsTemp() && failed.ErrorCode() >= 500:
		return fmt.Errorf("mail: the server answered %d: %w", failed.ErrorCode(), ErrRefused)
	case failed != nil:
		return fmt.Errorf("mail: the server answered %d", failed.ErrorCode())
	case err != nil:
		return fmt.Errorf("mail: %s: %w", net.JoinHostPort(s.server.Host, strconv.Itoa(s.server.Port)), err)
	}
	return nil
}

func (s *Sender) options() []gomail.Option {
	options := []gomail.Option{gomail.WithPort(s.server.Port), gomail.WithTLSConfig(s.tls)}
	auth := gomail.SMTPAuthAutoDiscover
	switch {
	case s.server.Implicit:
		options = append(options, gomail.WithSSL())
	case s.server.loopback():
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
		auth = gomail.SMTPAuthPlainNoEnc
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.server.User != "" {
		options = append(options, gomail.WithSMTPAuth(auth), gomail.WithUsername(s.server.User), gomail.WithPassword(s.server.Password))
	}
	if s.dial != nil {
		options = append(options, gomail.WithDialContextFunc(s.dial))
	}
	return options
}
