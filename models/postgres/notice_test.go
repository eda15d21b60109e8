package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// withMail is a store with mail, five letters of a kind in an hour.
func withMail(t *testing.T) bundle {
	t.Helper()
	b := setup(t)
	b.MailPerHour = func() int { return 5 }
	return b
}

func (b bundle) fails(s models.Session, factor models.Factor) {
	b.t.Helper()
	if err := b.RecordSecondFactorFailed(context.Background(), s, factor); err != nil {
		b.t.Fatal(err)
	}
}

// issueCodes makes a new set of recovery codes, which its owner is told of.
func (b bundle) issueCodes(s models.Session) error {
	code := models.RecoveryCode{ID: models.NewID(b.Clock.Now()), Row: 1, Hash: "$argon2id$code"}
	_, _, err := b.ReplaceRecoveryCodes(context.Background(), b.allowed(s, models.NewRecoveryCodes), []models.RecoveryCode{code}, b.decide(models.Event{Kind: models.CodesIssued}))
	return err
}

func TestAFactIsToldInItsOwnTransaction(t *testing.T) {
	b := withMail(t)
	s, _ := b.withTOTP("ada")
	ids := b.noticed(models.NoticeFactorAdded)
	if len(ids) != 1 {
		t.Fatalf("%d letters tell of the new factor", len(ids))
	}
	n, err := b.Notice(t.Context(), ids[0])
	if err != nil {
		t.Fatal(err)
	}
	if n.Address != "ada@example.com" || n.UserID != s.User.ID || n.Detail.Factor != models.TOTP || n.Detail.IP != client.IP || n.Detail.UserAgent != client.UserAgent {
		t.Errorf("got %+v", n)
	}
	if b.count(`SELECT count(*) FROM events WHERE id = $1 AND fact = 'factor_added'`, n.EventID) != 1 {
		t.Error("the letter is about no fact")
	}
	// What is refused is not told.
	stale := b.login(s.User.ID) // not past the second factor
	if err := b.issueCodes(stale); models.CodeOf(err) != models.CodeSecondFactorRequired {
		t.Fatalf("got %v", err)
	}
	if n := len(b.noticed(models.NoticeCodesIssued)); n != 0 {
		t.Errorf("%d letters tell of what didn't happen", n)
	}
	if err := b.issueCodes(s); err != nil {
		t.Fatal(err)
	}
	n, err = b.Notice(t.Context(), b.noticed(models.NoticeCodesIssued)[0])
	if err != nil || n.Detail.Left == nil || *n.Detail.Left != 1 {
		t.Errorf("%+v, %v: want one code left", n.Detail, err)
	}
}

func TestNobodyIsToldWithoutMail(t *testing.T) {
	b := setup(t)
	b.withTOTP("ada")
	if b.count(`SELECT count(*) FROM notices`)+b.count(`SELECT count(*) FROM river_job WHERE kind = 'send_notice'`) != 0 {
		t.Error("letters wait for mail that there is not")
	}
}

func TestLettersOfAKindAreBoundedAnHour(t *testing.T) {
	b := withMail(t)
	s, _ := b.withTOTP("ada")
	for range 7 {
		if err := b.issueCodes(s); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(b.noticed(models.NoticeCodesIssued)); n != 5 {
		t.Errorf("%d letters in an hour, want 5", n)
	}
	b.Clock.Advance(time.Hour + time.Second)
	s = b.login(s.User.ID)
	// Others still get theirs, and this account its other kinds.
	b.fails(s, models.TOTP)
	if n := len(b.noticed(models.NoticePasswordKnown)); n != 1 {
		t.Errorf("%d letters of another kind", n)
	}
}

// Whoever knows a password must not fill the mailbox of its owner.
func TestTheAlarmComesOnceADayHoweverOftenASecondFactorFails(t *testing.T) {
	b := withMail(t)
	ada, _ := b.withTOTP("ada")
	half := b.login(ada.User.ID)
	// Connections are opened first: else those that come early are done before others begin.
	_, _, other := race(16, func(int) error { _, err := b.Pool.Exec(context.Background(), `SELECT pg_sleep(0.2)`); return err })
	if other != nil {
		t.Fatal(other)
	}
	won, _, other := race(100, func(int) error { return b.RecordSecondFactorFailed(context.Background(), half, models.TOTP) })
	if won != 100 || other != nil {
		t.Fatalf("%d recorded, %v", won, other)
	}
	if n := b.count(`SELECT count(*) FROM events WHERE fact = 'second_factor_failed'`); n != 100 {
		t.Errorf("%d failures in the log, want 100", n)
	}
	if n := len(b.noticed(models.NoticePasswordKnown)); n != 1 {
		t.Fatalf("%d letters, want 1", n)
	}
	b.Clock.Advance(23 * time.Hour)
	b.fails(half, models.TOTP)
	b.Clock.Advance(time.Hour + time.Second)
	b.fails(half, models.TOTP)
	if n := len(b.noticed(models.NoticePasswordKnown)); n != 2 {
		t.Errorf("%d letters in two days, want 2", n)
	}
}

func TestALinksTokenLiesNowhere(t *testing.T) {
	b := withMail(t)
	b.withTOTP("ada")
	n, err := b.Notice(t.Context(), b.noticed(models.NoticeFactorAdded)[0])
	if err != nil {
		t.Fatal(err)
	}
	token, err := b.MintLink(t.Context(), n, models.LinkNotMe)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"notices", "mail_links", "river_job", "events"} {
		if b.count(`SELECT count(*) FROM `+table+` r WHERE r::text LIKE '%' || $1 || '%'`, token) != 0 {
			t.Errorf("%s holds the token", table)
		}
	}
	if b.count(`SELECT count(*) FROM river_job WHERE kind = 'send_notice' AND args::text ~ '@|192'`) != 0 {
		t.Error("a job holds more than the id")
	}
	// A letter that is made again has a token of its own, and the one before is void.
	again, err := b.MintLink(t.Context(), n, models.LinkNotMe)
	if err != nil || again == token || b.count(`SELECT count(*) FROM mail_links`) != 1 {
		t.Errorf("two tokens work for one letter: %v", err)
	}
}

func TestALetterIsSentOnce(t *testing.T) {
	b := withMail(t)
	b.withTOTP("ada")
	id := b.noticed(models.NoticeFactorAdded)[0]
	if err := b.NoticeSent(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Notice(t.Context(), id); models.CodeOf(err) != models.CodeNotFound {
		t.Errorf("it would be sent again: %v", err)
	}
	if err := b.GiveUpNotice(t.Context(), id); err != nil || b.count(`SELECT count(*) FROM notices WHERE given_up_at IS NOT NULL`) != 0 {
		t.Errorf("what was sent was given up: %v", err)
	}
}

func TestAResetLinkIsBoundToThePassword(t *testing.T) {
	b := withMail(t)
	b.withTOTP("ada")
	n, err := b.Notice(t.Context(), b.noticed(models.NoticeFactorAdded)[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.MintLink(t.Context(), n, models.LinkPasswordReset); err != nil {
		t.Fatal(err)
	}
	if b.count(`SELECT count(*) FROM mail_links l JOIN users u ON u.id = l.user_id WHERE l.bound = sha256(u.password_hash::bytea)`) != 1 {
		t.Error("the link is not bound to the password")
	}
}

func TestASignInLeftUnfinishedIsToldOnceADay(t *testing.T) {
	b := withMail(t)
	ada, id := b.withTOTP("ada")
	left, done := b.login(ada.User.ID), b.login(ada.User.ID)
	if _, _, err := b.PassTOTP(t.Context(), done.Ref(), id, 200, b.decide(models.Event{Kind: models.FactorPassed, Factor: models.TOTP})); err != nil {
		t.Fatal(err)
	}
	b.register("new") // never had a factor: nobody knows a password that matters
	if err := b.Purge(t.Context()); err != nil || len(b.noticed(models.NoticePasswordKnown)) != 0 {
		t.Fatalf("an alarm before the time is up: %v", err)
	}
	b.Clock.Advance(policy.Timeouts.Enrolment.Std())
	if err := b.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.count(`SELECT count(*) FROM events WHERE fact = 'sign_in_unfinished' AND session_id = $1`, left.ID) != 0 {
		t.Error("the same browser finished signing in after it, and yet it is told")
	}
	if _, err := b.Pool.Exec(t.Context(), `DELETE FROM sessions`); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		b.login(ada.User.ID)
		b.Clock.Advance(policy.Timeouts.SecondFactor.Std())
		if err := b.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.count(`SELECT count(*) FROM events WHERE fact = 'sign_in_unfinished'`); got != 2 {
		t.Errorf("%d are in the log, want 2", got)
	}
	if got := len(b.noticed(models.NoticePasswordKnown)); got != 1 {
		t.Errorf("%d letters in a day, want 1", got)
	}
	if n := b.count(`SELECT count(*) FROM sessions`); n != 0 {
		t.Errorf("%d sessions outlive their end", n)
	}
}
