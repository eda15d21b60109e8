package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

var agreed = models.Consent{Kind: models.ConsentFace, Version: "1", Language: "en", TextSHA256: []byte("text")}

// change is a sitting with these descriptors.
func (b bundle) change(adds bool, descriptors ...[]byte) models.FaceChange {
	now := b.Clock.Now()
	change := models.FaceChange{Adds: adds, Capture: models.FaceCapture{ID: models.NewID(now), ModelKey: "m", Model: "dlib-v1", Network: []byte("n")}}
	for _, d := range descriptors {
		change.Capture.Templates = append(change.Capture.Templates, models.FaceTemplate{ID: models.NewID(now), Pose: "straight", Descriptor: d})
	}
	return change
}

func (b bundle) enrolFace(s models.Session, change models.FaceChange) (models.Session, error) {
	next, _, err := b.EnrolFace(context.Background(), b.allowed(s, models.AddFace), change, b.decide(models.Event{Kind: models.FactorEnrolled, Factor: models.Face}))
	if err != nil {
		return s, err
	}
	return next, nil
}

func (b bundle) addDevice(s models.Session, key models.DeviceKey) error {
	b.t.Helper()
	return b.AddDeviceKey(context.Background(), b.allowed(s, models.AddDevice), key, b.decide(models.Event{Kind: models.DeviceAdded, Object: key.ID}))
}

func (b bundle) removeDevice(s models.Session, id models.ID) error {
	b.t.Helper()
	return b.RemoveDeviceKey(context.Background(), b.allowed(s, models.RemoveDevice, id), id, b.decide(models.Event{Kind: models.DeviceRemoved, Object: id}))
}

func (b bundle) withFace(name string) models.Session {
	b.t.Helper()
	s, _ := b.withTOTP(name)
	if err := b.GiveConsent(context.Background(), s, agreed); err != nil {
		b.t.Fatal(err)
	}
	s, err := b.enrolFace(s, b.change(false, seal.Random(512)))
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func TestFaceTemplatesNeedStandingConsent(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s, _ := b.withTOTP("ada")
	if _, err := b.enrolFace(s, b.change(false, seal.Random(512))); models.CodeOf(err) != models.CodeConflict {
		t.Fatalf("enrolled without consent: %v", err)
	}
	if err := b.GiveConsent(ctx, s, agreed); err != nil {
		t.Fatal(err)
	}
	s, err := b.enrolFace(s, b.change(false, seal.Random(512)))
	if err != nil {
		t.Fatal(err)
	}
	face, err := b.FaceFactor(ctx, s.User.ID)
	if err != nil || len(face.Captures) != 1 || len(face.Captures[0].Templates) != 1 {
		t.Fatalf("got %d captures, %v", len(face.Captures), err)
	}
	if err := b.addDevice(s, models.DeviceKey{ID: models.NewID(b.Clock.Now()), Thumbprint: "t", PublicKey: []byte("k")}); err != nil {
		t.Fatal(err)
	}
	s, _, err = b.RemoveFace(ctx, b.allowed(s, models.RemoveFace), b.decide(models.Event{Kind: models.FactorRemoved, Factor: models.Face}))
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := b.Consents(ctx, s.User.ID)
	if err != nil || len(ledger) != 1 || ledger[0].WithdrawnAt == nil {
		t.Fatalf("the ledger after withdrawal: %+v, %v", ledger, err)
	}
	for _, table := range []string{"faces", "face_captures", "face_templates", "device_keys"} {
		var rows int
		if err := b.Pool.QueryRow(ctx, `SELECT count(*) FROM `+table).Scan(&rows); err != nil || rows != 0 {
			t.Errorf("%s holds %d rows after withdrawal, %v", table, rows, err)
		}
	}
}

// A template that lies open is a face that can't be changed; one that can be
// moved lets its owner into another account.
func TestFaceTemplatesAreSealedAndBoundToTheirRow(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s, _ := b.withTOTP("ada")
	if err := b.GiveConsent(ctx, s, agreed); err != nil {
		t.Fatal(err)
	}
	change := b.change(false, seal.Random(512), seal.Random(512))
	if _, err := b.enrolFace(s, change); err != nil {
		t.Fatal(err)
	}
	first, second := change.Capture.Templates[0], change.Capture.Templates[1]
	raw := func(id models.ID) (raw []byte) {
		if err := b.Pool.QueryRow(ctx, `SELECT descriptor FROM face_templates WHERE id = $1`, id).Scan(&raw); err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for at := 0; at < 512; at += 16 {
		if bytes.Contains(raw(first.ID), first.Descriptor[at:at+16]) {
			t.Fatal("the template lies in clear")
		}
	}
	if _, err := b.Pool.Exec(ctx, `UPDATE face_templates SET descriptor = $1 WHERE id = $2`, raw(first.ID), second.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.FaceFactor(ctx, s.User.ID); !errors.Is(err, seal.ErrOpen) {
		t.Fatalf("a template moved to another row opens: %v", err)
	}
	// Nor to another account or another net.
	eve := b.withFace("eve")
	for _, sql := range []string{
		`UPDATE face_captures SET model_key = 'other' WHERE user_id = $1`,
		`UPDATE face_captures SET user_id = (SELECT id FROM users WHERE username = 'ada'), model_key = 'm' WHERE user_id = $1`,
	} {
		if _, err := b.Pool.Exec(ctx, sql, eve.User.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Pool.Exec(ctx, `DELETE FROM face_captures WHERE id = $1`, change.Capture.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.FaceFactor(ctx, s.User.ID); !errors.Is(err, seal.ErrOpen) {
		t.Fatalf("a template moved to another account opens: %v", err)
	}
}

func TestSittingsAreBoundedAndTheOldestGoes(t *testing.T) {
	b := setup(t)
	s := b.withFace("ada")
	var last models.FaceChange
	for range models.MaxFaceCaptures + 2 {
		b.Clock.Advance(time.Second)
		last = b.change(true, seal.Random(512))
		var err error
		if s, err = b.enrolFace(s, last); err != nil {
			t.Fatal(err)
		}
	}
	face, err := b.FaceFactor(context.Background(), s.User.ID)
	if err != nil || len(face.Captures) != models.MaxFaceCaptures || face.Captures[models.MaxFaceCaptures-1].ID != last.Capture.ID {
		t.Fatalf("%d sittings, %v", len(face.Captures), err)
	}
	for i := range face.Captures[1:] {
		if !face.Captures[i].CreatedAt.Before(face.Captures[i+1].CreatedAt) {
			t.Error("sittings are not dated in order")
		}
	}
	if s, err = b.enrolFace(s, b.change(false, seal.Random(512))); err != nil {
		t.Fatal(err)
	}
	if face, _ = b.FaceFactor(context.Background(), s.User.ID); len(face.Captures) != 1 {
		t.Errorf("enrolled anew, yet %d sittings", len(face.Captures))
	}
}

var rules = models.FailuresPolicy{Free: 5, Wait: models.Duration(30 * time.Second), DisableAfter: 50}

// NIST SP 800-63B-4 section 3.2.3 without certified attack detection: five
// failures, then 30 s between tries, fifty in a row and the factor is off; also
// when a hundred requests come at the same moment.
func TestFaceFailuresInARow(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s := b.withFace("ada")
	try := func() error { return b.CountFaceTry(ctx, s.User.ID, rules) }
	rush := func() (passed int64) {
		var n atomic.Int64
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if try() == nil {
					n.Add(1)
				}
			})
		}
		wg.Wait()
		return n.Load()
	}
	if n := rush(); n != 5 {
		t.Fatalf("%d tries came without a wait, not 5", n)
	}
	var refusal *models.Error
	if err := try(); !errors.As(err, &refusal) || refusal.Code != models.CodeRateLimited || refusal.RetryAfter != 30*time.Second {
		t.Fatalf("got %v", err)
	}
	for i := 6; i <= 50; i++ {
		b.Clock.Advance(30 * time.Second)
		if n := rush(); n != 1 {
			t.Fatalf("try %d: %d came at once", i, n)
		}
	}
	b.Clock.Advance(time.Minute)
	if err := try(); !errors.As(err, &refusal) || refusal.Reason != "face_disabled" {
		t.Fatalf("after fifty failures: %v", err)
	}
	e, err := b.Enrolled(ctx, s)
	if err != nil || e.Face {
		t.Errorf("a disabled face counts as a factor, %v", err)
	}
}

func TestEnrollingAnewStartsFromZero(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s := b.withFace("ada")
	if _, err := b.Pool.Exec(ctx, `UPDATE faces SET failures = 50, disabled_at = now(), next_try_at = now()`); err != nil {
		t.Fatal(err)
	}
	if _, err := b.enrolFace(s, b.change(false, seal.Random(512))); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := b.CountFaceTry(ctx, s.User.ID, rules); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAPassedFaceForgetsItsFailures(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s := b.withFace("ada")
	for range 5 {
		if err := b.CountFaceTry(ctx, s.User.ID, rules); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.GiveFaceTryBack(ctx, s.User.ID, rules); err != nil {
		t.Fatal(err)
	}
	if err := b.CountFaceTry(ctx, s.User.ID, rules); err != nil {
		t.Fatalf("a try that came to nothing was kept: %v", err)
	}
	face, err := b.FaceFactor(ctx, s.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	ids := []models.ID{face.Captures[0].Templates[0].ID}
	if _, _, err = b.PassFace(ctx, s.Ref(), ids, "", b.decide(models.Event{Kind: models.FactorPassed, Factor: models.Face})); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := b.CountFaceTry(ctx, s.User.ID, rules); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDeviceKeysBelongToTheirAccount(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	ada, eve := b.withFace("ada"), b.withFace("eve")
	key := models.DeviceKey{ID: models.NewID(b.Clock.Now()), Name: "laptop", PublicKey: []byte("k"), Thumbprint: "t"}
	if err := b.addDevice(ada, key); err != nil {
		t.Fatal(err)
	}
	if err := b.removeDevice(eve, key.ID); models.CodeOf(err) != models.CodeNotFound {
		t.Errorf("another's key was removed: %v", err)
	}
	if keys, err := b.DeviceKeys(ctx, eve.User.ID); err != nil || len(keys) != 0 {
		t.Errorf("eve sees %d keys, %v", len(keys), err)
	}
	for i := range 25 {
		more := models.DeviceKey{ID: models.NewID(b.Clock.Now()), PublicKey: []byte("k"), Thumbprint: fmt.Sprint(i)}
		err := b.addDevice(ada, more)
		if want := i >= 19; (models.CodeOf(err) == models.CodeConflict) != want || err == nil == want {
			t.Fatalf("key %d: %v", i+2, err)
		}
	}
	if err := b.removeDevice(ada, key.ID); err != nil {
		t.Fatal(err)
	}
}

// No cascade finds an account's member in a cohort, so an account goes only after
// its face, and then nothing of it stays.
func TestAnAccountGoesOnlyAfterItsFace(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s := b.withFace("ada")
	if _, err := b.Pool.Exec(ctx, `DELETE FROM users WHERE id = $1`, s.User.ID); err == nil {
		t.Fatal("an account with a face was deleted")
	}
	if _, _, err := b.RemoveFace(ctx, b.allowed(s, models.RemoveFace), b.decide(models.Event{Kind: models.FactorRemoved, Factor: models.Face})); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Pool.Exec(ctx, `DELETE FROM users WHERE id = $1`, s.User.ID); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"faces", "face_captures", "face_templates", "face_consents", "device_keys", "challenges"} {
		var rows int
		if err := b.Pool.QueryRow(ctx, `SELECT count(*) FROM `+table).Scan(&rows); err != nil || rows != 0 {
			t.Errorf("%s holds %d rows, %v", table, rows, err)
		}
	}
}
