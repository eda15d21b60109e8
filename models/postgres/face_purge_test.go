package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
)

const unusedDays = 365

// purge runs the daily job and demands what comes of it.
func (b bundle) purge(tell bool, told, erased int) {
	b.t.Helper()
	b.MailPerHour = nil
	if tell {
		b.MailPerHour = func() int { return 5 }
	}
	gotTold, gotErased, err := b.PurgeFaces(context.Background(), unusedDays)
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

// noticed are the letters of a kind that jobs will send.
func (b bundle) noticed(kind models.NoticeKind) (ids []models.ID) {
	b.t.Helper()
	rows, err := b.Pool.Query(context.Background(), `
		SELECT n.id
		FROM river_job j
		JOIN notices n ON j.args = jsonb_build_object('notice_id', n.id)
		WHERE j.kind = 'send_notice' AND n.kind = $1
		ORDER BY j.id`, kind)
	if err != nil {
		b.t.Fatal(err)
	}
	ids, err = pgx.CollectRows(rows, pgx.RowTo[models.ID])
	if err != nil {
		b.t.Fatal(err)
	}
	return ids
}

func TestUnusedFaceIsErasedAfterItsOwnerWasTold(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	s := b.withFace("ada")
	begun := b.Clock.Now()
	b.days(unusedDays - models.FaceNoticeDays - 1)
	b.purge(true, 0, 0)
	if n := len(b.noticed(models.NoticeFacePurge)); n != 0 {
		t.Errorf("%d notices before their time", n)
	}
	b.days(1)
	b.purge(true, 1, 0)
	b.purge(true, 0, 0)
	ids := b.noticed(models.NoticeFacePurge)
	if len(ids) != 1 {
		t.Fatalf("%d notices, want 1", len(ids))
	}
	notice, err := b.Notice(ctx, ids[0])
	if err != nil || notice.Address != "ada@example.com" || notice.UserID != s.User.ID {
		t.Fatalf("%+v, %v", notice, err)
	}
	if want := begun.AddDate(0, 0, unusedDays); !notice.Detail.ErasedAt.Equal(want) {
		t.Errorf("told of %s, it is erased at %s", notice.Detail.ErasedAt, want)
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
	if _, err := b.Notice(ctx, ids[0]); models.CodeOf(err) != models.CodeNotFound {
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
	if _, err := b.Notice(ctx, b.noticed(models.NoticeFacePurge)[0]); models.CodeOf(err) != models.CodeNotFound {
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
	if len(b.noticed(models.NoticeFacePurge)) != 0 {
		t.Error("mail was asked for where there is none")
	}
}

func TestALaterPurgeIsToldOfAgain(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	b.withFace("ada")
	b.MailPerHour = func() int { return 5 }
	b.days(100 - models.FaceNoticeDays)
	if told, _, err := b.PurgeFaces(ctx, 100); err != nil || told != 1 {
		t.Fatalf("told %d, %v", told, err)
	}
	b.days(unusedDays - 100) // the policy was changed to 365 days meanwhile
	b.purge(true, 1, 0)
	b.days(models.FaceNoticeDays)
	b.purge(true, 0, 1)
}
