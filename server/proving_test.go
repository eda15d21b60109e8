package server_test

import (
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
	"github.com/sallyport/sallyport/server/mail"
)

// mailing is a site that sends letters, and lets addresses count as they are given.
func mailing(t testing.TB) *site {
	t.Helper()
	s := withMail(t)
	s.posts(false)
	return s
}

// proving is a site where addresses have to be proven.
func proving(t testing.TB) *site {
	t.Helper()
	s := withMail(t)
	s.posts(true)
	return s
}

// posts puts a server in place that sends letters.
func (s *site) posts(verify bool) {
	s.t.Helper()
	s.server = s.newServer(slog.New(slog.NewTextHandler(s.log, nil)), func(d *server.Deps) { d.Mails, d.VerifyEmails = true, verify })
}

// letters does what the job does with the addresses that were claimed, and gives what
// is sent then.
func (s *site) letters() []mail.Message {
	s.t.Helper()
	ctx := s.t.Context()
	rows, err := s.Pool.Query(ctx, `DELETE FROM river_job WHERE kind = 'answer_address_claim' RETURNING args ->> 'claim_id'`)
	if err != nil {
		s.t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[models.ID])
	if err != nil {
		s.t.Fatal(err)
	}
	for _, id := range ids {
		if err := s.AnswerClaim(ctx, id); err != nil {
			s.t.Fatal(err)
		}
	}
	return s.mailbag()
}

// linkTo is the token of a kind in the letters that wait for an address, "" without.
func (s *site) linkTo(email string, kind models.LinkKind) (token string) {
	s.t.Helper()
	for _, letter := range s.letters() {
		if found := tokensIn(letter)[kind]; found != "" && letter.To == email {
			token = found
		}
	}
	return token
}

// asks registers, as far as the letter.
func (s *site) asks(name, email, pwd string) *person {
	s.t.Helper()
	p := &person{browser: s.browser(), name: name, pwd: pwd}
	a := p.post("/v1/accounts", map[string]any{"email": email, "username": name, "password": pwd}).want(202)
	if string(a.Raw) != "{}" {
		s.t.Errorf("the answer says %s", a.Raw)
	}
	return p
}

// confirms follows the letter of a registration.
func (p *person) confirms(token string) *answer {
	p.t.Helper()
	return p.post("/v1/links/confirm-email", map[string]any{"token": token, "password": p.pwd})
}

// joins is a person whose address is proven, signed in with an authenticator app.
func (s *site) joins(name string) *person {
	s.t.Helper()
	p := s.asks(name, name+"@example.com", password)
	p.confirms(s.linkTo(name+"@example.com", models.LinkConfirmEmail)).want(200).state(models.EnrolmentRequired, models.ACROne)
	p.addTOTP().state(models.Authenticated, models.ACRAAL2)
	s.mailbag()
	s.nextStep()
	return p
}

// wants asks for another address, and gives the token of the link that went there.
func (p *person) wants(email string) string {
	p.t.Helper()
	p.post("/v1/me/email", map[string]any{"email": email}).want(202)
	return p.site.linkTo(email, models.LinkChangeEmail)
}

// moves changes the address and gives the token that takes it back, with the letters.
func (p *person) moves(email string) (undo string, letters []mail.Message) {
	p.t.Helper()
	token := p.wants(email)
	p.site.browser().post("/v1/links/change-email", map[string]any{"token": token}).want(204)
	letters = p.site.letters()
	for _, letter := range letters {
		if found := tokensIn(letter)[models.LinkUndoEmail]; found != "" {
			undo = found
		}
	}
	return undo, letters
}

// hasSecond gives the account a second address.
func (p *person) hasSecond(email string) {
	p.t.Helper()
	p.post("/v1/me/email/second", map[string]any{"email": email}).want(202)
	p.site.browser().post("/v1/links/second-email", map[string]any{"token": p.site.linkTo(email, models.LinkSecondEmail)}).want(204)
}

// emailOf is the address of the account as its owner sees it.
func (p *person) emailOf() string {
	p.t.Helper()
	return p.get("/v1/me").want(200).Body["user"].(map[string]any)["email"].(string)
}
