package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/worker"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres"
	"github.com/sallyport/sallyport/server/face"
	"github.com/sallyport/sallyport/server/hook"
	"github.com/sallyport/sallyport/server/mail"
	"github.com/sallyport/sallyport/server/oidc"
)

// chores is what background jobs need.
type chores struct {
	config  Config
	store   *postgres.Store
	policy  func() models.Policy
	engine  biometrics.Engine
	cohorts *face.Cohorts
	courier *mail.Courier // nil where there is no mail
	logouts *oidc.Logouts
	hooks   hook.Messenger
	log     *slog.Logger
}

func (c chores) work() postgres.Work {
	return postgres.Work{
		RenewCohort: c.renewCohort, PurgeFaces: c.purgeFaces, RetainEvents: c.retainEvents, EraseAccounts: c.eraseAccounts,
		AttendRecoveries: c.attendRecoveries, SendNotice: c.sendNotice, DeliverWebhook: c.hooks.Deliver,
		SendLogout: c.logouts.Send,
	}
}

// loadWithin is how long face workers take to load their models, by far.
const loadWithin = 30 * time.Second

// renewCohort builds the nightly cohort for the net that runs. While none does it
// is tried again, and where faces are switched off there is nothing to do.
func (c chores) renewCohort(ctx context.Context) error {
	if !c.config.FaceEnabled {
		return nil
	}
	status := c.engine.Status()
	if status.Reason == worker.Loading {
		return river.JobSnooze(loadWithin)
	}
	if !status.Ready {
		return errors.New("the face cohort is not renewed: face is unavailable: " + status.Reason)
	}
	return c.cohorts.Renew(ctx, c.policy().Face, status.Model)
}

// purgeFaces erases faces that nobody uses. Where there is no mail it does so
// unannounced: keeping them for want of a way to tell would be worse.
func (c chores) purgeFaces(ctx context.Context) error {
	told, erased, err := c.store.PurgeFaces(ctx, c.policy().Face.UnusedDays)
	if told+erased > 0 {
		c.log.Info("unused faces", "told", told, "erased", erased)
	}
	return err
}

// retainEvents drops the months of the audit log that are older than the policy
// keeps them.
func (c chores) retainEvents(ctx context.Context) error {
	dropped, err := c.store.RetainEvents(ctx, c.policy().Retention.Events.Std())
	if dropped > 0 {
		c.log.Info("audit log", "months dropped", dropped)
	}
	return err
}

// eraseAccounts erases accounts whose time has come.
func (c chores) eraseAccounts(ctx context.Context) error {
	erased, err := c.store.EraseAccounts(ctx)
	if erased > 0 {
		c.log.Info("deleted accounts", "erased", erased)
	}
	return err
}

// attendRecoveries tells owners of the recoveries that are under way, and ends them.
func (c chores) attendRecoveries(ctx context.Context) error {
	return c.store.AttendRecoveries(ctx, c.policy().Recovery)
}

// sendNotice sends a letter. It is tried again until the mail server takes it, or
// refuses it for good.
func (c chores) sendNotice(ctx context.Context, id models.ID) error {
	if c.courier == nil {
		return river.JobCancel(errors.New("mail is switched off (mail.smtp)"))
	}
	err := c.courier.Deliver(ctx, id)
	if errors.Is(err, mail.ErrRefused) {
		return river.JobCancel(err)
	}
	return err
}
