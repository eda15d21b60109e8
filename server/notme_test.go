package server_test

import (
	"context"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres"
	"github.com/sallyport/sallyport/models/postgres/pgtest"
	"github.com/sallyport/sallyport/server/mail"
)

// office is a mail server that is down for the first letter.
type office struct {
	letters chan string
	once    sync.Once
}

func (o *office) NewSession(*smtp.Conn) (smtp.Session, error) { return o, nil }

func (o *office) Mail(string, *smtp.MailOptions) (err error) {
	o.once.Do(func() {
		err = &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "come back later"}
	})
	return err
}

func (o *office) Rcpt(string, *smtp.RcptOptions) error { return nil }

func (o *office) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	o.letters <- string(text)
	return err
}

func (o *office) Reset()        {}
func (o *office) Logout() error { return nil }

// read gives address, subject and text of a letter as it came by SMTP.
func read(t *testing.T, letter string) mail.Message {
	t.Helper()
	msg, err := netmail.ReadMessage(strings.NewReader(letter))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	part, err := multipart.NewReader(msg.Body, params["boundary"]).NextPart()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(part)
	if err != nil {
		t.Fatal(err)
	}
	return mail.Message{To: msg.Header.Get("To"), Subject: subject, Text: string(text)}
}

// From the wrong code to the shut door, by a real mail server that is down at first.
func TestARefusedSecondFactorIsToldAndItsLinkShutsEverybodyOut(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada := s.withTOTP("ada")
	s.mailbag() // of the first factor
	s.Clock.Advance(time.Minute)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := &office{letters: make(chan string, 10)}
	server := smtp.NewServer(box)
	served := make(chan struct{})
	go func() { _ = server.Serve(listener); close(served) }()
	t.Cleanup(func() { _ = server.Close(); <-served })
	courier := s.courier(mail.New(mail.Server{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port}, "<login@example.com>"))
	nothing := func(context.Context) error { return nil }
	var log pgtest.Log
	jobs, err := s.Jobs(postgres.Work{RenewCohort: nothing, PurgeFaces: nothing, RetainEvents: nothing, EraseAccounts: nothing, AttendRecoveries: nothing, SendNotice: courier.Deliver, DeliverWebhook: func(context.Context, models.ID) (time.Duration, error) { return 0, nil }}, time.Second, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := jobs.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = jobs.Stop() })

	thief := ada.elsewhere()
	for range 3 {
		thief.post("/v1/verify/totp", map[string]any{"code": "000000"}).want(422, models.CodeFactorRejected)
	}
	next := func() mail.Message {
		t.Helper()
		select {
		case letter := <-box.letters:
			return read(t, letter)
		case <-time.After(60 * time.Second):
			t.Fatalf("no letter came: %s", log.String())
			panic("not reached")
		}
	}
	alarm := next()
	if alarm.To != "<ada@example.com>" || alarm.Subject != "Somebody may know your password at Sallyport" {
		t.Fatalf("got %+v", alarm)
	}
	if !strings.Contains(log.String(), "421") {
		t.Errorf("the mail server was not down: %s", log.String())
	}
	token := tokensIn(alarm)[models.LinkNotMe]
	s.deny(token, models.DenialFrozen)
	ada.get("/v1/session").want(401)
	thief.get("/v1/session").want(401)
	s.browser().post("/v1/links/not-me", map[string]any{"token": token}).want(410, models.CodeChallengeExpired)

	reset := next()
	if reset.Subject != "Choose a new password for Sallyport" || tokensIn(reset)[models.LinkPasswordReset] == "" {
		t.Errorf("got %+v", reset)
	}
	if len(box.letters) != 0 {
		t.Errorf("%d more letters of one alarm", len(box.letters))
	}
	if strings.Contains(log.String(), token) || strings.Contains(log.String(), "ada@") {
		t.Errorf("the log tells too much: %s", log.String())
	}
	for _, table := range []string{"river_job", "notices", "mail_links", "events"} {
		var n int
		if err := s.Pool.QueryRow(t.Context(), `SELECT count(*) FROM `+table+` r WHERE r::text LIKE '%' || $1 || '%'`, token).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s holds the token %d times, %v", table, n, err)
		}
	}
}

func TestALinkDoesItsWorkOnceOf100(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada := s.withTOTP("ada")
	ada.saveCodes()
	token := s.alarm()
	won := parallel(100, func(int) *answer { return s.browser().post("/v1/links/not-me", map[string]any{"token": token}) })
	if won[200] != 1 || won[410] != 99 {
		t.Errorf("answers %v", won)
	}
}

// Mail programs and scanners open links; some run scripts, none presses buttons.
func TestLookingAtALinkChangesNothing(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada := s.withTOTP("ada")
	token := s.alarm()
	for _, path := range []string{"/link/not-me", "/link/not-me?token=" + token, "/link/not-me/" + token} {
		for _, method := range []string{"GET", "HEAD"} {
			scanner := s.browser()
			scanner.header = map[string]string{"Accept": "text/html"}
			scanner.do(method, path, nil)
		}
	}
	s.browser().do("GET", "/v1/links/not-me?token="+token, nil).want(405, models.CodeMethodNotAllowed)
	elsewhere := s.browser()
	elsewhere.header = map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
	elsewhere.post("/v1/links/not-me", map[string]any{"token": token}).want(403, models.CodeCrossSite)
	ada.get("/v1/me").want(200)
	s.deny(token, models.DenialFrozen)
}

func TestLinksThatDontWorkAreRefusedAlike(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	s.withTOTP("ada")
	used := s.alarm()
	s.deny(used, models.DenialFrozen)
	foreign := tokensIn(s.mailbag()[0])[models.LinkPasswordReset]
	if foreign == "" {
		t.Fatal("no letter offers a new password")
	}
	first := s.browser().post("/v1/links/not-me", map[string]any{"token": foreign}).want(410, models.CodeChallengeExpired).Raw
	s.withTOTP("bob")
	old := s.alarm()
	s.Clock.Advance(models.LinkNotMe.Lifetime())
	for name, token := range map[string]string{"used": used, "expired": old, "unknown": strings.Repeat("A", 43), "no token": "x"} {
		a := s.browser().post("/v1/links/not-me", map[string]any{"token": token}).want(410, models.CodeChallengeExpired)
		if string(a.Raw) != string(first) {
			t.Errorf("%s is told apart from one of another kind: %s", name, a.Raw)
		}
	}
}

// An attacker who knew the password and got past the second factor adds a passkey,
// and with it another; the owner reads the first letter.
func TestWhatAFactAddedAndAllSinceOpensNothing(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada := s.withTOTP("ada")
	ada.saveCodes()
	s.Clock.Advance(time.Hour)
	s.mailbag()
	thief := ada.elsewhere()
	thief.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
	key, second := newKey(true), newKey(true)
	thief.addPasskey(key, "mine").want(201)
	token := s.alarm()
	s.nextStep()
	thief.addPasskey(second, "mine too").want(201)
	thief.saveCodes()
	device := newDevice(t)
	thief.addDevice(device).want(201)
	s.nextStep()
	s.deny(token, models.DenialFrozen)

	// What was planted opens nothing, alone or after the password.
	thief.get("/v1/session").want(401)
	s.browser().loginPasskey(key).want(401, models.CodeInvalidCredentials)
	s.browser().loginPasskey(second).want(401, models.CodeInvalidCredentials)
	half := ada.elsewhere()
	if a := half.get("/v1/session").want(200); len(a.Body["factors"].([]any)) != 1 {
		t.Errorf("factors %v, want the app alone", a.Body["factors"])
	}
	half.post("/v1/verify/passkey/options", map[string]any{}).want(409, models.CodeConflict)
	half.post("/v1/verify/recovery", map[string]any{"code": thief.codes[0]}).want(422, models.CodeFactorRejected)

	// The owner's older app lifts it; what is set aside stays so, and can be removed.
	s.nextStep()
	ada = ada.elsewhere()
	ada.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200).state(models.Authenticated, models.ACRAAL2)
	listed := ada.get("/v1/me/passkeys").want(200).Body["passkeys"].([]any)
	if len(listed) != 2 {
		t.Fatalf("%d passkeys are shown, want both", len(listed))
	}
	for _, entry := range listed {
		passkey := entry.(map[string]any)
		if passkey["quarantined_at"] == nil {
			t.Errorf("%v is not set aside", passkey["name"])
		}
		ada.delete("/v1/me/passkeys/" + passkey["id"].(string)).want(204)
	}
	if devices := ada.get("/v1/me/devices").want(200).Body["devices"].([]any); len(devices) != 0 {
		t.Errorf("%d devices are left", len(devices))
	}
	ada.addPasskey(newKey(true), "my own").want(201)
}

// The last passkey that opens anything stands, and what is set aside can go all the same.
func TestWhatIsSetAsideIsNoFactorToKeep(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada, phone := s.register("ada"), newKey(true)
	ada.addPasskey(phone, "Phone").want(201)
	s.Clock.Advance(time.Minute)
	s.mailbag()
	planted := ada.addPasskey(newKey(true), "planted").want(201).Body["passkey"].(map[string]any)["id"].(string)
	s.deny(s.alarm(), models.DenialFrozen)
	ada.browser, ada.key = s.browser(), phone
	ada.loginPasskey(phone).want(200).state(models.Authenticated, models.ACRAAL2)
	ada.delete("/v1/me/passkeys/" + planted).want(204)
	left := ada.get("/v1/me/passkeys").want(200).Body["passkeys"].([]any)[0].(map[string]any)["id"].(string)
	ada.delete("/v1/me/passkeys/"+left).want(409, models.CodeLastFactor)
}

func TestNothingIsAddedForADayAndAnOlderFactorLiftsIt(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada := s.withFace("ada", 1)
	ada.saveCodes()
	s.Clock.Advance(time.Hour)
	s.mailbag()
	ada = ada.elsewhere()
	ada.post("/v1/verify/totp", map[string]any{"code": "000000"}).want(422)
	s.deny(s.alarm(), models.DenialFrozen)

	// A face is older too, and lets its owner in, but lifts nothing.
	byFace := ada.elsewhere()
	byFace.showFace(someone(1)).want(200).state(models.Authenticated, models.ACRMFA)
	back := ada.elsewhere()
	back.post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200)
	frozen := func(a *answer) {
		t.Helper()
		if a.want(409, models.CodeConflict); a.Body["reason"] != "frozen" {
			t.Errorf("%s: reason %v", a.what, a.Body["reason"])
		}
	}
	frozen(back.post("/v1/me/recovery-codes", map[string]any{}))
	frozen(back.addPasskey(newKey(true), "planted"))
	byFace.secret = "" // the app's code would lift it
	byFace.proveByFace("add_face", "", someone(1))
	frozen(byFace.enrolFace(someone(1)))

	s.nextStep()
	owner := ada.elsewhere()
	owner.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
	owner.addPasskey(newKey(true), "my own").want(201)
	owner.saveCodes()
}

// Somebody who reads another's mail, and no more, holds them out once a week.
func TestWhoReadsTheMailHoldsNobodyOutAgainAndAgain(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada := s.withTOTP("ada")
	ada.saveCodes()
	pile := []string{} // letters that were left unread
	for _, letter := range s.mailbag() {
		pile = append(pile, tokensIn(letter)[models.LinkNotMe])
	}
	s.Clock.Advance(time.Hour)
	ada = ada.elsewhere()
	ada.post("/v1/verify/totp", map[string]any{"code": "000000"}).want(422)
	s.deny(s.alarm(), models.DenialFrozen)
	s.nextStep()
	ada = ada.elsewhere()
	ada.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
	for _, token := range pile {
		s.deny(token, models.DenialSettled)
	}
	ada.get("/v1/me").want(200)

	// What the owner does next is told too, and that letter sets aside no more than it tells of.
	s.nextStep()
	ada.saveCodes()
	s.nextStep()
	ada.post("/v1/me/password", map[string]any{"current": password, "new": "a brand new password"}).want(204)
	ada.pwd = "a brand new password"
	bag := s.mailbag()
	changed := tokensIn(bag[len(bag)-1])[models.LinkNotMe]
	s.deny(changed, models.DenialSetAside)
	ada.get("/v1/me").want(200) // it added nothing, so nobody is signed out
	ada.addPasskey(newKey(true), "my own").want(201)
}

// Somebody who knows the password, and no more, can't use the alarm, nor what follows.
func TestWhoKnowsThePasswordGainsNothingByTheAlarm(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada := s.withTOTP("ada")
	s.mailbag()
	s.Clock.Advance(time.Hour)
	thief := ada.elsewhere()
	thief.post("/v1/verify/totp", map[string]any{"code": "000000"}).want(422)
	s.deny(s.alarm(), models.DenialFrozen)
	s.Clock.Advance(models.FreezeFor)
	thief = ada.elsewhere()
	thief.get("/v1/session").want(200).state(models.SecondFactorRequired, models.ACROne)
	thief.post("/v1/me/totp", map[string]any{}).want(403, models.CodeSecondFactorRequired)

	// Where a password may enrol alone it is distrusted until there is a new one.
	eve := s.register("eve")
	eve.saveCodes()
	s.deny(s.alarm(), models.DenialFrozen)
	s.Clock.Advance(models.FreezeFor)
	eve = eve.elsewhere()
	begun := eve.post("/v1/me/totp", map[string]any{}).want(200)
	eve.secret = begun.text("secret")
	if a := eve.post("/v1/me/totp/confirm", map[string]any{"code": eve.code()}).want(409, models.CodeConflict); a.Body["reason"] != "frozen" {
		t.Errorf("reason %v", a.Body["reason"])
	}
}

func TestLettersAreInTheLanguageOfTheBrowserThatRegistered(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	for header, want := range map[string]string{
		"de-AT,de;q=0.9,en;q=0.5": "Neuer Anmeldeweg", "fr,en;q=0.5": "A way to sign in", "": "A way to sign in",
		strings.Repeat("de,", 1000): "A way to sign in", "de;q=x": "A way to sign in",
	} {
		name := "ada" + string(models.NewID(s.Clock.Now())[24:])
		p := &person{browser: s.browser(), name: name}
		p.header["Accept-Language"] = header
		p.post("/v1/accounts", map[string]any{"email": name + "@example.com", "username": name, "password": password}).want(201)
		p.addTOTP()
		if bag := s.mailbag(); len(bag) != 1 || !strings.HasPrefix(bag[0].Subject, want) {
			t.Errorf("%.20q: %d letters, %+v", header, len(bag), bag)
		}
	}
}

// A letter leads to the configured address, whatever host a request names.
func TestLinksLeadToTheConfiguredAddressAlone(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada := s.register("ada")
	ada.header["X-Forwarded-Host"], ada.header["Host"] = "evil.example", "evil.example"
	ada.addTOTP()
	for _, letter := range s.mailbag() {
		if strings.Contains(letter.Text+letter.HTML, "evil") || tokensIn(letter)[models.LinkNotMe] == "" {
			t.Errorf("%s", letter.Text)
		}
	}
}

// Whoever only tries a password must not get away without a word by signing out.
func TestASignInGivenUpAfterThePasswordIsTold(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada := s.withTOTP("ada")
	s.mailbag()
	// The same browser may begin again, and finish: nobody is told.
	again := ada.elsewhere()
	again.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
	s.nextStep()
	again.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
	again.delete("/v1/session").want(204)
	if bag := s.mailbag(); len(bag) != 1 || !strings.HasPrefix(bag[0].Subject, "New sign-in") {
		t.Errorf("told of a sign-in that was finished: %+v", bag)
	}
	thief := ada.elsewhere()
	thief.delete("/v1/session").want(204)
	thief.get("/v1/session").want(401)
	if bag := s.mailbag(); len(bag) != 1 || !strings.HasPrefix(bag[0].Subject, "Somebody may know your password") {
		t.Errorf("got %+v", bag)
	}
}
