package biometrics

import (
	"context"
	"image"
	"time"
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
	// Load is how much there is to do. Zero for an engine that has no queue.
	Load Load
}

// Load is how much an engine has to do at one moment.
type Load struct {
	Workers  int           // that could take a frame
	Busy     int           // frames being looked at
	Waiting  int           // frames in the queue
	Queue    int           // frames that may wait; more are refused with ErrBusy
	PerFrame time.Duration // that a worker takes for one frame, averaged over the last ones
}

// Wait is how long a frame handed in now would take until its answer.
func (l Load) Wait() time.Duration { return l.Round(l.Busy + l.Waiting + 1) }

// Round is how long it takes to look at one frame of each of so many captures. The
// queue is first in, first out, so a capture that sends its next frame when it has
// the answer to the last one waits no longer than this for each, whatever the others
// do. Who starts another capture only while Round of all of them is within the
// time that a frame may take starves none that has begun.
func (l Load) Round(captures int) time.Duration {
	return l.PerFrame * time.Duration(captures) / time.Duration(max(1, l.Workers))
}
