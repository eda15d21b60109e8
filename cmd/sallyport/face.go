package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/worker"
)

// noFace is the engine of an installation without one.
type noFace struct{ reason string }

// Analyze always gives biometrics.ErrUnavailable.
func (n noFace) Analyze(context.Context, []biometrics.Frame) ([]biometrics.Observation, error) {
	return nil, &biometrics.UnavailableError{Reason: n.reason}
}

// Status says why.
func (n noFace) Status() biometrics.Status { return biometrics.Status{Reason: n.reason} }

// startFace starts the face workers. What stands in their way makes face
// unavailable and nothing else. stop is safe to call in any case.
func startFace(ctx context.Context, config Config, log *slog.Logger) (engine biometrics.Engine, stop func()) {
	without := func(reason string) (biometrics.Engine, func()) {
		log.Warn("face is unavailable", "reason", reason)
		return noFace{reason}, func() {}
	}
	if !config.FaceEnabled {
		return without("switched off in the configuration (face.enabled)")
	}
	manifest, err := config.manifest()
	if err != nil {
		return without(err.Error())
	}
	program := config.workerPath()
	if _, err := os.Stat(program); err != nil {
		return without("no face worker at " + program)
	}
	for _, note := range manifest.Notes() {
		log.Warn("face models: " + note)
	}
	pool, err := worker.New(worker.Config{
		Command: []string{program, "-models", config.FaceModels, "-detector", config.FaceDetector},
		Workers: config.FaceWorkers,
		Queue:   config.FaceQueue,
		Observe: func(e worker.Event) {
			level := slog.LevelWarn
			if e.Kind == worker.EventReady {
				level = slog.LevelInfo
			}
			log.LogAttrs(ctx, level, "face worker "+string(e.Kind),
				slog.Int("worker", e.Worker), slog.Int("pid", e.PID), slog.String("reason", e.Reason), slog.String("stderr", e.Stderr))
		},
	})
	if err != nil {
		return without(err.Error())
	}
	pool.Start(ctx)
	return pool, pool.Stop
}
