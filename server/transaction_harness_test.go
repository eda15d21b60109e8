package server_test

import (
	"encoding/base64"
	"maps"
	"net/url"
	"strings"

	"github.com/pquerna/otp/totp"
	"github.com/sallyport/sallyport/models"
)

const returnTo = "https://bank.example.com/confirmed"

// theirs is the state that an app keeps in its person's browser.
const theirs = "a state of the app's own that nobody guesses"

// bank is an app that keeps its users and passwords, at its server.
type bank struct {
	*browser
	site *site
}

func (s *site) bank(change ...func(*models.App)) *bank {
	s.t.Helper()
	app := models.App{ID: "bank", Name: "Example Bank", Transactions: &models.AppFactors{
		ReturnTo: []string{returnTo, returnTo + "?from=us"}, FrameAncestors: []string{"https://bank.example.com"}, Enrols: true,
	}}
	for _, c := range change {
		c(&app)
	}
	return s.serverOf(app.ID, s.newApp(app))
}

// serverOf is an app's server, which shows who it is.
func (s *site) serverOf(id, secret string) *bank {
	basic := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(secret)))
	return &bank{&browser{site: s, t: s.t, header: map[string]string{"Authorization": "Basic " + basic}}, s}
}

// nobody is a server that shows nothing.
func (s *site) nobody() *bank { return &bank{s.app(), s} }

// askedFor is an answer to an app that asked for a second factor.
type askedFor struct {
	*answer
	site *site
}

func (a *askedFor) want(status int, code ...models.Code) *askedFor {
	a.t.Helper()
	a.answer.want(status, code...)
	return a
}

func enrolling(body map[string]any) { body["enrol"] = true }

func with(name string, value any) func(map[string]any) {
	return func(body map[string]any) { body[name] = value }
}

// ask begins a transaction.
func (b *bank) ask(subject string, change ...func(map[string]any)) *askedFor {
	b.t.Helper()
	body := map[string]any{
		"subject": subject, "display_name": "Ada Byron", "return_to": returnTo, "state": theirs, "purpose": "payment",
		"context": map[string]any{"action": "Send 40 EUR to Ana", "details": "To: DE12\nOn: today"},
	}
	body["state"] = strings.ReplaceAll(theirs, " ", "-")
	for _, c := range change {
		c(body)
	}
	return &askedFor{b.post("/v1/transactions", body), b.site}
}

// tab is the one browser that has a transaction.
type tab struct {
	*browser
	id, secret string
}

// tab is a browser that was sent to a transaction, and did nothing yet.
func (a *askedFor) tab() *tab {
	a.t.Helper()
	address, err := url.Parse(a.text("url"))
	if err != nil {
		a.t.Fatal(err)
	}
	id := a.text("id")
	if address.Path != "/transaction/"+id || address.RawQuery != "" {
		a.t.Fatalf("it leads to %s", address)
	}
	b := a.site.browser()
	b.header["Sallyport-Transaction"] = id
	return &tab{b, id, address.Fragment}
}

func (t *tab) open() *answer {
	t.t.Helper()
	return t.post("/v1/transactions/"+t.id+"/open", map[string]any{"secret": t.secret})
}

// opened is a browser that has opened its transaction.
func (a *askedFor) opened() *tab {
	a.t.Helper()
	t := a.tab()
	t.open().want(200)
	return t
}

// setUpTOTP sets up a first authenticator app, and gives its secret.
func (t *tab) setUpTOTP() string {
	t.t.Helper()
	secret := t.post("/v1/me/totp", map[string]any{}).want(200).text("secret")
	t.post("/v1/me/totp/confirm", map[string]any{"code": t.codeOf(secret)}).want(200).state(models.TransactionPassed, models.ACROne)
	return secret
}

func (t *tab) codeOf(secret string) string {
	t.t.Helper()
	code, err := totp.GenerateCode(secret, t.site.Clock.Now())
	if err != nil {
		t.t.Fatal(err)
	}
	return code
}

func (t *tab) verifyTOTP(secret string) *answer {
	t.t.Helper()
	return t.post("/v1/verify/totp", map[string]any{"code": t.codeOf(secret)})
}

func (t *tab) verifyKey(k *key) *answer {
	t.t.Helper()
	options := t.post("/v1/verify/passkey/options", map[string]any{}).want(200)
	return t.post("/v1/verify/passkey", k.sign(t.t, options))
}

func (t *tab) setUpKey(k *key) *answer {
	t.t.Helper()
	options := t.post("/v1/me/passkeys/options", map[string]any{}).want(200)
	return t.post("/v1/me/passkeys", map[string]any{"credential": k.create(t.t, options)})
}

// goBack asks for the way back, as the page does.
func (t *tab) goBack() *answer {
	t.t.Helper()
	return t.post("/v1/transactions/"+t.id+"/return", map[string]any{})
}

// comeBack is the code that the person brings back to the app.
func (t *tab) comeBack() string {
	t.t.Helper()
	way := t.goBack().want(200)
	to, err := url.Parse(way.text("return_to"))
	if err != nil {
		t.t.Fatal(err)
	}
	return to.Query().Get("code")
}

func (b *bank) redeem(t *tab, code string) *answer {
	b.t.Helper()
	return b.clone().post("/v1/transactions/"+t.id+"/result", map[string]any{"code": code})
}

// enrolled makes a subject with an authenticator app, and gives the app's secret.
func (b *bank) enrolled(subject string) string {
	b.t.Helper()
	t := b.ask(subject, enrolling).want(201).opened()
	secret := t.setUpTOTP()
	b.redeem(t, t.comeBack()).want(200)
	b.site.nextStep()
	return secret
}

// withKey makes a subject with a passkey.
func (b *bank) withKey(subject string, verifies bool) *key {
	b.t.Helper()
	k := newKey(verifies)
	t := b.ask(subject, enrolling).want(201).opened()
	t.setUpKey(k).want(201)
	b.redeem(t, t.comeBack()).want(200)
	return k
}

// copied is somebody else's browser with all of this one's cookies but its own header.
func (t *tab) copied(header map[string]string) *browser {
	c := t.clone()
	c.header = maps.Clone(header)
	return c
}

// status is where a transaction stands, as its app is told.
func (b *bank) status(t *tab) string {
	b.t.Helper()
	return b.clone().get("/v1/transactions/" + t.id).want(200).text("status")
}
