package postgres_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

const grace = 14 * 24 * time.Hour

// nobodys are the tables that hold nothing of any account, and why.
var nobodys = map[string]string{
	"schema_version": "of the schema", "river_migration": "of the queue's schema", "river_leader": "of instances", "river_queue": "of queues",
	"river_client": "of instances", "river_client_queue": "of instances", "river_notification": "passes within the queue",
	"policies": "of the site", "clients": "apps", "signing_keys": "of the site", "spent_assertions": "of apps", "logouts": "ids for a day, so that apps hear of the end as well", "client_secrets": "of apps", "face_cohorts": "figures about a sample", "face_references": "of people who lent their faces, without accounts",
	"webhook_endpoints": "of receivers", "webhook_secrets": "of receivers",
	"spent_proofs": "of a proof of work alone", "letter_requests": "answered and gone before the account could be, within a day",
}

// givesGrant gives something to an app.
const givesGrant = `WITH given AS (
	INSERT INTO grants (id, client_id, user_id, session_id, scopes, claims, nonce, methods, created_at)
	SELECT $2::uuid, c.id, $1::uuid, s.id, '{}', '{}', '', '[]', $3 FROM clients c, sessions s WHERE s.user_id = $1 LIMIT 1
	RETURNING id, client_id) `

// belongings are a row of each table for an account: what an account has that isn't
// made by signing in. $1 is the account, $2 an id, $3 the time.
var belongings = map[string]string{
	"passkeys": `INSERT INTO passkeys (id, user_id, credential_id, name, sign_count, clone_warning, backup_eligible, backup_state, aaguid, credential, created_at)
		VALUES ($2::uuid, $1::uuid, convert_to($2::text, 'UTF8'), 'key', 0, false, false, false, '', '{}', $3)`,
	"challenges": `INSERT INTO challenges (id, purpose, session_id, user_id, data, created_at, expires_at)
		SELECT $2, 'test', s.id, $1, jsonb_build_object('account', $1::uuid), $3, $3 FROM sessions s WHERE s.user_id = $1 LIMIT 1`,
	"totp_enrolments": `INSERT INTO totp_enrolments (id, session_id, user_id, secret, created_at, expires_at)
		SELECT $2, s.id, $1, '', $3, $3 FROM sessions s WHERE s.user_id = $1 LIMIT 1`,
	"step_ups": `INSERT INTO step_ups (id, session_id, purpose, object_hash, created_at, expires_at)
		SELECT $2, s.id, 'test', sha256(''), $3, $3 FROM sessions s WHERE s.user_id = $1 LIMIT 1`,
	"host_sessions": `INSERT INTO host_sessions (token_hash, session_id, host, created_at)
		SELECT sha256(convert_to($2::text, 'UTF8')), s.id, 'app.example.com', $3 FROM sessions s WHERE s.user_id = $1 LIMIT 1`,
	"host_codes": `INSERT INTO host_codes (code_hash, session_id, host, binding, leads_to, expires_at)
		SELECT sha256(convert_to($2::text, 'UTF8')), s.id, 'app.example.com', sha256(''), '/', $3 FROM sessions s WHERE s.user_id = $1 LIMIT 1`,
	"address_claims": `INSERT INTO address_claims (id, user_id, kind, email, email_canonical, ip, user_agent, created_at)
		SELECT $2, u.id, 'change-email', 'new-' || u.email, 'new-' || u.email, '', '', $3 FROM users u WHERE u.id = $1`,
	"former_addresses": `INSERT INTO former_addresses (event_id, user_id, email, email_canonical, email_verified, changed_at)
		SELECT $2, u.id, 'old-' || u.email, 'old-' || u.email, true, $3 FROM users u WHERE u.id = $1`,
	"recovery_codes":  `INSERT INTO recovery_codes (id, user_id, row_number, code_hash, created_at) VALUES ($2, $1, 1, '$argon2id$code', $3)`,
	"recoveries":      `INSERT INTO recoveries (id, user_id, kind, begun_at, told_at) VALUES ($2, $1, 'waiting', $3, $3)`,
	"totp_replaced":   `INSERT INTO totp_replaced (id, user_id, secret, last_step, created_at, replaced_at) VALUES ($2, $1, '', 0, $3, $3)`,
	"device_keys":     `INSERT INTO device_keys (id, user_id, name, public_key, thumbprint, created_at, last_used_at) VALUES ($2, $1, 'laptop', '', 'print', $3, $3)`,
	"chat_messages":   `INSERT INTO chat_messages (id, user_id, body, created_at) VALUES ($2, $1, 'hello', $3)`,
	"factor_failures": `INSERT INTO factor_failures (user_id, factor, failures) SELECT $1, 'totp', 3 WHERE $2::uuid IS NOT NULL AND $3::timestamptz IS NOT NULL`,
	"user_groups":     `INSERT INTO user_groups (user_id, name) SELECT $1, 'staff' WHERE $2::uuid IS NOT NULL AND $3::timestamptz IS NOT NULL`,
	"authorizations": `INSERT INTO authorizations (id, client_id, params, decided_by, created_at, expires_at)
		SELECT $2, c.id, '{}', s.id, $3, $3 FROM clients c, sessions s WHERE s.user_id = $1 LIMIT 1`,
	"grants": `INSERT INTO grants (id, client_id, user_id, session_id, scopes, claims, nonce, methods, created_at)
		SELECT $2, c.id, $1, s.id, '{}', '{}', '', '[]', $3 FROM clients c, sessions s WHERE s.user_id = $1 LIMIT 1`,
	"authorization_codes": givesGrant + `INSERT INTO authorization_codes (code_hash, grant_id, redirect_uri, challenge, expires_at)
		SELECT sha256(convert_to($2::text, 'UTF8')), id, '', '', $3 FROM given`,
	"refresh_tokens": givesGrant + `INSERT INTO refresh_tokens (token_hash, grant_id, created_at, idle_ends_at)
		SELECT sha256(convert_to($2::text, 'UTF8')), id, $3, $3 FROM given`,
	"access_tokens": givesGrant + `INSERT INTO access_tokens (id, client_id, grant_id, scopes, created_at, expires_at)
		SELECT id, client_id, id, '{}', $3, $3 FROM given`,
	"device_authorizations": `INSERT INTO device_authorizations (
			id, client_id, device_hash, user_code_hash, scopes, ip, user_agent, poll_seconds, found_by, created_at, expires_at
		) SELECT $2::uuid, c.id, sha256(convert_to($2::text, 'UTF8')), sha256(convert_to($2::text, 'UTF8')), '{}', '', '', 5, s.id, $3, $3
		FROM clients c, sessions s WHERE s.user_id = $1 LIMIT 1`,
	"app_consents": `INSERT INTO app_consents (user_id, client_id, scopes, given_at)
		SELECT $1, c.id, '{}', $3 FROM clients c WHERE $2::uuid IS NOT NULL LIMIT 1`,
	"remembered_devices": `INSERT INTO remembered_devices (id, user_id, session_id, public_key, thumbprint, ip, user_agent, created_at, last_used_at, ends_at)
		SELECT $2, $1, s.id, '', 'print', s.ip, s.user_agent, $3, $3, $3 FROM sessions s WHERE s.user_id = $1 LIMIT 1`,
	"transactions": `INSERT INTO transactions (id, client_id, user_id, secret_hash, asked, status, created_at, expires_at)
		SELECT $2, c.id, $1, sha256(''), jsonb_build_object('subject', $1::uuid), 'pending', $3, $3 FROM clients c LIMIT 1`,
	"webhook_deliveries": `WITH e AS (
			INSERT INTO webhook_endpoints (id, url, description, types, created_at) VALUES ($2, '', '', '{test}', $3) RETURNING id
		)
		INSERT INTO webhook_deliveries (id, endpoint_id, event_id, user_id, type, payload, created_at, next_at)
		SELECT $2, e.id, $2, $1, 'test', json_build_object('user', $1::uuid), $3, $3 FROM e`,
	"known_devices": `INSERT INTO known_devices (id, user_id, token_hash, session_id, user_agent, created_at, last_used_at)
		SELECT $2::uuid, $1::uuid, sha256(convert_to($2::text, 'UTF8')), s.id, s.user_agent, $3, $3 FROM sessions s WHERE s.user_id = $1 LIMIT 1`,
}

// made are the tables that signing in, enrolling and telling fill by themselves.
var made = []string{
	"users", "sessions", "events", "totp", "face_consents", "faces", "face_captures", "face_templates", "face_cohort_members", "notices", "mail_links",
	"limit_buckets", "failure_streaks", "river_job",
}

// tables walks the schema, without the months of the audit log.
func (b bundle) tables() []string {
	b.t.Helper()
	rows, err := b.Pool.Query(b.t.Context(), `
		SELECT c.relname
		FROM pg_class c
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		ORDER BY 1`)
	if err != nil {
		b.t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		b.t.Fatal(err)
	}
	return names
}

// everything is every row of every table as text.
func (b bundle) everything() (lines []string) {
	b.t.Helper()
	for _, table := range b.tables() {
		rows, err := b.Pool.Query(b.t.Context(), `SELECT t::text FROM `+pgx.Identifier{table}.Sanitize()+` t`)
		if err != nil {
			b.t.Fatal(err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			b.t.Fatal(err)
		}
		for _, line := range found {
			lines = append(lines, table+": "+line)
		}
	}
	slices.Sort(lines)
	return lines
}

// resident is an account with a row in every table, and what it is known by.
func (b bundle) resident(name, ip string) (models.Session, []string) {
	b.t.Helper()
	ctx := b.t.Context()
	s := b.withFace(name)
	id := s.User.ID
	for _, sql := range []string{
		`UPDATE sessions SET ip = $2, user_agent = $3 WHERE user_id = $1`,
		`UPDATE events SET ip = $2, user_agent = $3, detail = detail || jsonb_build_object('said', $2::text) WHERE user_id = $1`,
		`UPDATE notices SET detail = jsonb_build_object('ip', $2::text, 'user_agent', $3::text) WHERE user_id = $1`,
	} {
		if _, err := b.Pool.Exec(ctx, sql, id, ip, "browser of "+name); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := b.GiveConsent(ctx, s, models.Consent{Kind: models.ConsentCohort, Version: "1", Language: "en"}); err != nil {
		b.t.Fatal(err)
	}
	_, err := b.SaveCohort(ctx, models.Cohort{ModelKey: "m", Neighbours: 1, Report: []byte(`{}`), Members: []models.CohortMember{{Owner: id, Descriptor: seal.Random(512)}}})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.Pool.Exec(ctx, `INSERT INTO clients (id, settings, managed, created_at, updated_at) VALUES ('chat', '{}', 'hand', $1, $1) ON CONFLICT DO NOTHING`, b.Clock.Now()); err != nil {
		b.t.Fatal(err)
	}
	for table, sql := range belongings {
		if _, err := b.Pool.Exec(ctx, sql, id, models.NewID(b.Clock.Now()), b.Clock.Now()); err != nil {
			b.t.Fatalf("%s: %v", table, err)
		}
	}
	digest := func(v string) string { return hex.EncodeToString(b.Sealer.Digest("identifier", v)) }
	names := []string{models.AccountSubject(id), models.NameSubject(digest(name)), models.NameSubject(digest(name + "@example.com"))}
	for _, subject := range append(names, models.From(names[0], ip), models.From(names[1], ip)) {
		for _, sql := range []string{
			`INSERT INTO limit_buckets (subject, kind, empty_at) VALUES ($1, 'test', $2)`,
			`INSERT INTO failure_streaks (subject, kind, failures, failed_at, closed) VALUES ($1, 'test', 100, $2, true)`,
		} {
			if _, err := b.Pool.Exec(ctx, sql, subject, b.Clock.Now()); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	letters := b.noticed(models.NoticeFactorAdded)
	letter, err := b.Notice(ctx, letters[len(letters)-1])
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.MintLink(ctx, letter, models.LinkNotMe); err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.Pool.Exec(ctx, `UPDATE river_job SET errors = ARRAY[jsonb_build_object('error', $2::text)] WHERE args ->> 'notice_id' = $1`, letter.ID, letter.Address); err != nil {
		b.t.Fatal(err)
	}
	return s, []string{string(id), name, ip, string(s.ID), digest(name), digest(name + "@example.com"), hex.EncodeToString(b.Sealer.Digest("face_cohort_owner", string(id)))}
}

func (b bundle) requestDeletion(s models.Session, grace time.Duration) time.Time {
	b.t.Helper()
	due, err := b.RequestDeletion(b.t.Context(), b.allowed(s, models.DeleteAccount), grace, b.decide(models.Event{Kind: models.DeletionRequested}))
	if err != nil {
		b.t.Fatal(err)
	}
	return due
}

func (b bundle) erase(want int) {
	b.t.Helper()
	if got, err := b.EraseAccounts(b.t.Context()); err != nil || got != want {
		b.t.Fatalf("%s: erased %d, want %d; %v", b.Clock.Now(), got, want, err)
	}
}

// mentions are the lines that hold one of the marks.
func mentions(lines, marks []string) (found []string) {
	for _, line := range lines {
		for _, mark := range marks {
			if strings.Contains(line, mark) {
				found = append(found, fmt.Sprintf("%s in %s", mark, line))
			}
		}
	}
	return found
}

// Whoever adds a table says here what of an account is in it, and so that it goes.
func TestADeletedAccountLeavesNothing(t *testing.T) {
	b := setup(t)
	b.MailPerHour = func() int { return 50 }
	ada, marks := b.resident("ada-lovelace", "203.0.113.77")
	_, others := b.resident("bystander", "198.51.100.88")

	for _, table := range b.tables() {
		_, filled := belongings[table]
		if _, excused := nobodys[table]; !excused && !filled && !slices.Contains(made, table) {
			t.Errorf("what of an account is in %s, and does it go with it?", table)
		} else if !excused && b.count(`SELECT count(*) FROM `+pgx.Identifier{table}.Sanitize()) < 2 {
			t.Errorf("%s holds nothing of one of both: what is left of it can't be seen", table)
		}
	}
	before := b.everything()
	for _, mark := range marks {
		if len(mentions(before, []string{mark})) == 0 {
			t.Errorf("%q stood nowhere", mark)
		}
	}

	b.requestDeletion(ada, grace)
	b.Clock.Advance(grace)
	b.erase(0) // the letter has to leave
	last := b.noticed(models.NoticeAccountDeleted)
	if len(last) != 1 {
		t.Fatalf("%d letters tell that the account goes", len(last))
	}
	if err := b.NoticeSent(t.Context(), last[0]); err != nil {
		t.Fatal(err)
	}
	b.erase(1)

	after := b.everything()
	for _, left := range mentions(after, marks) {
		t.Errorf("left: %s", left)
	}
	for _, line := range mentions(before, others) {
		_, row, _ := strings.Cut(line, " in ")
		if !slices.Contains(after, row) {
			t.Errorf("a bystander's row is gone or changed: %s", row)
		}
	}
	if b.count(`SELECT count(*) FROM events WHERE user_id IS NULL AND fact = 'account_created' AND ip = ''`) != 1 {
		t.Error("the audit log no longer says that there was an account")
	}
	b.register("ada-lovelace") // the names are free
}

func TestADeletionIsTakenBackWithinTheGraceAlone(t *testing.T) {
	b := setup(t)
	s, _ := b.withTOTP("ada")
	due := b.requestDeletion(s, grace)
	if b.count(`SELECT count(*) FROM sessions`) != 0 {
		t.Error("a session outlived the deletion")
	}
	s = b.login(s.User.ID)
	if got, err := b.DeletionDue(t.Context(), s.User.ID); err != nil || got == nil || !got.Equal(due) || !due.Equal(b.Clock.Now().Add(grace)) {
		t.Errorf("due %v, want %v; %v", got, due, err)
	}
	b.Clock.Advance(grace - time.Second)
	b.erase(0)
	if err := b.KeepAccount(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if err := b.KeepAccount(t.Context(), s); models.CodeOf(err) != models.CodeConflict {
		t.Errorf("taken back twice: %v", err)
	}
	b.Clock.Advance(time.Hour)
	b.erase(0)

	s, _ = b.withTOTP("bob")
	b.requestDeletion(s, 0)
	s = b.login(s.User.ID)
	if err := b.KeepAccount(t.Context(), s); models.CodeOf(err) != models.CodeConflict {
		t.Errorf("taken back when its time had come: %v", err)
	}
	b.erase(1)
}

// "This wasn't me" about the deletion, or about anything else, keeps the account.
func TestADenialKeepsTheAccount(t *testing.T) {
	b := withMail(t)
	s, _ := b.withTOTP("ada")
	b.Clock.Advance(10 * time.Minute)
	b.requestDeletion(s, grace)
	letter, err := b.Notice(t.Context(), b.noticed(models.NoticeDeletion)[0])
	if err != nil {
		t.Fatal(err)
	}
	token, err := b.MintLink(t.Context(), letter, models.LinkNotMe)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Deny(t.Context(), models.HashToken(token), client); err != nil {
		t.Fatal(err)
	}
	if due, err := b.DeletionDue(t.Context(), s.User.ID); err != nil || due != nil {
		t.Errorf("due %v after it was denied; %v", due, err)
	}
	b.Clock.Advance(2 * grace)
	b.erase(0)
}

// A mail server that is down doesn't keep an account.
func TestALetterHoldsAnErasureUpForADay(t *testing.T) {
	b := withMail(t)
	s, _ := b.withTOTP("ada")
	b.requestDeletion(s, 0)
	b.erase(0)
	b.erase(0)
	if n := len(b.noticed(models.NoticeAccountDeleted)); n != 1 {
		t.Errorf("told %d times", n)
	}
	b.Clock.Advance(24 * time.Hour)
	b.erase(1)
}

// Of a hundred who erase, take back and ask at once, nobody sees a half of it.
func TestErasingAndTakingBackAtOnce(t *testing.T) {
	b := setup(t)
	s, _ := b.withTOTP("ada")
	b.requestDeletion(s, grace)
	s = b.login(s.User.ID)
	b.Clock.Advance(grace - time.Minute)
	results := make(chan error, 100)
	for i := range 100 {
		go func() {
			if i%2 == 0 {
				results <- b.KeepAccount(t.Context(), s)
				return
			}
			_, err := b.EraseAccounts(t.Context())
			results <- err
		}()
	}
	kept := 0
	for range 100 {
		if err := <-results; err == nil {
			kept++
		} else if models.CodeOf(err) != models.CodeConflict {
			t.Error(err)
		}
	}
	if kept != 51 || b.count(`SELECT count(*) FROM users`) != 1 || b.count(`SELECT count(*) FROM events WHERE fact = 'deletion_taken_back'`) != 1 {
		t.Errorf("%d of 100 succeeded, want 50 that erased nothing and one that took it back", kept)
	}
}
