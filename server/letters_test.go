package server_test

import (
	"context"
	"net/url"
	"regexp"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/mail"
)

// postbox keeps what is sent, by address, in place of a mail server.
type postbox struct{ letters []mail.Message }

func (p *postbox) Send(_ context.Context, m mail.Message) error {
	p.letters = append(p.letters, m)
	return nil
}

// withMail is a site that tells people, five letters of a kind in an hour.
func withMail(t testing.TB) *site {
	t.Helper()
	s := newSite(t)
	s.MailPerHour = func() int { return s.policies.Current().Mail.PerHour }
	return s
}

func (s *site) courier(post mail.Post) mail.Courier {
	s.t.Helper()
	public, err := url.Parse(origin)
	if err != nil {
		s.t.Fatal(err)
	}
	letters, err := mail.NewLetters("Sallyport", public)
	if err != nil {
		s.t.Fatal(err)
	}
	return mail.Courier{Store: s.Store, Letters: letters, Post: post, Place: s.places.Place}
}

// mailbag sends what waits, oldest first, and gives it.
func (s *site) mailbag() []mail.Message {
	s.t.Helper()
	rows, err := s.Pool.Query(context.Background(), `SELECT id FROM notices WHERE sent_at IS NULL ORDER BY created_at, id`)
	if err != nil {
		s.t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[models.ID])
	if err != nil {
		s.t.Fatal(err)
	}
	var box postbox
	for _, id := range ids {
		if err := s.courier(&box).Deliver(context.Background(), id); err != nil {
			s.t.Fatal(err)
		}
	}
	return box.letters
}

var linkIn = regexp.MustCompile(`http://localhost:8080/link/([a-z-]+)#([A-Za-z0-9_-]{43})`)

// tokensIn are the tokens of a letter's links, by their kind.
func tokensIn(m mail.Message) map[models.LinkKind]string {
	found := map[models.LinkKind]string{}
	for _, link := range linkIn.FindAllStringSubmatch(m.Text, -1) {
		found[models.LinkKind(link[1])] = link[2]
	}
	return found
}

// alarm is the token of the newest letter's "this wasn't me".
func (s *site) alarm() string {
	s.t.Helper()
	bag := s.mailbag()
	if len(bag) == 0 {
		s.t.Fatal("no letter waits")
	}
	token := tokensIn(bag[len(bag)-1])[models.LinkNotMe]
	if token == "" {
		s.t.Fatalf("%q has no such link", bag[len(bag)-1].Subject)
	}
	return token
}

// deny posts the token of a link, as whoever reads the mail.
func (s *site) deny(token string, want models.Denial) {
	s.t.Helper()
	a := s.browser().post("/v1/links/not-me", map[string]any{"token": token}).want(200)
	if a.Body["outcome"] != string(want) {
		s.t.Errorf("outcome %v, want %s", a.Body["outcome"], want)
	}
}
