package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/auth"
)

// signsIn is a person with an authenticator app in a browser of their own.
func (p *person) signsIn() *person {
	p.t.Helper()
	there := p.elsewhere()
	p.site.nextStep()
	there.post("/v1/verify/totp", map[string]any{"code": there.code()}).want(200)
	return there
}

func TestAnAddressIsChangedByItsLinkAndTheOldOneIsTold(t *testing.T) {
	t.Parallel()
	s := proving(t)
	ada := s.joins("ada")
	other := ada.signsIn()
	s.mailbag()
	ada.browser.post("/v1/me/email", map[string]any{"email": "ada@example.org"}).want(403, models.CodeStepUpRequired)
	token := ada.wants("ada@example.org")
	if ada.emailOf() != "ada@example.com" {
		t.Error("the address changed before its link was followed")
	}
	if page := ada.get("/account").want(200); !strings.Contains(string(page.Raw), "ada@example.org") {
		t.Error("the page doesn't tell of the letter")
	}
	s.browser().post("/v1/links/change-email", map[string]any{"token": token}).want(204)
	if ada.emailOf() != "ada@example.org" {
		t.Error("the address is the old one")
	}
	other.get("/v1/me").want(200) // the other sessions go on
	told := map[string]map[models.LinkKind]string{}
	for _, letter := range s.letters() {
		told[letter.To] = tokensIn(letter)
	}
	if len(told) != 2 || len(told["ada@example.com"]) != 1 || told["ada@example.com"][models.LinkUndoEmail] == "" || len(told["ada@example.org"]) != 0 {
		t.Errorf("told %v", told)
	}
	s.browser().post("/v1/login", map[string]any{"identifier": "ada@example.com", "password": password}).want(401)
	s.browser().post("/v1/login", map[string]any{"identifier": "ada@example.org", "password": password}).want(200)
	ada.post("/v1/me/email", map[string]any{"email": "ADA@example.org"}).want(400, models.CodeInvalidRequest)

	// The owner of a taken address is told, and the answer is the same.
	s.joins("bea")
	ada.post("/v1/me/email", map[string]any{"email": "bea@example.com"}).want(202)
	bag := s.letters()
	if len(bag) != 1 || bag[0].To != "bea@example.com" || len(tokensIn(bag[0])) != 0 {
		t.Errorf("letters %+v", bag)
	}
}

// A change that a thief made is taken back from the old mailbox, and nothing that the
// thief holds opens anything.
func TestAttackAStolenSessionChangesTheAddress(t *testing.T) {
	t.Parallel()
	s := proving(t)
	ada := s.joins("ada")
	thief := ada.signsIn()
	s.mailbag()
	undo, _ := thief.moves("thief@example.org")
	// What the thief's mailbox got since: a letter for a new password, and alarms.
	s.Clock.Advance(time.Hour)
	thief = thief.signsIn()
	thief.elsewhere().post("/v1/verify/totp", map[string]any{"code": "000000"}).want(422)
	reset := s.resetLink("thief@example.org")
	var notMe string
	if reset == "" {
		t.Fatal("the thief's mailbox got no letter for a new password")
	}
	planted := newKey(true)
	thief.addPasskey(planted, "mine").want(201)
	for _, letter := range s.letters() {
		if letter.To == "thief@example.org" && tokensIn(letter)[models.LinkNotMe] != "" {
			notMe = tokensIn(letter)[models.LinkNotMe]
		}
	}
	if notMe == "" {
		t.Fatal("the thief's mailbox got no alarm")
	}

	counts := parallel(100, func(int) *answer { return s.browser().post("/v1/links/undo-email", map[string]any{"token": undo}) })
	if counts[200] != 1 || counts[410] != 99 {
		t.Errorf("answers %v", counts)
	}
	for _, p := range []*person{ada, thief} {
		p.get("/v1/session").want(401)
	}
	s.browser().post("/v1/links/password-reset", map[string]any{"token": reset}).want(410, models.CodeChallengeExpired)
	s.browser().post("/v1/links/not-me", map[string]any{"token": notMe}).want(410, models.CodeChallengeExpired)
	s.browser().loginPasskey(planted).want(401)
	s.browser().post("/v1/login", map[string]any{"identifier": "thief@example.org", "password": password}).want(401)
	// The letter for a new password goes to the restored address alone.
	var offered []string
	for _, letter := range s.letters() {
		if tokensIn(letter)[models.LinkPasswordReset] != "" {
			offered = append(offered, letter.To)
		}
	}
	if len(offered) != 1 || offered[0] != "ada@example.com" {
		t.Errorf("a new password is offered to %v", offered)
	}
	s.nextStep()
	ada = ada.signsIn()
	if ada.emailOf() != "ada@example.com" {
		t.Errorf("the address is %s", ada.emailOf())
	}
}

// Changed twice, it is the first mailbox that has the last word.
func TestAttackAnAddressIsChangedTwice(t *testing.T) {
	t.Parallel()
	s := proving(t)
	ada := s.joins("ada")
	first, _ := ada.moves("thief@example.org")
	s.Clock.Advance(time.Minute)
	second, _ := ada.moves("thief@example.net")
	s.Clock.Advance(time.Minute)
	s.browser().post("/v1/links/undo-email", map[string]any{"token": second}).want(200)
	s.mailbag()
	s.browser().post("/v1/links/undo-email", map[string]any{"token": first}).want(200)
	bag := s.letters()
	if len(bag) != 1 || bag[0].To != "ada@example.com" {
		t.Errorf("letters %+v", bag)
	}
	s.nextStep()
	if email := ada.signsIn().emailOf(); email != "ada@example.com" {
		t.Errorf("the address is %s", email)
	}
	// And when the first comes first, the second does nothing.
	bea := s.joins("bea")
	first, _ = bea.moves("bea@example.org")
	s.Clock.Advance(time.Minute)
	second, _ = bea.moves("bea@example.net")
	s.browser().post("/v1/links/undo-email", map[string]any{"token": first}).want(200)
	s.browser().post("/v1/links/undo-email", map[string]any{"token": second}).want(410, models.CodeChallengeExpired)
}

// The old address is nobody else's while the change can be taken back.
func TestAttackTakingTheAddressThatWasLeft(t *testing.T) {
	t.Parallel()
	s := proving(t)
	s.force(func(p *models.Policy) { p.Limits.Reset.Max = 100 })
	ada := s.joins("ada")
	undo, _ := ada.moves("ada@example.org")
	if s.asks("eve", "ada@example.com", password); s.linkTo("ada@example.com", models.LinkConfirmEmail) != "" {
		t.Error("a registration gets a link to it")
	}
	bea := s.joins("bea")
	if bea.wants("ada@example.com") != "" {
		t.Error("a change gets a link to it")
	}
	u, err := auth.ReadImported(map[string]string{"email": "ada@example.com", "username": "imported", "password_hash": foreign["bcrypt"]}, true, s.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	outcomes, err := s.ImportUsers(t.Context(), []models.ImportedUser{u}, false)
	if want := (models.ImportOutcome{Kind: models.ImportConflict, Field: "email"}); err != nil || outcomes[0] != want {
		t.Errorf("an import of it: %+v, %v", outcomes, err)
	}
	s.Clock.Advance(models.UndoWithin - time.Hour)
	s.browser().post("/v1/links/undo-email", map[string]any{"token": undo}).want(200)

	// A link that was sent before the change doesn't take it either.
	cat := s.joins("cat")
	s.asks("mallory", "cat@example.org", password)
	old := s.linkTo("cat@example.org", models.LinkConfirmEmail)
	cat.moves("cat@example.org")
	s.browser().post("/v1/links/confirm-email", map[string]any{"token": old, "password": password}).want(410, models.CodeChallengeExpired)
	cat.moves("cat@example.net")
	s.browser().post("/v1/links/confirm-email", map[string]any{"token": old, "password": password}).want(410, models.CodeChallengeExpired)

	// After the days it is free, and the link is over.
	dan := s.joins("dan")
	undo, _ = dan.moves("dan@example.org")
	s.Clock.Advance(models.UndoWithin)
	eve := s.asks("eva", "dan@example.com", password)
	eve.confirms(s.linkTo("dan@example.com", models.LinkConfirmEmail)).want(200)
	s.browser().post("/v1/links/undo-email", map[string]any{"token": undo}).want(410, models.CodeChallengeExpired)
}

// Whose address it was can't use what came to it before.
func TestAttackAResetLinkOfTheAddressBefore(t *testing.T) {
	t.Parallel()
	s := proving(t)
	ada := s.joins("ada")
	reset := s.resetLink("ada@example.com")
	half := s.follows(ada, s.resetLink("ada@example.com"))
	half.get("/v1/session").want(200)
	ada.moves("ada@example.org")
	s.browser().post("/v1/links/password-reset", map[string]any{"token": reset}).want(410, models.CodeChallengeExpired)
	half.get("/v1/session").want(401)
	ada.get("/v1/me").want(200)
}

// A frozen account keeps its address, also by a link that was sent before.
func TestAttackChangingTheAddressOfAFrozenAccount(t *testing.T) {
	t.Parallel()
	s := proving(t)
	ada := s.joins("ada")
	thief := ada.signsIn()
	s.mailbag()
	token := thief.wants("thief@example.org")
	s.Clock.Advance(time.Minute)
	thief.elsewhere().post("/v1/verify/totp", map[string]any{"code": "000000"}).want(422)
	s.deny(s.alarm(), models.DenialFrozen)
	a := s.browser().post("/v1/links/change-email", map[string]any{"token": token}).want(409, models.CodeConflict)
	if a.Body["reason"] != "frozen" {
		t.Errorf("reason %v", a.Body["reason"])
	}
	// Asked for after the fact that was denied, it is gone for good.
	bea := s.joins("bea")
	bea.elsewhere().post("/v1/verify/totp", map[string]any{"code": "000000"}).want(422)
	alarm := s.alarm()
	s.Clock.Advance(time.Minute)
	token = bea.wants("thief@example.net")
	s.deny(alarm, models.DenialFrozen)
	s.Clock.Advance(time.Hour)
	s.browser().post("/v1/links/change-email", map[string]any{"token": token}).want(410, models.CodeChallengeExpired)
}

// "This wasn't me" about what came before a change takes the change back too.
func TestADenialRestoresTheAddress(t *testing.T) {
	t.Parallel()
	s := proving(t)
	ada := s.joins("ada")
	s.Clock.Advance(time.Minute)
	thief := ada.signsIn() // a browser that was never seen: the owner is told
	bag := s.letters()
	token := tokensIn(bag[len(bag)-1])[models.LinkNotMe]
	s.Clock.Advance(time.Minute)
	thief.moves("thief@example.org")
	s.Clock.Advance(8 * 24 * time.Hour) // the undo is over, the letter is not
	s.deny(token, models.DenialFrozen)
	s.nextStep()
	if email := ada.signsIn().emailOf(); email != "ada@example.com" {
		t.Errorf("the address is %s", email)
	}
	// Where it is somebody's by then, the rest is done all the same.
	bea := s.joins("bea")
	s.Clock.Advance(time.Minute)
	thief = bea.signsIn()
	bag = s.letters()
	token = tokensIn(bag[len(bag)-1])[models.LinkNotMe]
	s.Clock.Advance(time.Minute)
	thief.moves("thief@example.net")
	s.Clock.Advance(8 * 24 * time.Hour)
	s.asks("new", "bea@example.com", password).confirms(s.linkTo("bea@example.com", models.LinkConfirmEmail)).want(200)
	s.deny(token, models.DenialFrozen)
	thief.get("/v1/session").want(401)
}

// A new password voids a change that a thief asked for.
func TestANewPasswordVoidsAChangeThatWaits(t *testing.T) {
	t.Parallel()
	s := proving(t)
	ada := s.joins("ada")
	token := ada.wants("thief@example.org")
	ada.post("/v1/me/password", map[string]any{"current": password, "new": fresh}).want(204)
	s.browser().post("/v1/links/change-email", map[string]any{"token": token}).want(410, models.CodeChallengeExpired)
}

// Of two accounts whose links to one address are followed a hundred times at once, one
// has it.
func TestAttackChangingToOneAddressAtOnce(t *testing.T) {
	t.Parallel()
	s := proving(t)
	tokens := []string{s.joins("ada").wants("shared@example.org"), s.joins("bea").wants("shared@example.org")}
	counts := parallel(100, func(i int) *answer {
		return s.browser().post("/v1/links/change-email", map[string]any{"token": tokens[i%2]})
	})
	if counts[204] != 1 || counts[410] != 99 {
		t.Errorf("answers %v", counts)
	}
}

func TestASecondAddressIsToldAndNothingElse(t *testing.T) {
	t.Parallel()
	s := proving(t)
	ada := s.joins("ada")
	ada.delete("/v1/me/email/second").want(404, models.CodeNotFound)
	ada.post("/v1/me/email/second", map[string]any{"email": "ada@example.com"}).want(400, models.CodeInvalidRequest)
	ada.post("/v1/me/email/second", map[string]any{"email": "ada@example.org"}).want(202)
	token := s.linkTo("ada@example.org", models.LinkSecondEmail)
	counts := parallel(100, func(int) *answer { return s.browser().post("/v1/links/second-email", map[string]any{"token": token}) })
	if counts[204] != 1 || counts[410] != 99 {
		t.Errorf("answers %v", counts)
	}
	if bag := s.letters(); len(bag) != 1 || bag[0].To != "ada@example.com" {
		t.Errorf("that it was added is told to %+v", bag)
	}
	if me := ada.get("/v1/me").want(200); me.Body["second_email"] != "ada@example.org" {
		t.Errorf("got %s", me.Raw)
	}
	// It signs nobody in, gets no new password, and is anybody's to register.
	s.browser().post("/v1/login", map[string]any{"identifier": "ada@example.org", "password": password}).want(401)
	if s.resetLink("ada@example.org") != "" {
		t.Error("a new password is offered there")
	}
	s.asks("org", "ada@example.org", password).confirms(s.linkTo("ada@example.org", models.LinkConfirmEmail)).want(200)

	ada.saveCodes()
	told := map[string]string{}
	for _, letter := range s.letters() {
		told[letter.To] = tokensIn(letter)[models.LinkNotMe]
	}
	if len(told) != 2 || told["ada@example.com"] == "" || told["ada@example.org"] == "" || told["ada@example.com"] == told["ada@example.org"] {
		t.Errorf("told %v", told)
	}
	ada.delete("/v1/me/email/second").want(204)
	told = map[string]string{}
	for _, letter := range s.letters() {
		told[letter.To] = letter.Subject
	}
	if len(told) != 2 {
		t.Errorf("that it is removed is told to %v", told)
	}

	// A second address that a thief planted goes with the denial.
	thief := ada.signsIn()
	bag := s.letters()
	alarm := tokensIn(bag[len(bag)-1])[models.LinkNotMe]
	s.Clock.Advance(time.Minute)
	thief.hasSecond("thief@example.net")
	s.deny(alarm, models.DenialFrozen)
	for _, letter := range s.letters() {
		if letter.To == "thief@example.net" {
			t.Errorf("%q goes to the thief", letter.Subject)
		}
	}
	s.nextStep()
	if me := ada.signsIn().get("/v1/me").want(200); me.Body["second_email"] != "" {
		t.Errorf("got %s", me.Raw)
	}
}

// An account from elsewhere whose password leaked there: whoever knows it can add
// nothing before the address is proven.
func TestAttackAnImportedAccountWithALeakedPassword(t *testing.T) {
	t.Parallel()
	s := proving(t)
	s.bring(
		map[string]string{"email": "ada@example.com", "username": "ada", "password_hash": foreign["bcrypt"]},
		map[string]string{"email": "tot@example.com", "username": "tot", "password_hash": foreign["bcrypt"], "totp_secret": "JBSWY3DPEHPK3PXP"},
	)
	thief := &person{browser: s.browser(), name: "ada"}
	a := thief.post("/v1/login", map[string]any{"identifier": "ada@example.com", "password": password}).want(200).state(models.EnrolmentRequired, models.ACROne)
	if user := a.Body["user"].(map[string]any); user["email"] != "" || user["email_verified"] != false {
		t.Errorf("an app is told %v", user)
	}
	for _, path := range []string{"/v1/me/totp", "/v1/me/totp/confirm", "/v1/me/passkeys/options", "/v1/me/passkeys", "/v1/me/recovery-codes", "/v1/me/face/challenge", "/v1/me/face"} {
		thief.post(path, map[string]any{}).want(403, models.CodeEmailUnverified)
	}
	if page := thief.get("/account/security").want(200); !strings.Contains(string(page.Raw), "First confirm your address") {
		t.Error("the page says nothing of it")
	}
	thief.post("/v1/me/email/verification", map[string]any{}).want(202)
	token := s.linkTo("ada@example.com", models.LinkVerifyEmail)
	counts := parallel(100, func(int) *answer { return s.browser().post("/v1/links/verify-email", map[string]any{"token": token}) })
	if counts[204] != 1 || counts[410] != 99 {
		t.Errorf("answers %v", counts)
	}
	thief.post("/v1/me/email/verification", map[string]any{}).want(409, models.CodeConflict)
	thief.addTOTP().state(models.Authenticated, models.ACRAAL2)

	// An older factor proves as much.
	tot := &person{browser: s.browser(), name: "tot", secret: "JBSWY3DPEHPK3PXP"}
	tot.post("/v1/login", map[string]any{"identifier": "tot", "password": password}).want(200).state(models.SecondFactorRequired, models.ACROne)
	tot.post("/v1/verify/totp", map[string]any{"code": tot.code()}).want(200).state(models.Authenticated, models.ACRAAL2)
	tot.addPasskey(newKey(true), "").want(201)
}

// A stranger took the address while nobody had to prove it, and waits with a passkey.
func TestAttackPreHijackingBeforeTheSwitch(t *testing.T) {
	t.Parallel()
	s := mailing(t)
	eve := &person{browser: s.browser(), name: "eve"}
	eve.post("/v1/accounts", map[string]any{"email": "ada@example.com", "username": "eve", "password": "eve's own password"}).want(201)
	eve.pwd, eve.key = "eve's own password", newKey(true)
	eve.addPasskey(eve.key, "").want(201)
	late := &person{browser: s.browser(), name: "late", pwd: "eve's own password"}
	late.post("/v1/accounts", map[string]any{"email": "late@example.com", "username": "late", "password": late.pwd}).want(201)
	s.letters()

	s.posts(true)
	late.post("/v1/me/totp", map[string]any{}).want(403, models.CodeEmailUnverified)
	ada := s.asks("ada", "ada@example.com", password)
	ada.confirms(s.linkTo("ada@example.com", models.LinkConfirmEmail)).want(200)
	ada.addTOTP()
	s.mailbag()
	s.browser().post("/v1/login", map[string]any{"identifier": "ada@example.com", "password": "eve's own password"}).want(401)
	s.browser().post("/v1/login", map[string]any{"identifier": "ada@example.com", "password": password}).want(200)
	// His account goes on without the address, and its letters don't come to hers.
	eve.browser = s.browser()
	back := eve.loginPasskey(eve.key).want(200)
	if back.Body["user"].(map[string]any)["email"] != "" {
		t.Errorf("an app is told %s", back.Raw)
	}
	s.browser().post("/v1/login", map[string]any{"identifier": "eve", "password": "eve's own password"}).want(200)
	s.letters()
	eve.browser.post("/v1/me/email/verification", map[string]any{}).want(202)
	if s.linkTo("ada@example.com", models.LinkVerifyEmail) != "" {
		t.Error("his account gets a link to her address")
	}
	eve.saveCodes()
	for _, letter := range s.letters() {
		t.Errorf("%s is told %q of his account", letter.To, letter.Subject)
	}
}

// Without mail an address changes at once, and proves nothing.
func TestWithoutMailAnAddressChangesAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	s.register("bea")
	ada.post("/v1/me/email", map[string]any{"email": "bea@example.com"}).want(409, models.CodeConflict)
	ada.post("/v1/me/email", map[string]any{"email": "ada@example.org"}).want(204)
	if user := ada.get("/v1/me").want(200).Body["user"].(map[string]any); user["email"] != "ada@example.org" || user["email_verified"] != false {
		t.Errorf("user %v", user)
	}
	s.browser().post("/v1/login", map[string]any{"identifier": "ada@example.org", "password": password}).want(200)
	s.browser().post("/v1/accounts", map[string]any{"email": "ada@example.com", "username": "eve", "password": password}).want(409, models.CodeConflict)
	ada.post("/v1/me/email/second", map[string]any{"email": "second@example.org"}).want(409, models.CodeConflict)
	ada.post("/v1/me/email/verification", map[string]any{}).want(409, models.CodeConflict)
}
