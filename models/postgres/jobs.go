package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
	"github.com/sallyport/sallyport/models"
)

// Work is what background jobs do. An error has the job tried again, later each
// time; one that is wrapped by [river.JobCancel] ends it. Both are logged, so they
// quote nothing secret.
type Work struct {
	// RenewCohort and PurgeFaces are called once a day (UTC) by one instance.
	RenewCohort  func(ctx context.Context) error
	PurgeFaces   func(ctx context.Context) error
	RetainEvents func(ctx context.Context) error
	// EraseAccounts is called every hour by one instance, and soon after an account
	// without a grace was deleted.
	EraseAccounts func(ctx context.Context) error
	// AttendRecoveries is called every hour by one instance.
	AttendRecoveries func(ctx context.Context) error
	// SendNotice sends a letter. It is asked for in the transaction of the fact
	// that the letter tells.
	SendNotice func(ctx context.Context, noticeID models.ID) error
	// SendLogout tells an app that a session is over.
	SendLogout func(ctx context.Context, logoutID models.ID) error
	// DeliverWebhook makes an attempt at a delivery. It is asked for in the transaction
	// of the fact that is told, and gives how long until the next attempt; 0 for none.
	DeliverWebhook func(ctx context.Context, deliveryID models.ID) (time.Duration, error)
}

// Arguments of jobs hold ids alone: rows are looked up when the job runs, and
// nothing of anybody lies in the queue's table.
type (
	renewCohort      struct{}
	purgeFaces       struct{}
	retainEvents     struct{}
	eraseAccounts    struct{}
	attendRecoveries struct{}
	answerClaim      struct {
		ClaimID models.ID `json:"claim_id"`
	}
	answerRequest struct {
		RequestID models.ID `json:"request_id"`
	}
	sendNotice struct {
		NoticeID models.ID `json:"notice_id"`
	}
	sendLogout struct {
		LogoutID models.ID `json:"logout_id"`
	}
	deliverWebhook struct {
		DeliveryID models.ID `json:"delivery_id"`
	}
)

func (renewCohort) Kind() string      { return "renew_face_cohort" }
func (purgeFaces) Kind() string       { return "purge_faces" }
func (retainEvents) Kind() string     { return "retain_events" }
func (eraseAccounts) Kind() string    { return "erase_accounts" }
func (attendRecoveries) Kind() string { return "attend_recoveries" }
func (answerRequest) Kind() string    { return "answer_letter_request" }
func (sendNotice) Kind() string       { return "send_notice" }
func (sendLogout) Kind() string       { return "send_logout" }
func (answerClaim) Kind() string      { return "answer_address_claim" }
func (deliverWebhook) Kind() string   { return "deliver_webhook" }

// onceADay lets one job of a kind into a UTC day, whoever asks for it: the queue
// forgets its timetable when the instance that leads goes.
var onceADay = river.InsertOpts{MaxAttempts: 5, UniqueOpts: river.UniqueOpts{ByPeriod: 24 * time.Hour}}

// InsertOpts implements river.JobArgsWithInsertOpts.
func (renewCohort) InsertOpts() river.InsertOpts { return onceADay }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (purgeFaces) InsertOpts() river.InsertOpts { return onceADay }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (retainEvents) InsertOpts() river.InsertOpts { return onceADay }

// sendTries is how often a letter is handed to the mail server: the last time some
// fifteen hours after the first.
const sendTries = 12

// InsertOpts implements river.JobArgsWithInsertOpts.
func (sendNotice) InsertOpts() river.InsertOpts { return river.InsertOpts{MaxAttempts: sendTries} }

// InsertOpts implements river.JobArgsWithInsertOpts. The last try is some hours after the
// first: what an app holds by then has run out by itself.
func (sendLogout) InsertOpts() river.InsertOpts { return river.InsertOpts{MaxAttempts: 8} }

// webhooksQueue keeps receivers that hang from holding up everything else.
const webhooksQueue = "webhooks"

// InsertOpts implements river.JobArgsWithInsertOpts.
func (deliverWebhook) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: webhooksQueue} }

const (
	jobsAtOnce = 4
	// webhooksAtOnce are more, for they wait for others most of their time.
	webhooksAtOnce = 16
	jobWithin      = 30 * time.Minute
	// How long what was cancelled may take to notice it.
	cancelWithin = 5 * time.Second
)

// Jobs runs background work from the queue's tables.
type Jobs struct {
	client *river.Client[pgx.Tx]
	grace  time.Duration
}

// Jobs makes a runner that gives work in progress the grace to finish when it is
// stopped. What is in the queue stays there for the next one.
func (s *Store) Jobs(work Work, grace time.Duration, log *slog.Logger) (*Jobs, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[renewCohort]) error { return work.RenewCohort(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[purgeFaces]) error { return work.PurgeFaces(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[retainEvents]) error { return work.RetainEvents(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[eraseAccounts]) error { return work.EraseAccounts(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[attendRecoveries]) error { return work.AttendRecoveries(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[answerClaim]) error {
		return s.AnswerClaim(ctx, job.Args.ClaimID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[answerRequest]) error {
		return s.AnswerRequest(ctx, job.Args.RequestID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[sendNotice]) error {
		err := work.SendNotice(ctx, job.Args.NoticeID)
		if err != nil && job.Attempt >= job.MaxAttempts {
			return errors.Join(err, s.GiveUpNotice(ctx, job.Args.NoticeID))
		}
		return err
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[sendLogout]) error {
		return work.SendLogout(ctx, job.Args.LogoutID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[deliverWebhook]) error {
		again, err := work.DeliverWebhook(ctx, job.Args.DeliveryID)
		if err == nil && again > 0 {
			return river.JobSnooze(again) // its attempts are counted in its own row
		}
		return err
	}))
	client, err := river.NewClient(riverpgxv5.New(s.pool), &river.Config{
		Queues:          map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: jobsAtOnce}, webhooksQueue: {MaxWorkers: webhooksAtOnce}},
		Workers:         workers,
		PeriodicJobs:    []*river.PeriodicJob{hourly(renewCohort{}), hourly(purgeFaces{}), hourly(retainEvents{}), hourly(eraseAccounts{}), hourly(attendRecoveries{})},
		JobTimeout:      jobWithin,
		SoftStopTimeout: max(grace, time.Millisecond), // none would be forever
		ErrorHandler:    failures{log},
		Logger:          slog.New(warnings{log.Handler()}),
	})
	if err != nil {
		return nil, fmt.Errorf("background jobs: %w", err)
	}
	return &Jobs{client: client, grace: grace}, nil
}

// hourly asks every hour, and when an instance begins to lead: onceADay lets the
// first of a day through.
func hourly(args river.JobArgs) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(time.Hour),
		func() (river.JobArgs, *river.InsertOpts) { return args, nil },
		&river.PeriodicJobOpts{RunOnStart: true})
}

// Start begins to work. The end of ctx stops it as Stop does.
func (j *Jobs) Start(ctx context.Context) error {
	if err := j.client.Start(ctx); err != nil {
		return fmt.Errorf("background jobs: %w", err)
	}
	return nil
}

// Stop takes nothing more from the queue, waits for what runs and after the grace
// cancels it. A job that was cancelled is tried again.
func (j *Jobs) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), j.grace+cancelWithin)
	defer cancel()
	if err := j.client.Stop(ctx); err != nil {
		return fmt.Errorf("background jobs: still running after %s: %w", j.grace+cancelWithin, err)
	}
	return nil
}

// inserter writes jobs within transactions; it has no connection of its own.
var inserter = sync.OnceValues(func() (*river.Client[pgx.Tx], error) {
	return river.NewClient(riverpgxv5.New(nil), &river.Config{Logger: slog.New(slog.DiscardHandler)})
})

// enqueue has a job done once the transaction is committed.
func enqueue(ctx context.Context, tx pgx.Tx, args river.JobArgs) error {
	client, err := inserter()
	if err != nil {
		return err
	}
	_, err = client.InsertTx(ctx, tx, args, nil)
	return err
}

// failures logs what went wrong with a job.
type failures struct{ log *slog.Logger }

// HandleError implements river.ErrorHandler.
func (f failures) HandleError(_ context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	f.log.Warn("a background job failed", "job", job.Kind, "attempt", job.Attempt, "of", job.MaxAttempts, "error", err)
	return nil
}

// HandlePanic implements river.ErrorHandler.
func (f failures) HandlePanic(_ context.Context, job *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	f.log.Error("a background job panicked", "job", job.Kind, "attempt", job.Attempt, "of", job.MaxAttempts, "panic", value, "stack", trace)
	return nil
}

// warnings keeps the queue's reports of how well it is out of the log.
type warnings struct{ slog.Handler }

// Enabled implements slog.Handler.
func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}
