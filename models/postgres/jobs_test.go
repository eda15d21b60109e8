package postgres_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres"
	"github.com/sallyport/sallyport/models/postgres/pgtest"
)

// idle is work that does nothing.
func idle() postgres.Work {
	nothing := func(context.Context) error { return nil }
	return postgres.Work{RenewCohort: nothing, PurgeFaces: nothing, RetainEvents: nothing, EraseAccounts: nothing, AttendRecoveries: nothing, SendNotice: func(context.Context, models.ID) error { return nil },
		DeliverWebhook: func(context.Context, models.ID) (time.Duration, error) { return 0, nil }}
}

func (b bundle) jobs(work postgres.Work, grace time.Duration, log *slog.Logger) *postgres.Jobs {
	b.t.Helper()
	jobs, err := b.Jobs(work, grace, log)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := jobs.Start(context.Background()); err != nil {
		b.t.Fatal(err)
	}
	return jobs
}

// within waits for something to happen.
func within[T any](t *testing.T, happens <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-happens:
		return v
	case <-time.After(30 * time.Second):
		t.Fatalf("never: %s", what)
		panic("not reached")
	}
}

func TestDailyJobsRunOnceHoweverManyInstancesThereAre(t *testing.T) {
	b := setup(t)
	purges, renewals := make(chan struct{}, 10), make(chan struct{}, 10)
	work := idle()
	work.PurgeFaces = func(context.Context) error { purges <- struct{}{}; return nil }
	work.RenewCohort = func(context.Context) error { renewals <- struct{}{}; return nil }
	jobs := b.jobs(work, time.Second, slog.New(slog.DiscardHandler))
	within(t, purges, "the faces are purged")
	within(t, renewals, "the cohort is renewed")
	if err := jobs.Stop(); err != nil {
		t.Error(err)
	}
	// Another instance asks for both in one batch. The one that was forgotten
	// tells that it did.
	if _, err := b.Pool.Exec(context.Background(), `DELETE FROM river_job WHERE kind = 'renew_face_cohort'`); err != nil {
		t.Fatal(err)
	}
	jobs = b.jobs(work, time.Second, slog.New(slog.DiscardHandler))
	within(t, renewals, "the cohort is renewed again")
	if err := jobs.Stop(); err != nil {
		t.Error(err)
	}
	if n := b.count(`SELECT count(*) FROM river_job WHERE kind = 'purge_faces'`); n != 1 || len(purges) != 0 {
		t.Errorf("%d jobs purge the faces of one day, %d more ran", n, len(purges))
	}
}

func TestAJobThatFailsIsTriedAgainAndLogged(t *testing.T) {
	b := setup(t)
	b.withFace("ada")
	b.days(unusedDays)
	tried := make(chan models.ID, 10)
	var once sync.Once
	work := idle()
	work.SendNotice = func(_ context.Context, id models.ID) (err error) {
		once.Do(func() { err = errors.New("the mail server is down") })
		tried <- id
		return err
	}
	var log pgtest.Log
	jobs := b.jobs(work, time.Second, slog.New(slog.NewTextHandler(&log, nil)))
	b.purge(true, 1, 0)
	want := b.noticed(models.NoticeFacePurge)[0]
	for range 2 {
		if got := within(t, tried, "somebody is told"); got != want {
			t.Errorf("told %s, want %s", got, want)
		}
	}
	if err := jobs.Stop(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(log.String(), "the mail server is down"); n != 1 {
		t.Errorf("the failure was logged %d times: %s", n, log.String())
	}
	if n := b.count(`SELECT count(*) FROM river_job WHERE kind = 'send_notice' AND state = 'completed'`); n != 1 {
		t.Errorf("%d notices are done", n)
	}
}

func TestACancelledJobIsNotTriedAgain(t *testing.T) {
	b := setup(t)
	b.withFace("ada")
	b.days(unusedDays)
	work := idle()
	tried := make(chan struct{}, 10)
	work.SendNotice = func(context.Context, models.ID) error {
		tried <- struct{}{}
		return river.JobCancel(errors.New("no such mailbox"))
	}
	jobs := b.jobs(work, time.Second, slog.New(slog.DiscardHandler))
	b.purge(true, 1, 0)
	within(t, tried, "somebody is told")
	if err := jobs.Stop(); err != nil {
		t.Error(err)
	}
	if n := b.count(`SELECT count(*) FROM river_job WHERE kind = 'send_notice' AND state = 'cancelled'`); n != 1 {
		t.Errorf("%d notices were given up", n)
	}
}

func TestStoppingLetsWorkFinishAndCancelsWhatTakesTooLong(t *testing.T) {
	b := setup(t)
	started, release := make(chan struct{}), make(chan struct{})
	work := idle()
	work.PurgeFaces = func(context.Context) error {
		close(started)
		<-release
		return nil
	}
	jobs := b.jobs(work, time.Minute, slog.New(slog.DiscardHandler))
	within(t, started, "the faces are purged")
	stopped := make(chan error, 1)
	go func() { stopped <- jobs.Stop() }()
	close(release)
	if err := within(t, stopped, "the runner stops"); err != nil {
		t.Error(err)
	}
	if n := b.count(`SELECT count(*) FROM river_job WHERE kind = 'purge_faces' AND state = 'completed'`); n != 1 {
		t.Error("the work in progress was not finished")
	}

	// One that takes no notice of the grace is told by its context, and stays
	// in the queue.
	if _, err := b.Pool.Exec(context.Background(), `DELETE FROM river_job`); err != nil {
		t.Fatal(err)
	}
	hung := make(chan struct{})
	work.PurgeFaces = func(ctx context.Context) error {
		close(hung)
		<-ctx.Done()
		return ctx.Err()
	}
	jobs = b.jobs(work, time.Millisecond, slog.New(slog.DiscardHandler))
	within(t, hung, "the faces are purged again")
	if err := jobs.Stop(); err != nil {
		t.Error(err)
	}
	if n := b.count(`SELECT count(*) FROM river_job WHERE kind = 'purge_faces' AND state IN ('available', 'retryable', 'scheduled')`); n != 1 {
		t.Error("the work that was cut off is not in the queue any more")
	}
}

func TestASchemaWithoutTheQueueIsRefused(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	if err := postgres.CheckSchema(ctx, b.Pool); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Pool.Exec(ctx, `DELETE FROM river_migration WHERE version = (SELECT max(version) FROM river_migration)`); err != nil {
		t.Fatal(err)
	}
	if err := postgres.CheckSchema(ctx, b.Pool); err == nil || !strings.Contains(err.Error(), "sallyport migrate") {
		t.Errorf("got %v", err)
	}
}

func TestALetterThatNobodyTakesIsGivenUpAtTheLastTry(t *testing.T) {
	b := withMail(t)
	b.withTOTP("ada")
	if _, err := b.Pool.Exec(context.Background(), `UPDATE river_job SET max_attempts = 1`); err != nil {
		t.Fatal(err)
	}
	work := idle()
	tried := make(chan struct{}, 10)
	work.SendNotice = func(context.Context, models.ID) error {
		tried <- struct{}{}
		return errors.New("the mail server is down")
	}
	jobs := b.jobs(work, time.Second, slog.New(slog.DiscardHandler))
	within(t, tried, "a letter is sent")
	if err := jobs.Stop(); err != nil {
		t.Error(err)
	}
	if n := b.count(`SELECT count(*) FROM notices WHERE given_up_at IS NOT NULL`); n != 1 {
		t.Errorf("%d letters are given up, want 1", n)
	}
}
