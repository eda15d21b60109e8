package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sallyport/sallyport/models"
)

const unusedDays = 365

// purge runs the daily job and demands what comes of it.
func (b bundle) purge(tell bool, told, erased int) {
	b.t.Helper()
	gotTold, gotErased, err := b.PurgeFaces(context.Background(), unusedDays, tell)
	if err != nil || gotTold != told || gotErased != erased {
		b.t.Errorf("day %s: told %d and erased %d, want %d and %d; %v", b.Clock.Now().Format(time.DateOnly), gotTold, gotErased, told, erased, err)
	}
}

func (b bundle) days(n int) { b.Clock.Advance(time.Duration(n) * 24 * time.Hour) }

func (b bundle) count(sql string, args ...any) int {
	b.t.Helper()
	var n int
	if err := b.Pool.QueryRow(context.Background(), sql, args...).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

// noticed are the accounts that jobs will write to.
func (b bundle) noticed() (users []string) {
	b.t.Helper()
	rows, err := b.Pool.Query(context.Background(), `SELECT args FROM river_job WHERE kind = 'tell_of_face_purge' ORDER BY id`)
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var args map[string]string
		if err := rows.Scan(&args); err != nil {
			b.t.Fatal(err)
		}
		if len(args) != 1 {
			b.t.Errorf("a job holds more than the id: %v", args)
		}
		users = append(users, args["user_id"])
	}
	return users
}

func TestUnusedFaceIsErasedAfterItsOwnerWasTold(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s := b.withFace("ada")
	begun := b.Clock.Now()
	b.days(unusedDays - models.FaceNoticeDays - 1)
	b.purge(true, 0, 0)
	if _, err := b.FaceNotice(ctx, s.User.ID); models.CodeOf(err) != models.CodeNotFound {
		t.Errorf("there is a notice before its time: %v", err)
	}
	b.days(1)
	b.purge(true, 1, 0)
	b.purge(true, 0, 0)
	if diff := cmp.Diff([]string{string(s.User.ID)}, b.noticed()); diff != "" {
		t.Errorf("notices: %s", diff)
	}
	notice, err := b.FaceNotice(ctx, s.User.ID)
	if err != nil || notice.Email != "ada@example.com" {
		t.Fatalf("%+v, %v", notice, err)
	}
	if want := begun.AddDate(0, 0, unusedDays); !notice.ErasedAt(unusedDays).Equal(want) {
		t.Errorf("told of %s, it is erased at %s", notice.ErasedAt(unusedDays), want)
	}
	b.days(models.FaceNoticeDays - 1)
	b.purge(true, 0, 0)
	b.days(1)
	b.purge(true, 0, 1)
	for _, table := range []string{"faces", "face_captures", "face_templates", "device_keys"} {
		if n := b.count(`SELECT count(*) FROM ` + table); n != 0 {
			t.Errorf("%s holds %d rows after the purge", table, n)
		}
	}
	if n := b.count(`SELECT count(*) FROM face_consents WHERE withdrawn_at IS NULL`); n != 0 {
		t.Errorf("%d consents stand after the purge", n)
	}
	if n := b.count(`SELECT count(*) FROM events WHERE fact = 'face_purged' AND user_id = $1`, s.User.ID); n != 1 {
		t.Errorf("%d events tell of the purge", n)
	}
	if _, err := b.FaceNotice(ctx, s.User.ID); models.CodeOf(err) != models.CodeNotFound {
		t.Errorf("a notice outlives the face: %v", err)
	}
}

func TestUseInBetweenKeepsTheFace(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s := b.withFace("ada")
	b.days(unusedDays - 1)
	b.purge(true, 1, 0)
	face, err := b.FaceFactor(ctx, s.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	again := b.login(s.User.ID)
	matched := []models.ID{face.Captures[0].Templates[0].ID}
	if _, _, err := b.PassFace(ctx, again.Ref(), matched, "", b.decide(models.Event{Kind: models.FactorPassed, Factor: models.Face})); err != nil {
		t.Fatal(err)
	}
	if _, err := b.FaceNotice(ctx, s.User.ID); models.CodeOf(err) != models.CodeNotFound {
		t.Errorf("the notice stands although the face was used: %v", err)
	}
	b.days(models.FaceNoticeDays)
	b.purge(true, 0, 0)
	// The next notice comes in its time, and the face goes in its time after it.
	b.days(unusedDays - 2*models.FaceNoticeDays)
	b.purge(true, 1, 0)
	b.days(models.FaceNoticeDays)
	b.purge(true, 0, 1)
}

func TestNothingIsErasedWithoutItsNotice(t *testing.T) {
	b := setup(t)
	b.withFace("ada")
	b.days(3 * unusedDays) // mail was set up only now
	b.purge(true, 1, 0)
	b.days(models.FaceNoticeDays - 1)
	b.purge(true, 0, 0)
	b.days(1)
	b.purge(true, 0, 1)
}

func TestWithoutMailUnusedFacesAreErasedAllTheSame(t *testing.T) {
	b := setup(t)
	b.withFace("ada")
	b.days(unusedDays - 1)
	b.purge(false, 0, 0)
	b.days(1)
	b.purge(false, 0, 1)
	if len(b.noticed()) != 0 {
		t.Error("mail was asked for where there is none")
	}
}

func TestALaterPurgeIsToldOfAgain(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	b.withFace("ada")
	b.days(100 - models.FaceNoticeDays)
	if told, _, err := b.PurgeFaces(ctx, 100, true); err != nil || told != 1 {
		t.Fatalf("told %d, %v", told, err)
	}
	b.days(unusedDays - 100) // the policy was changed to 365 days meanwhile
	b.purge(true, 1, 0)
	b.days(models.FaceNoticeDays)
	b.purge(true, 0, 1)
}
