package server_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/biometricstest"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

// crowd puts n accounts with a face each straight into the records, as if they
// had enrolled long ago: their own networks, an aal2 sign-in, the opt-in.
func (s *site) crowd(n int, descriptor func(i int) biometrics.Descriptor) []models.ID {
	s.t.Helper()
	long := s.Clock.Now().AddDate(0, 0, -60)
	ids := make([]models.ID, n)
	err := pgx.BeginFunc(s.t.Context(), s.Pool, func(tx pgx.Tx) error {
		for i := range n {
			ids[i] = models.NewID(long)
			capture, template := models.NewID(long), models.NewID(long)
			raw, err := descriptor(i).MarshalBinary()
			if err != nil {
				return err
			}
			sealed, err := s.Sealer.Seal(raw, seal.Place{
				Table: "face_templates", Column: "descriptor", Row: template, Context: string(ids[i]) + ":" + biometricstest.Model.Key(),
			})
			if err != nil {
				return err
			}
			name := fmt.Sprintf("crowd%d-%s", i, ids[i][30:])
			for _, q := range []struct {
				sql  string
				args []any
			}{
				{`INSERT INTO users (id, email, email_canonical, username, username_canonical, display_name, password_hash, webauthn_handle, created_at)
				  VALUES ($1, $2, $2, $3, $3, $3, '$argon2id$x', $4, $5)`, []any{ids[i], name + "@example.com", name, seal.Random(64), long}},
				{`INSERT INTO faces (user_id, enrolled_at, last_used_at) VALUES ($1, $2, $2)`, []any{ids[i], long}},
				{`INSERT INTO face_captures (id, user_id, model_key, model, network, created_at) VALUES ($1, $2, $3, 'm', $4, $5)`,
					[]any{capture, ids[i], biometricstest.Model.Key(), seal.Random(32), long}},
				{`INSERT INTO face_templates (id, user_id, capture_id, descriptor) VALUES ($1, $2, $3, $4)`, []any{template, ids[i], capture, sealed}},
				{`INSERT INTO face_consents (id, user_id, kind, version, given_at) VALUES ($1, $2, 'cohort', '1', $3)`, []any{models.NewID(long), ids[i], long}},
				{`INSERT INTO events (id, at, user_id, fact, detail, policy_version, ip) VALUES ($1, $2, $3, 'signed_in', '{"factor": "totp"}', '', '')`,
					[]any{models.NewID(long), long, ids[i]}},
			} {
				if _, err := tx.Exec(s.t.Context(), q.sql, q.args...); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return ids
}

// spread are made-up people; each number is another.
func spread(i int) biometrics.Descriptor { return biometricstest.Descriptor(100+i, 0) }

// reference is a set of made-up people with several pictures each.
func (s *site) reference(people, pictures int) {
	s.t.Helper()
	var set []models.FaceReference
	for i := range people {
		for j := range pictures {
			raw, err := biometricstest.Descriptor(10_000+i, j).MarshalBinary()
			if err != nil {
				s.t.Fatal(err)
			}
			set = append(set, models.FaceReference{Subject: fmt.Sprint("r", i), Descriptor: raw})
		}
	}
	if err := s.ReplaceReferences(s.t.Context(), biometricstest.Model.Key(), set); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) build(threshold float64) models.Cohort {
	s.t.Helper()
	cohort, err := s.cohorts.Build(s.t.Context(), s.policies.Current().Face, biometricstest.Model, threshold)
	if err != nil {
		s.t.Fatal(err)
	}
	return cohort
}

func TestNormalizedNeedsACohortThatServes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ctx := t.Context()
	ada := s.withFace("ada", 1)
	normalized := func(threshold float64) {
		s.force(func(p *models.Policy) { p.Face.Metric, p.Face.Threshold = biometrics.MetricNormalized, threshold })
	}
	challenge := func() *answer { return ada.elsewhere().post("/v1/verify/face/challenge", map[string]any{}) }
	why := func() string {
		_, err := s.cohorts.Yardstick(s.policies.Current().Face.Yardstick, biometricstest.Model)
		return fmt.Sprint(err)
	}

	// Too few members: it may not become active, and says why.
	s.crowd(150, spread)
	s.reference(40, 6)
	few := s.build(0.5)
	if few.Refused == "" || models.CodeOf(s.ActivateCohort(ctx, few.Version)) != models.CodeConflict {
		t.Fatalf("150 members: %q", few.Refused)
	}
	normalized(0.5)
	challenge().want(503, models.CodeFaceUnavailable)

	s.crowd(150, func(i int) biometrics.Descriptor { return spread(1000 + i) })
	enough := s.build(0.5)
	if enough.Refused != "" {
		t.Fatalf("refused: %s", enough.Refused)
	}
	challenge().want(503, models.CodeFaceUnavailable) // it isn't active yet, and nothing falls back to euclidean
	if err := s.ActivateCohort(ctx, enough.Version); err != nil {
		t.Fatal(err)
	}
	if err := s.cohorts.Load(ctx); err != nil {
		t.Fatal(err)
	}
	ada.elsewhere().showFace(someone(1)).want(200).state(models.Authenticated, models.ACRMFA)
	ada.elsewhere().showFace(someone(2)).want(422, models.CodeFaceMismatch)

	// A threshold above the one that the cohort was tried at has shown nothing.
	normalized(0.6)
	challenge().want(503, models.CodeFaceUnavailable)
	if !strings.Contains(why(), "0.6") {
		t.Errorf("the log says %q", why())
	}
	// Members that went make it useless below the least number.
	normalized(0.5)
	if _, err := s.Pool.Exec(ctx, `DELETE FROM face_cohort_members WHERE id IN (SELECT id FROM face_cohort_members WHERE cohort_id = $1 LIMIT 150)`, enough.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.cohorts.Load(ctx); err != nil {
		t.Fatal(err)
	}
	challenge().want(503, models.CodeFaceUnavailable)
	if !strings.Contains(why(), "at least 200") {
		t.Errorf("the log says %q", why())
	}
}

// New accounts, accounts that never passed more than a face, and those that did
// not agree, or did and withdrew, are no candidates.
func TestWhoMayBeAMember(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ids := s.crowd(6, spread)
	ctx := t.Context()
	for i, sql := range []string{
		`UPDATE users SET created_at = now() WHERE id = $1`,
		`UPDATE events SET detail = '{"factor": "face"}' WHERE user_id = $1`,
		`DELETE FROM face_consents WHERE user_id = $1`,
		`UPDATE face_consents SET withdrawn_at = now() WHERE user_id = $1`,
		`UPDATE faces SET disabled_at = now() WHERE user_id = $1`,
	} {
		if _, err := s.Pool.Exec(ctx, sql, ids[i]); err != nil {
			t.Fatal(err)
		}
	}
	found, err := s.CohortCandidates(ctx, biometricstest.Model.Key(), s.Clock.Now().AddDate(0, 0, -30))
	if err != nil || len(found) != 1 || found[0].Owner != ids[5] {
		t.Errorf("%d candidates, %v", len(found), err)
	}
}

// Withdrawing erases the member in the same transaction, from every cohort, also
// while one is being saved.
func TestWithdrawingLeavesTheCohortAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ctx := context.Background()
	ada := s.withTOTP("ada")
	issued := ada.askEnrol(map[string]any{"cohort": true}).want(201)
	ada.before(issued, someone(1), nil)
	ada.post("/v1/me/face", map[string]any{"challenge": issued.text("id")}).want(201)
	owner := models.ID(ada.get("/v1/me").want(200).Body["user"].(map[string]any)["id"].(string))
	raw, err := biometricstest.Descriptor(1, 0).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	save := func() {
		_, err := s.SaveCohort(ctx, models.Cohort{
			ModelKey: biometricstest.Model.Key(), Fusion: "mean", Neighbours: 10, Threshold: 0.5, Bound: 1, Report: []byte("{}"),
			Members: []models.CohortMember{{Owner: owner, Descriptor: raw}},
		})
		if err != nil {
			t.Error(err)
		}
	}
	members := func() (n int) {
		t.Helper()
		if err := s.Pool.QueryRow(ctx, `SELECT count(*) FROM face_cohort_members`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	save()
	save()
	if members() != 2 {
		t.Fatalf("%d members", members())
	}
	// Nothing in the table names the owner.
	var named bool
	err = s.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM face_cohort_members WHERE position($1::bytea IN owner || owner_digest) > 0)`, []byte(owner)).Scan(&named)
	if err != nil || named {
		t.Errorf("the owner's id lies open: %v %v", named, err)
	}
	var saving sync.WaitGroup
	for range 20 {
		saving.Go(save)
	}
	ada.post("/v1/me/face/consent", map[string]any{"consent_version": ada.consentVersion(), "cohort": false}).want(204)
	saving.Wait()
	if n := members(); n != 0 {
		t.Errorf("%d members after withdrawal", n)
	}
}

// TestNoDescriptorLiesOpen reads every column of every table, and the log, after
// all that is done with faces: enrolling, improving, signing in, failing, a
// cohort, a reference set. Then it erases, and nothing sealed is left either.
func TestNoDescriptorLiesOpen(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ctx := t.Context()
	s.crowd(220, spread)
	s.reference(40, 6)
	ada := s.withTOTP("ada")
	for _, more := range []map[string]any{{"cohort": true}, {"improve": true}} {
		issued := ada.askEnrol(more).want(201)
		ada.before(issued, player(biometricstest.Genuine(1, 0)), nil)
		ada.post("/v1/me/face", map[string]any{"challenge": issued.text("id")}).want(201)
	}
	ada.elsewhere().showFace(someone(2)).want(422)
	ada.elsewhere().showFace(someone(1)).want(200)
	// One that waits to be taken, with its descriptors in it.
	waiting := ada.elsewhere()
	waiting.before(waiting.post("/v1/verify/face/challenge", map[string]any{}).want(201), someone(1), nil)
	s.build(0.5)

	var secrets [][]byte
	known := []biometrics.Descriptor{spread(3), biometricstest.Descriptor(10_001, 2)}
	for shot := range 64 {
		known = append(known, biometricstest.Descriptor(1, shot), biometricstest.Descriptor(2, shot))
	}
	for _, d := range known {
		raw, err := d.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, raw[:16], raw[240:256], raw[496:])
	}
	search := func(where string, data []byte) {
		t.Helper()
		for _, secret := range secrets {
			if bytes.Contains(data, secret) || bytes.Contains(data, []byte(hex.EncodeToString(secret))) {
				t.Errorf("%s holds a descriptor", where)
				return
			}
		}
	}
	rows, cells := s.everyCell(search)
	if rows < 1000 || cells < 10_000 {
		t.Fatalf("only %d rows, %d cells were read", rows, cells)
	}
	search("the log", s.log.Bytes())

	// What was sealed goes with the account's word.
	ada.delete("/v1/me/face").want(204)
	for table, where := range map[string]string{
		"face_templates": "user_id = $1", "face_captures": "user_id = $1", "faces": "user_id = $1", "device_keys": "user_id = $1",
		"challenges": "user_id = $1 AND capture IS NOT NULL",
	} {
		var left int
		id := ada.get("/v1/me").want(200).Body["user"].(map[string]any)["id"]
		if err := s.Pool.QueryRow(ctx, `SELECT count(*) FROM `+table+` WHERE `+where, id).Scan(&left); err != nil || left != 0 {
			t.Errorf("%s: %d rows left, %v", table, left, err)
		}
	}
}

// everyCell hands every value of every table to look, as the text and as the
// bytes that Postgres gives for it.
func (s *site) everyCell(look func(where string, data []byte)) (rows, cells int) {
	s.t.Helper()
	ctx := s.t.Context()
	var tables []string
	err := s.Pool.QueryRow(ctx, `SELECT array_agg(table_name::text) FROM information_schema.tables WHERE table_schema = current_schema()`).Scan(&tables)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, table := range tables {
		found, err := s.Pool.Query(ctx, `SELECT * FROM `+pgx.Identifier{table}.Sanitize(), pgx.QueryResultFormats{pgx.TextFormatCode})
		if err != nil {
			s.t.Fatal(err)
		}
		for found.Next() {
			rows++
			for i, cell := range found.RawValues() {
				cells++
				look(table+"."+found.FieldDescriptions()[i].Name, cell)
			}
		}
		if err := found.Err(); err != nil {
			s.t.Fatal(err)
		}
	}
	return rows, cells
}

// Whoever is like nobody in the cohort would be measured by the wrong scale: the
// factor is out of order for them, the try is given back, and others serve.
func TestTooThinANeighbourhoodIsUnavailable(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ctx := t.Context()
	ada := s.withFace("ada", 1)
	s.crowd(250, spread)
	s.reference(40, 6)
	cohort := s.build(0.5)
	if err := s.ActivateCohort(ctx, cohort.Version); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Pool.Exec(ctx, `UPDATE face_cohorts SET bound = 0.01`); err != nil {
		t.Fatal(err)
	}
	if err := s.cohorts.Load(ctx); err != nil {
		t.Fatal(err)
	}
	s.force(func(p *models.Policy) { p.Face.Metric, p.Face.Threshold = biometrics.MetricNormalized, 0.5 })
	for range 7 {
		got := ada.elsewhere().showFace(someone(1)).want(503, models.CodeFaceUnavailable)
		if strings.Contains(string(got.Raw), "cohort") {
			t.Errorf("the person is told of a cohort: %s", got.Raw)
		}
	}
	s.Clock.Advance(time.Minute)
	tab := ada.elsewhere()
	tab.post("/v1/verify/totp", map[string]any{"code": tab.code()}).want(200)
}
