package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"

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

// defaultMemoryMiB is what a worker may take of private memory with each detector.
// For the largest frame that the gate makes hog needs 352 MiB and cnn 2048
// (docs/face-speed.md).
var defaultMemoryMiB = map[string]int{biometrics.DetectorHOG: 1024, biometrics.DetectorCNN: 2560}

// workerCommand is how a face worker is started.
func (c Config) workerCommand() []string {
	return []string{
		c.workerPath(), "-models", c.FaceModels, "-detector", c.FaceDetector,
		"-nice", strconv.Itoa(c.FaceNice), "-memory", strconv.Itoa(c.FaceMemoryMiB),
	}
}

// faceWorkers is how many there are to be. Unless told otherwise they leave one core
// to everything else: Linux preempts lazily since 6.13 (PREEMPT_LAZY), so whoever wakes
// up while all cores compute waits for a tick of some milliseconds, be their priority as
// low as it may.
func (c Config) faceWorkers() int {
	if c.FaceWorkers == 0 {
		return max(1, cores()-1)
	}
	return c.FaceWorkers
}

// facePrepared tells what face models are installed, or what stands in the way of
// starting workers.
func (c Config) facePrepared() (biometrics.Manifest, error) {
	if !c.FaceEnabled {
		return biometrics.Manifest{}, errors.New("switched off in the configuration (face.enabled)")
	}
	manifest, err := c.manifest()
	if err != nil {
		return manifest, err
	}
	if _, err := os.Stat(c.workerPath()); err != nil {
		return manifest, errors.New("no face worker at " + c.workerPath())
	}
	return manifest, nil
}

// startFace starts the face workers. What stands in their way makes face
// unavailable and nothing else. stop is safe to call in any case.
func startFace(ctx context.Context, config Config, log *slog.Logger) (engine biometrics.Engine, stop func()) {
	log = log.With("models", config.FaceModels)
	without := func(reason string) (biometrics.Engine, func()) {
		log.Warn("face is unavailable", "reason", reason)
		return noFace{reason}, func() {}
	}
	manifest, err := config.facePrepared()
	if err != nil {
		return without(err.Error())
	}
	for _, note := range manifest.Notes() {
		log.Warn("face models: " + note)
	}
	pool, err := worker.New(worker.Config{
		Command: config.workerCommand(),
		Workers: config.faceWorkers(),
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
