package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/evaluate"
)

// describe finds the descriptors of photos by the face workers, as many at once as
// there are workers. without counts the photos that gave none.
func (e faceEvaluateCommand) describe(ctx context.Context, config Config, photos []photo) (subjects []evaluate.Subject, without int, err error) {
	manifest, err := config.manifest()
	if err != nil {
		return nil, 0, err
	}
	model := biometrics.Model{
		DescriptorSHA256: manifest.Entry(biometrics.DescriptorFile).SHA256, LandmarksSHA256: manifest.Entry(biometrics.LandmarksFile).SHA256,
	}
	frames := 1
	if e.Correlated {
		frames = max(e.Enrol, e.Probe)
	}
	cache, err := openDescriptorCache(e.Cache, model.Key(), frames)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, cache.Close()) }()
	gate, err := biometrics.NewGate(biometrics.DefaultGateConfig())
	if err != nil {
		return nil, 0, err
	}
	engine, stop := startFace(ctx, config, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	defer stop()

	d := describer{gate: gate, engine: engine, cache: cache, frames: frames}
	workers := config.FaceWorkers
	if workers == 0 {
		workers = cores()
	}
	found := make([][]biometrics.Descriptor, len(photos))
	bar := newProgress(os.Stderr, "photos", len(photos))
	defer bar.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var busy sync.WaitGroup
	for range workers {
		busy.Go(func() {
			for i := range next {
				ds, err := d.photo(ctx, photos[i].path)
				if err != nil {
					cancel(fmt.Errorf("%s: %w", photos[i].path, err))
					continue
				}
				found[i] = ds
				bar.Add(1)
			}
		})
	}
	for i := range photos {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	busy.Wait()
	if ctx.Err() != nil {
		return nil, 0, context.Cause(ctx)
	}
	for i, p := range photos {
		if len(found[i]) == 0 {
			without++
			continue
		}
		if n := len(subjects); n == 0 || subjects[n-1].ID != p.person {
			subjects = append(subjects, evaluate.Subject{ID: p.person})
		}
		s := &subjects[len(subjects)-1]
		s.Photos = append(s.Photos, found[i])
	}
	if len(subjects) == 0 {
		return nil, 0, fmt.Errorf("no photo of %d shows exactly one face", len(photos))
	}
	return subjects, without, nil
}

// describer turns one photo after the other into descriptors.
type describer struct {
	gate   *biometrics.Gate
	engine biometrics.Engine
	cache  *descriptorCache
	frames int // of each photo
}

// photo returns the descriptors of a photo's frames: none where the picture is
// refused or any of its frames does not show exactly one face.
func (d describer) photo(ctx context.Context, path string) ([]biometrics.Descriptor, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	key := hex.EncodeToString(sum[:])
	if ds, ok := d.cache.Get(key); ok {
		return ds, nil
	}
	ds, err := d.look(ctx, data)
	if err != nil {
		return nil, err
	}
	return ds, d.cache.Put(key, ds)
}

func (d describer) look(ctx context.Context, data []byte) ([]biometrics.Descriptor, error) {
	frame, err := d.gate.Open(ctx, data)
	var refused *biometrics.ImageError
	if errors.As(err, &refused) {
		return nil, nil // a failure to acquire
	}
	if err != nil {
		return nil, err
	}
	frames := []biometrics.Frame{frame}
	if d.frames > 1 {
		frames, err = captureFrames(ctx, d.gate, frame, d.frames)
		if err != nil {
			return nil, err
		}
	}
	var out []biometrics.Descriptor
	// One at a time: the workers are kept busy by several photos.
	for _, f := range frames {
		seen, err := d.engine.Analyze(ctx, []biometrics.Frame{f})
		if err != nil {
			return nil, err
		}
		if len(seen[0].Faces) != 1 {
			return nil, nil
		}
		out = append(out, seen[0].Faces[0].Descriptor)
	}
	return out, nil
}
