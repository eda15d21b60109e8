package server_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
)

// waits lets people of the site wait for their way back.
func (s *site) waits() *site {
	s.force(func(p *models.Policy) { p.Recovery.Waiting = true })
	return s
}

// mailing is the same person at a server that sends letters.
func (p *person) mailing() *person {
	there := *p
	there.browser = p.site.another(func(d *server.Deps) { d.Mails = true })
	there.cookies = p.cookies
	return &there
}

// letter is the newest token of a kind in the mailbag, which it empties.
func (s *site) letter(kind models.LinkKind) string {
	s.t.Helper()
	token := ""
	for _, letter := range s.mailbag() {
		if found := tokensIn(letter)[kind]; found != "" {
			token = found
		}
	}
	return token
}

// begins asks for a way back after the password, and gives the link that begins it.
func (p *person) begins() string {
	p.t.Helper()
	p.site.mailbag()
	p.elsewhere().mailing().post("/v1/recovery/wait", map[string]any{}).want(202)
	token := p.site.letter(models.LinkBeginRecovery)
	if token == "" {
		p.t.Fatal("no letter came")
	}
	return token
}

// waiting is how long, and hour by hour what the job does meanwhile.
func (s *site) waiting(long time.Duration) {
	s.t.Helper()
	for passed := time.Duration(0); passed < long; passed += time.Hour {
		s.Clock.Advance(time.Hour)
		if err := s.AttendRecoveries(context.Background(), s.policies.Current().Recovery); err != nil {
			s.t.Fatal(err)
		}
	}
}

const wait = 72 * time.Hour

func TestComingBackByWaiting(t *testing.T) {
	t.Parallel()
	s := withMail(t).waits()
	ada := s.withTOTP("ada")
	begin := ada.begins()
	over := s.browser().post("/v1/links/begin-recovery", map[string]any{"token": begin}).want(200).text("over_at")
	if at, err := time.Parse(time.RFC3339, over); err != nil || at.Sub(s.Clock.Now()) != wait {
		t.Errorf("over at %s, %v", over, err)
	}
	if s.letter(models.LinkStopRecovery) == "" {
		t.Error("its owner was not told")
	}
	status := ada.elsewhere().get("/v1/recovery").want(200)
	if status.Body["kind"] != "waiting" || status.Body["over_at"] != over {
		t.Errorf("status %s", status.Raw)
	}
	told := 0
	for range 3 {
		s.waiting(24 * time.Hour)
		for _, letter := range s.mailbag() {
			if tokensIn(letter)[models.LinkStopRecovery] != "" {
				told++
			}
			if token := tokensIn(letter)[models.LinkFinishRecovery]; token != "" {
				begin = token
			}
		}
	}
	if told != 3 { // after a day, after two, and when it was over
		t.Errorf("told %d times in three days", told)
	}
	back := ada.elsewhere()
	back.post("/v1/recovery/finish", map[string]any{"token": begin}).want(200).state(models.Recovering, models.ACRRecovery)
	// It sets factors up and no more, and signs in by them alone.
	back.get("/v1/me").want(403, models.CodeRecovering)
	back.post("/v1/me/password", map[string]any{"current": password, "new": fresh}).want(403, models.CodeRecovering)
	back.addPasskey(newKey(true), "").want(201)
	ada.elsewhere().get("/v1/session").want(200).state(models.SecondFactorRequired, models.ACROne)
	if bag := s.mailbag(); len(bag) != 2 { // that somebody came in, and what they added
		t.Errorf("%d letters", len(bag))
	}
}

// Both addresses stand for a password that is forgotten: a letter to one opens the
// session, one to the other begins the waiting, and so at the end.
func TestComingBackByTwoAddresses(t *testing.T) {
	t.Parallel()
	s := withMail(t).waits()
	s.posts(true)
	ada := s.joins("ada")
	ada.hasSecond("ada@example.net")
	at := func(kind models.LinkKind) map[string]string {
		found := map[string]string{}
		for _, letter := range s.mailbag() {
			if token := tokensIn(letter)[kind]; token != "" {
				found[letter.To] = token
			}
		}
		return found
	}
	byMail := s.follows(ada, s.resetLink("ada@example.com"))
	at("")
	byMail.post("/v1/recovery/wait", map[string]any{}).want(202)
	begin := at(models.LinkBeginRecovery)
	if len(begin) != 1 || begin["ada@example.net"] == "" {
		t.Fatalf("the link goes to %v", begin)
	}
	s.browser().post("/v1/links/begin-recovery", map[string]any{"token": begin["ada@example.net"]}).want(200)
	if told := at(models.LinkStopRecovery); len(told) != 2 {
		t.Errorf("told at %v", told)
	}
	s.waiting(wait)
	finish := at(models.LinkFinishRecovery)
	if len(finish) != 1 || finish["ada@example.net"] == "" {
		t.Fatalf("the link goes to %v", finish)
	}
	// The second mailbox alone is nothing, and with the first it is the way back.
	s.browser().post("/v1/recovery/finish", map[string]any{"token": finish["ada@example.net"]}).want(401)
	back := s.follows(ada, s.resetLink("ada@example.com"))
	back.post("/v1/recovery/finish", map[string]any{"token": finish["ada@example.net"]}).want(200).state(models.Recovering, models.ACRRecovery)
}

// A letter to an address that is no more the account's leads nowhere.
func TestAWayBackByAnAddressThatWasRemoved(t *testing.T) {
	t.Parallel()
	s := withMail(t).waits()
	s.posts(true)
	ada := s.joins("ada")
	ada.hasSecond("ada@example.net")
	byMail := s.follows(ada, s.resetLink("ada@example.com"))
	s.mailbag()
	byMail.post("/v1/recovery/wait", map[string]any{}).want(202)
	begin := s.letter(models.LinkBeginRecovery)
	ada.delete("/v1/me/email/second").want(204)
	s.browser().post("/v1/links/begin-recovery", map[string]any{"token": begin}).want(410, models.CodeChallengeExpired)
}

// Neither the password alone, nor the mailbox alone, nor both without the time.
func TestWaitingTakesPasswordMailboxAndTime(t *testing.T) {
	t.Parallel()
	s := withMail(t).waits()
	ada := s.withTOTP("ada")
	// The mailbox alone: a letter for a new password opens no waiting.
	byMail := s.follows(ada, s.resetLink("ada@example.com"))
	byMail.mailing().post("/v1/recovery/wait", map[string]any{}).want(409, models.CodeConflict)
	begin := ada.begins()
	s.browser().post("/v1/recovery/finish", map[string]any{"token": begin}).want(401)
	ada.elsewhere().post("/v1/recovery/finish", map[string]any{"token": begin}).want(410, models.CodeChallengeExpired)
	s.browser().post("/v1/links/begin-recovery", map[string]any{"token": begin}).want(200)
	s.browser().post("/v1/links/begin-recovery", map[string]any{"token": begin}).want(410, models.CodeChallengeExpired)
	s.waiting(wait - time.Hour)
	if s.letter(models.LinkFinishRecovery) != "" {
		t.Fatal("the letter comes too early")
	}
	s.waiting(time.Hour)
	finish := s.letter(models.LinkFinishRecovery)
	// At the end the mailbox alone, and somebody else's password, are nothing either.
	s.browser().post("/v1/recovery/finish", map[string]any{"token": finish}).want(401)
	s.follows(ada, s.resetLink("ada@example.com")).post("/v1/recovery/finish", map[string]any{"token": finish}).want(409, models.CodeConflict)
	s.withTOTP("eve").elsewhere().post("/v1/recovery/finish", map[string]any{"token": finish}).want(410, models.CodeChallengeExpired)
	// A policy that asks for longer binds what waits, and one that lets nobody stops it.
	s.force(func(p *models.Policy) { p.Recovery.Wait = models.Duration(2 * wait) })
	ada.elsewhere().post("/v1/recovery/finish", map[string]any{"token": finish}).want(409, models.CodeConflict)
	s.force(func(p *models.Policy) { p.Recovery = models.RecoveryPolicy{Wait: models.Duration(wait)} })
	ada.elsewhere().post("/v1/recovery/finish", map[string]any{"token": finish}).want(410, models.CodeChallengeExpired)
	s.waiting(time.Hour)
	s.waits()
	ada.elsewhere().post("/v1/recovery/finish", map[string]any{"token": finish}).want(410, models.CodeChallengeExpired)
}

// While it waits, whoever is its owner stops it, by anything they have.
func TestAWayBackIsStopped(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]func(s *site, ada *person, stop string){
		"by the letter": func(s *site, _ *person, stop string) {
			s.browser().post("/v1/links/stop-recovery", map[string]any{"token": stop}).want(204)
			s.browser().post("/v1/links/stop-recovery", map[string]any{"token": stop}).want(410, models.CodeChallengeExpired)
		},
		"by signing in": func(s *site, ada *person, _ string) {
			s.nextStep()
			ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
		},
		"by a recovery code": func(_ *site, ada *person, _ string) {
			ada.elsewhere().post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200)
		},
		"by who is signed in": func(_ *site, ada *person, _ string) {
			ada.browser.delete("/v1/me/recovery").want(204)
			ada.browser.delete("/v1/me/recovery").want(409, models.CodeConflict)
		},
		"by a new password": func(s *site, ada *person, _ string) {
			back := s.follows(ada, s.resetLink("ada@example.com"))
			s.nextStep()
			back.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
			back.post("/v1/password/reset", map[string]any{"new": password + "!"}).want(204)
		},
		"by saying that it wasn't them": func(s *site, ada *person, _ string) {
			s.Clock.Advance(time.Second)
			ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": "000000"}).want(422)
			s.deny(s.letter(models.LinkNotMe), models.DenialFrozen)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := withMail(t).waits()
			ada := s.withTOTP("ada")
			ada.saveCodes()
			s.Clock.Advance(time.Minute)
			begin := ada.begins()
			s.browser().post("/v1/links/begin-recovery", map[string]any{"token": begin}).want(200)
			stop := s.letter(models.LinkStopRecovery)
			by(s, ada, stop)
			if n := s.facts("recovery_stopped"); n != 1 {
				t.Errorf("told %d times that it is stopped", n)
			}
			s.mailbag()
			s.waiting(wait + time.Hour)
			if s.letter(models.LinkFinishRecovery) != "" {
				t.Error("it goes on")
			}
		})
	}
}

// A factor that was added by whoever is in already stops nothing.
func TestANewerFactorStopsNoWayBack(t *testing.T) {
	t.Parallel()
	s := withMail(t).waits()
	ada := s.withTOTP("ada")
	s.Clock.Advance(time.Minute)
	begin := ada.begins()
	thief := ada // signed in, and steps up before the waiting begins
	phone := newKey(true)
	thief.prove("add_passkey", "")
	options := thief.browser.post("/v1/me/passkeys/options", map[string]any{}).want(200)
	s.browser().post("/v1/links/begin-recovery", map[string]any{"token": begin}).want(200)
	s.Clock.Advance(time.Second)
	thief.browser.post("/v1/me/passkeys", map[string]any{"name": "", "credential": phone.create(t, options)}).want(201)
	s.browser().loginPasskey(phone).want(200)
	if n := s.facts("recovery_stopped"); n != 0 {
		t.Errorf("stopped %d times", n)
	}
}

func TestRecoveryLinksWorkOnceOf100(t *testing.T) {
	t.Parallel()
	s := withMail(t).waits()
	ada := s.withTOTP("ada")
	begin := ada.begins()
	counts := parallel(100, func(int) *answer { return s.browser().post("/v1/links/begin-recovery", map[string]any{"token": begin}) })
	if counts[200] != 1 || counts[410] != 99 {
		t.Errorf("begun: %v", counts)
	}
	s.mailbag()
	s.waiting(wait)
	finish := s.letter(models.LinkFinishRecovery)
	s.force(generous)
	tabs := make([]*person, 100)
	for i := range tabs {
		tabs[i] = ada.elsewhere()
	}
	counts = parallel(100, func(i int) *answer { return tabs[i].post("/v1/recovery/finish", map[string]any{"token": finish}) })
	if counts[200] != 1 || counts[410] != 99 {
		t.Errorf("finished: %v", counts)
	}
}

// The link of a finished waiting ends with it.
func TestAWayBackThatNobodyTakesCloses(t *testing.T) {
	t.Parallel()
	s := withMail(t).waits()
	ada := s.withTOTP("ada")
	s.browser().post("/v1/links/begin-recovery", map[string]any{"token": ada.begins()}).want(200)
	s.mailbag()
	s.waiting(wait)
	finish := s.letter(models.LinkFinishRecovery)
	s.waiting(models.RecoveryLinkFor)
	ada.elsewhere().post("/v1/recovery/finish", map[string]any{"token": finish}).want(410, models.CodeChallengeExpired)
	if n := s.facts("recovery_stopped"); n != 1 {
		t.Errorf("%d times", n)
	}
}

// Where the policy says nothing, nobody waits.
func TestWaitingIsOffByDefault(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada := s.withTOTP("ada")
	ada.elsewhere().mailing().post("/v1/recovery/wait", map[string]any{}).want(409, models.CodeConflict)
	ada.elsewhere().post("/v1/recovery/wait", map[string]any{}).want(409, models.CodeConflict) // and without mail
	page := string(ada.elsewhere().mailing().get("/verify").want(200).Raw)
	if strings.Contains(page, "Send me the letter") || !strings.Contains(page, "two of them together") {
		t.Error("the page offers to wait")
	}
}

// Whoever lost their app sets one up anew, and the old one's codes are worth nothing; if
// it wasn't them, the old one is back.
func TestALostAppIsReplaced(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada := s.withTOTP("ada")
	ada.saveCodes()
	s.Clock.Advance(time.Hour)
	back := ada.elsewhere()
	back.post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200)
	s.mailbag()
	back.addTOTP().state(models.Recovering, models.ACRRecovery)
	denied := s.letter(models.LinkNotMe)
	s.nextStep()
	ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(422, models.CodeFactorRejected)
	thief := *ada
	thief.secret = back.secret
	s.relogin(&thief)

	s.deny(denied, models.DenialFrozen)
	s.nextStep()
	thief.elsewhere().post("/v1/verify/totp", map[string]any{"code": thief.code()}).want(422, models.CodeFactorRejected)
	s.relogin(ada)
	if n := s.facts("freeze_lifted"); n != 1 {
		t.Errorf("lifted %d times", n)
	}
}

// A letter's link and a factor set up what else was lost; the link alone doesn't.
func TestALostFactorIsReplacedByALetterAndAnother(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	ada, phone := s.withFace("ada", 1), newKey(true)
	ada.addPasskey(phone, "").want(201)
	alone := s.follows(ada, s.resetLink("ada@example.com"))
	alone.post("/v1/recovery", map[string]any{}).want(403, models.CodeSecondFactorRequired)
	alone.verifyPasskey(phone).want(200).state(models.Resetting, models.ACRRecovery)
	s.mailbag()
	alone.post("/v1/recovery", map[string]any{}).want(200).state(models.Recovering, models.ACRRecovery)
	if len(s.mailbag()) != 1 {
		t.Error("its owner was not told")
	}
	alone.get("/v1/me").want(403, models.CodeRecovering)
	alone.post("/v1/password/reset", map[string]any{"new": fresh}).want(403, models.CodeRecovering)
	alone.addTOTP().state(models.Recovering, models.ACRRecovery)
	// A mailbox is enough for a password before there is a factor, but for no factor.
	bob := s.resetting("bob")
	bob.post("/v1/recovery", map[string]any{}).want(409, models.CodeConflict)
}

// comesBack is a person on every way back, for the document.
func (s *site) comesBack(p *person) {
	s.t.Helper()
	byLetter := s.follows(p, s.resetLink(p.name+"@example.com"))
	s.nextStep()
	byLetter.post("/v1/verify/totp", map[string]any{"code": p.code()}).want(200)
	byLetter.post("/v1/recovery", map[string]any{}).want(200)
	for _, stop := range []func(){
		func() { p.browser.delete("/v1/me/recovery").want(204) },
		func() {
			s.browser().post("/v1/links/stop-recovery", map[string]any{"token": s.letter(models.LinkStopRecovery)}).want(204)
		},
	} {
		s.browser().post("/v1/links/begin-recovery", map[string]any{"token": p.begins()}).want(200)
		stop()
	}
	s.browser().post("/v1/links/begin-recovery", map[string]any{"token": p.begins()}).want(200)
	waiting := p.elsewhere()
	waiting.get("/v1/recovery").want(200)
	s.waiting(wait)
	p.elsewhere().post("/v1/recovery/finish", map[string]any{"token": s.letter(models.LinkFinishRecovery)}).want(200)
	root, second := s.admin("root"), s.admin("second")
	ask := func() string {
		return root.post("/v1/admin/recoveries", map[string]any{"username": p.name}).want(201).text("id")
	}
	root.get("/v1/admin/recoveries").want(200)
	root.delete("/v1/admin/recoveries/" + ask()).want(204)
	second.post("/v1/admin/recoveries/"+ask()+"/approve", map[string]any{}).want(204)
	s.browser().post("/v1/links/assisted-recovery", map[string]any{"token": s.letter(models.LinkAssistedRecovery)}).want(200)
}
