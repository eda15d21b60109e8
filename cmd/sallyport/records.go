package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres"
	"github.com/sallyport/sallyport/server/face"
)

// withRecords runs do over the records of a database that answers and whose schema
// is the one that this program needs.
func withRecords(ctx context.Context, config Config, do func(*postgres.Store) error) error {
	sealer, err := config.sealer()
	if err != nil {
		return err
	}
	pool, err := openPool(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()
	answers, cancel := context.WithTimeout(ctx, databaseWithin)
	defer cancel()
	if err := postgres.CheckSchema(answers, pool); err != nil {
		return err
	}
	return do(postgres.New(pool, sealer, time.Now))
}

// withStore is withRecords for a command that needs no more of the configuration.
func withStore(ctx context.Context, c *cli, do func(*postgres.Store) error) error {
	config, err := c.configuration()
	if err != nil {
		return err
	}
	return withRecords(ctx, config, do)
}

// faceRecords is what commands about faces work with, without a running server
// and without a worker: the net is known by its manifest.
type faceRecords struct {
	store   *postgres.Store
	cohorts *face.Cohorts
	policy  models.Policy
	model   biometrics.Model
}

// withFaceRecords runs do over the records and what is known of the installed net.
func withFaceRecords(ctx context.Context, c *cli, do func(faceRecords) error) error {
	config, err := c.configuration()
	if err != nil {
		return err
	}
	manifest, err := config.manifest()
	if err != nil {
		return err
	}
	policy, err := readPolicy(config)
	if err != nil {
		return err
	}
	return withRecords(ctx, config, func(store *postgres.Store) error {
		return do(faceRecords{
			store: store, policy: policy, model: manifest.Identity(config.FaceDetector),
			cohorts: &face.Cohorts{Store: store, Now: time.Now, Log: slog.New(slog.DiscardHandler)},
		})
	})
}

// storedCohorts reads the active cohorts for a command that can do without. Where
// the records can't be read they are none, and the error says why.
func storedCohorts(ctx context.Context, config Config) (*face.Cohorts, error) {
	cohorts := &face.Cohorts{Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithTimeout(ctx, databaseWithin)
	defer cancel()
	sealer, err := config.sealer()
	if err != nil {
		return cohorts, err
	}
	pool, err := openPool(ctx, config)
	if err != nil {
		return cohorts, err
	}
	defer pool.Close()
	cohorts.Store = postgres.New(pool, sealer, time.Now)
	return cohorts, cohorts.Load(ctx)
}
