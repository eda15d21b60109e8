package biometrics

import (
	"context"
	"image"
)

// Engine finds and describes faces. It has three implementations: the pool of
// worker processes that a server uses, dlib in this process (what such a worker
// runs), and a scripted one for tests.
type Engine interface {
	// Analyze returns one observation per frame, in order. Its errors are
	// ErrUnavailable (no engine now, with the reason), ErrBusy (come back
	// after BusyError.RetryAfter), ErrCrashed (the engine died, hung or
	// answered nonsense on this very request: retryable, and not the person's
	// fault) and ctx's own. It is safe for concurrent use.
	Analyze(ctx context.Context, frames []Frame) ([]Observation, error)
	// Status tells whether Analyze can work at this moment. It never blocks.
	Status() Status
}

// Observation is what the engine saw in one frame: every face, left to right.
type Observation struct {
	Faces []Face
}

// Face is one face in a frame. Coordinates are pixels of the Frame, which may
// lie outside of it when a face is cut off.
type Face struct {
	Box        image.Rectangle
	Landmarks  []image.Point // 68 or 5 points, as the landmark model has them
	Descriptor Descriptor
}

// Status is the state of an engine.
type Status struct {
	// Ready is false while no process could answer.
	Ready bool
	// Reason says in one line why the engine is not ready; empty when it is.
	// It is for operators: it may hold paths and the worker's last words.
	Reason string
	// Model is what runs, or what ran last. Zero before the first worker has
	// told.
	Model Model
}
