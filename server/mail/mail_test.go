package mail

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// post is a mail server on this machine, which takes mail for everybody but
// nobody@ and the full@ mailbox.
type post struct {
	t    *testing.T
	addr string

	mu        sync.Mutex
	got       []string
	user      string
	encrypted bool
}

func (p *post) NewSession(c *smtp.Conn) (smtp.Session, error) {
	_, encrypted := c.TLSConnectionState()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.encrypted = encrypted
	return &delivery{p}, nil
}

type delivery struct{ *post }

func (l *delivery) AuthMechanisms() []string { return []string{sasl.Plain} }

func (l *delivery) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != "opensesame" {
			return smtp.ErrAuthFailed
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.user = user
		return nil
	}), nil
}

func (l *delivery) Mail(string, *smtp.MailOptions) error { return nil }

func (l *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	switch {
	case strings.HasPrefix(to, "nobody@"):
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox: " + to}
	case strings.HasPrefix(to, "full@"):
		return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "mailbox full: " + to}
	}
	return nil
}

func (l *delivery) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, string(text))
	return err
}

func (l *delivery) Reset()        {}
func (l *delivery) Logout() error { return nil }

// office opens a mail server; with keys it offers STARTTLS, or with implicit
// speaks TLS from the first byte.
func office(t *testing.T, keys *tls.Config, implicit bool) *post {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &post{t: t, addr: listener.Addr().String()}
	server := smtp.NewServer(p)
	server.Domain, server.TLSConfig, server.AllowInsecureAuth = "mail.example.test", keys, keys == nil
	server.ErrorLog = log.New(io.Discard, "", 0)
	if implicit {
		listener, server.TLSConfig = tls.NewListener(listener, keys), nil
		server.AllowInsecureAuth = true
	}
	served := make(chan struct{})
	go func() { _ = server.Serve(listener); close(served) }()
	t.Cleanup(func() { _ = server.Close(); <-served })
	return p
}

// certificate is for mail.example.test and this machine, and the pool that trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"mail.example.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}

// sender is one for a URL, whose connections are led to the server. ADDR in it is
// where that really is.
func sender(t *testing.T, url string, p *post, trusted *x509.CertPool) *Sender {
	t.Helper()
	server, err := ParseServer(strings.ReplaceAll(url, "ADDR", p.addr))
	if err != nil {
		t.Fatal(err)
	}
	s := New(server, "Sallyport <login@example.com>")
	s.tls.RootCAs = trusted
	s.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, p.addr)
	}
	if server.Implicit {
		s.dial = nil // go-mail would leave TLS to it
	}
	return s
}

var letterToAda = Message{To: "ada@example.com", Subject: "Schöne Grüße", Text: "Guten Tag.\n", HTML: "<p>Guten Tag.</p>\n"}

func TestMailArrivesWholeAndReadable(t *testing.T) {
	t.Parallel()
	p := office(t, nil, false)
	s := sender(t, "smtp://sallyport:opensesame@127.0.0.1", p, nil)
	if err := s.Send(t.Context(), letterToAda); err != nil {
		t.Fatal(err)
	}
	if p.user != "sallyport" || len(p.got) != 1 {
		t.Fatalf("user %q sent %d letters", p.user, len(p.got))
	}
	msg, err := netmail.ReadMessage(bytes.NewReader([]byte(p.got[0])))
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{
		"From": `"Sallyport" <login@example.com>`, "To": "<ada@example.com>", "Auto-Submitted": "auto-generated",
		"Subject": "=?UTF-8?q?Sch=C3=B6ne_Gr=C3=BC=C3=9Fe?=",
	} {
		if got := msg.Header.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	if _, err := msg.Header.Date(); err != nil || msg.Header.Get("Message-ID") == "" {
		t.Errorf("date %v, message id %q", err, msg.Header.Get("Message-ID"))
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s, %v", kind, err)
	}
	// The last alternative is the one that mail programs prefer (RFC 2046 section 5.1.4).
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for _, want := range [][2]string{{"text/plain; charset=UTF-8", letterToAda.Text}, {"text/html; charset=UTF-8", letterToAda.HTML}} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part) // which undoes quoted-printable
		if got := [2]string{part.Header.Get("Content-Type"), strings.ReplaceAll(string(body), "\r\n", "\n")}; err != nil || got != want {
			t.Errorf("got %q, want %q, %v", got, want, err)
		}
	}
	if _, err := parts.NextPart(); !errors.Is(err, io.EOF) {
		t.Errorf("there is more: %v", err)
	}
}

func TestTLSIsDemandedBeyondThisMachine(t *testing.T) {
	t.Parallel()
	keys, trusted := certificate(t)
	for name, c := range map[string]struct {
		url      string
		keys     *tls.Config
		implicit bool
		trusted  *x509.CertPool
		works    bool
	}{
		"STARTTLS":                {"smtp://sallyport:opensesame@mail.example.test", keys, false, trusted, true},
		"implicit":                {"smtps://sallyport:opensesame@ADDR", keys, true, trusted, true},
		"implicit, unknown":       {"smtps://sallyport:opensesame@ADDR", keys, true, x509.NewCertPool(), false},
		"no TLS offered":          {"smtp://sallyport:opensesame@mail.example.test", nil, false, trusted, false},
		"unknown authority":       {"smtp://sallyport:opensesame@mail.example.test", keys, false, x509.NewCertPool(), false},
		"certificate for another": {"smtp://sallyport:opensesame@post.example.test", keys, false, trusted, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := office(t, c.keys, c.implicit)
			err := sender(t, c.url, p, c.trusted).Send(t.Context(), letterToAda)
			if (err == nil) != c.works {
				t.Fatalf("got %v", err)
			}
			if errors.Is(err, ErrRefused) {
				t.Errorf("%v is taken for good: the server may be mended", err)
			}
			if c.works != (len(p.got) == 1) || c.works != (p.user == "sallyport") {
				t.Errorf("%d letters by user %q", len(p.got), p.user)
			}
			if c.works && !c.implicit && !p.encrypted {
				t.Error("the letter went in clear")
			}
		})
	}
}

func TestWhatTheServerRefusesIsToldWithoutTheAddress(t *testing.T) {
	t.Parallel()
	p := office(t, nil, false)
	s := sender(t, "smtp://localhost", p, nil)
	for to, forGood := range map[string]bool{"nobody@example.com": true, "full@example.com": false, "ada at example": true} {
		err := s.Send(t.Context(), Message{To: to, Subject: "s", Text: "t", HTML: "h"})
		if err == nil || errors.Is(err, ErrRefused) != forGood {
			t.Errorf("%s: got %v, for good should be %v", to, err, forGood)
		}
		if err != nil && strings.Contains(err.Error(), to) {
			t.Errorf("%v quotes the address", err)
		}
	}
	if len(p.got) != 0 {
		t.Errorf("%d letters were taken", len(p.got))
	}
}

func TestAServerThatIsDownMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &post{addr: listener.Addr().String()}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	err = sender(t, "smtp://sallyport:opensesame@localhost", p, nil).Send(t.Context(), letterToAda)
	if err == nil || errors.Is(err, ErrRefused) || strings.Contains(err.Error(), "opensesame") {
		t.Errorf("got %v", err)
	}
}

func TestAWrongPasswordMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	p := office(t, nil, false)
	err := sender(t, "smtp://sallyport:guess@localhost", p, nil).Send(t.Context(), letterToAda)
	if err == nil || errors.Is(err, ErrRefused) || strings.Contains(err.Error(), "guess") {
		t.Errorf("got %v", err)
	}
}

func TestServersAndAddressesAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Server{
		"smtp://mail.example.com":              {Host: "mail.example.com", Port: 587},
		"smtps://u:p%40ss@mail.example.com":    {Host: "mail.example.com", Port: 465, User: "u", Password: "p@ss", Implicit: true},
		"smtp://u%40example.com:p@[::1]:25":    {Host: "::1", Port: 25, User: "u@example.com", Password: "p"},
		"smtp://u@mail.example.com:2525/":      {Host: "mail.example.com", Port: 2525, User: "u"},
		"smtps://mail.example.com:1465":        {Host: "mail.example.com", Port: 1465, Implicit: true},
		"mail.example.com:25":                  {},
		"http://secret@mail.example.com":       {},
		"smtp://u:secret@mail.example.com:0":   {},
		"smtp://u:secret@mail.example.com/x":   {},
		"smtp://u:sec ret@mail.example.com":    {},
		"smtp://:secret@mail.example.com":      {},
		"smtp://u:secret@mail.example.com?x=y": {},
		"":                                     {},
	} {
		got, err := ParseServer(text)
		if got != want || (err == nil) != (want != Server{}) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "sec") {
			t.Errorf("%v quotes the password", err)
		}
	}
	for text, want := range map[string]string{
		"login@example.com":             "<login@example.com>",
		"Example Inc <a@example.com>":   `"Example Inc" <a@example.com>`,
		"":                              "",
		"nobody":                        "",
		"a@example.com\r\nBcc: b@x.org": "",
	} {
		if got, err := ParseFrom(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}
