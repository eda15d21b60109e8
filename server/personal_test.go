package server_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

// goBack signs a person in anew, with both factors.
func (p *person) goBack() *person {
	p.t.Helper()
	back := p.elsewhere()
	p.site.nextStep()
	back.post("/v1/verify/totp", map[string]any{"code": back.code()}).want(200)
	return back
}

func TestADeletionEndsEverySessionAndCanBeTakenBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	other := ada.goBack()
	ada.do("POST", "/v1/me/restore", nil).want(409, models.CodeConflict) // nothing to take back
	begun := s.Clock.Now()
	due, err := time.Parse(time.RFC3339, ada.delete("/v1/me").want(200).text("deletion_due_at"))
	if err != nil || due.Before(begun.Add(14*24*time.Hour)) {
		t.Errorf("due %s, %v", due, err)
	}
	ada.get("/v1/me").want(401, models.CodeSessionRequired)
	other.get("/v1/me").want(401, models.CodeSessionRequired)

	half := ada.elsewhere()
	half.do("POST", "/v1/me/restore", nil).want(403, models.CodeSecondFactorRequired)
	s.nextStep()
	half.post("/v1/verify/totp", map[string]any{"code": half.code()}).want(200)
	if got := half.get("/v1/me").want(200).text("deletion_due_at"); got != due.Format(time.RFC3339) {
		t.Errorf("due %s, was told %s", got, due)
	}
	if page := half.get("/account").want(200); !strings.Contains(string(page.Raw), "Keep my account") {
		t.Error("the page doesn't offer to keep the account")
	}
	half.do("POST", "/v1/me/restore", nil).want(204)
	if half.get("/v1/me").want(200).Body["deletion_due_at"] != nil {
		t.Error("the account still goes")
	}
	s.Clock.Advance(30 * 24 * time.Hour)
	if n, err := s.EraseAccounts(t.Context()); err != nil || n != 0 {
		t.Errorf("erased %d; %v", n, err)
	}
}

func TestAnAddressIsFreeOnceItsAccountIsGone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(func(p *models.Policy) { p.Accounts.DeletionGrace = 0 })
	ada := s.withTOTP("ada")
	ada.delete("/v1/me").want(200)
	if n, err := s.EraseAccounts(t.Context()); err != nil || n != 1 {
		t.Fatalf("erased %d; %v", n, err)
	}
	s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(401, models.CodeInvalidCredentials)
	s.register("ada")
}

// One step-up is one deletion, whatever comes at once.
func TestAStepUpDeletesOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	ada.prove("delete_account", "")
	counts := parallel(100, func(int) *answer { return ada.clone().delete("/v1/me") })
	if counts[200] != 1 || counts[401]+counts[403] != 99 {
		t.Errorf("answers %v", counts)
	}
}

func TestTheTimelineIsReadByPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada, eve := s.withTOTP("ada"), s.withTOTP("eve")
	ada.header["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
	for range 4 {
		ada.goBack()
	}
	all := ada.get("/v1/me/events").want(200).Body["events"].([]any)
	var paged []any
	for path := "/v1/me/events?limit=3"; ; {
		page := ada.get(path).want(200)
		list := page.Body["events"].([]any)
		paged = append(paged, list...)
		if page.Body["more"] != true {
			break
		}
		path = "/v1/me/events?limit=3&before=" + list[len(list)-1].(map[string]any)["id"].(string)
	}
	if len(all) < 12 || len(all) != len(paged) {
		t.Fatalf("%d at once, %d by pages", len(all), len(paged))
	}
	mine := map[bool]int{}
	for i, e := range all {
		event := e.(map[string]any)
		if event["id"] != paged[i].(map[string]any)["id"] {
			t.Fatalf("another order: %v, %v", event, paged[i])
		}
		mine[event["current"].(bool)]++
	}
	if mine[true] == 0 || mine[false] == 0 {
		t.Errorf("whose session it was: %v", mine)
	}
	theirs := eve.get("/v1/me/events").want(200).Body["events"].([]any)[0].(map[string]any)["id"].(string)
	for _, e := range ada.get("/v1/me/events?before=" + theirs).want(200).Body["events"].([]any) {
		if !slices.ContainsFunc(all, func(a any) bool { return a.(map[string]any)["id"] == e.(map[string]any)["id"] }) {
			t.Errorf("somebody else's: %v", e)
		}
	}
	for _, bad := range []string{"limit=0", "limit=51", "limit=x", "before=x"} {
		ada.get("/v1/me/events?"+bad).want(400, models.CodeInvalidRequest)
	}
	if page := ada.get("/account/activity?before=nonsense").want(200); !strings.Contains(string(page.Raw), "You signed in") {
		t.Error("the page doesn't tell of a sign-in")
	}
}

// exported are the tables of an account and where its export tells of them; withheld
// are those that it doesn't tell of, and why.
var (
	exported = map[string]string{
		"users": "user", "passkeys": "passkeys", "totp": "totp_since", "recovery_codes": "recovery_codes_left", "faces": "face", "face_captures": "face",
		"face_templates": "face", "face_consents": "consents", "device_keys": "devices", "sessions": "sessions", "known_devices": "known_devices",
		"remembered_devices": "remembered_devices",
		"factor_failures":    "failures", "notices": "letters", "chat_messages": "messages", "events": "events", "user_groups": "groups", "app_consents": "apps", "former_addresses": "former_emails",
	}
	withheld = map[string]string{
		"challenges":         "questions of some minutes, and sealed answers",
		"totp_enrolments":    "a secret that was not confirmed, for some minutes",
		"recoveries":         "a way back of some days, and the admins who help; what happened is among the events",
		"totp_replaced":      "a secret, for some days",
		"address_claims":     "an address that waits a day for its letter's link; the letter is told",
		"grants":             "of a session, and over with it; that an app was entered is among the events",
		"logouts":            "ids for a day, for apps",
		"host_sessions":      "an app's host, for as long as the session; that it was entered is among the events",
		"host_codes":         "the way to an app's host, for a minute",
		"mail_links":         "of letters, which are told; the rest is the hash of a secret",
		"transactions":       "of an app's subjects, who have no account here: the app tells them of it",
		"webhook_deliveries": "what happened, by ids: the events say the same, and more",
	}
)

func TestAnExportForgetsNoTable(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.MailPerHour = func() int { return 5 }
	ada := s.withTOTP("ada")
	ada.post("/v1/chat/messages", map[string]any{"body": "hello, room"}).want(201)
	raw := ada.get("/v1/me/export").want(200)
	for _, secret := range []string{ada.secret, "$argon2id$", password} {
		if strings.Contains(string(raw.Raw), secret) {
			t.Errorf("a secret is in the export")
		}
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(raw.Raw, &body); err != nil {
		t.Fatal(err)
	}
	for _, filled := range []string{"known_devices", "letters", "messages", "events"} {
		if string(body[filled]) == "[]" {
			t.Errorf("%s is empty", filled)
		}
	}
	rows, err := s.Pool.Query(t.Context(), `
		SELECT DISTINCT c.table_name
		FROM information_schema.columns c
		JOIN pg_class p ON p.relname = c.table_name AND p.relnamespace = current_schema()::regnamespace AND NOT p.relispartition
		WHERE c.table_schema = current_schema() AND (c.column_name = 'user_id' OR c.table_name = 'users')`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 15 {
		t.Fatalf("%d tables; %v", len(tables), err)
	}
	for _, table := range tables {
		key, told := exported[table]
		if _, out := withheld[table]; told == out {
			t.Errorf("is %s in the export, and if not, why?", table)
		}
		if _, there := body[key]; told && !there {
			t.Errorf("the export has no %q, which is to tell of %s", key, table)
		}
	}
}
