// Package biometricstest has a face engine without native code, for tests of
// whatever stands on biometrics.Engine, and pictures that it can read.
//
// Draw makes an upload that shows one or more made-up people; the engine finds
// exactly those people in the frame that the image gate makes of it. Two
// pictures of one person give descriptors 0.1 to 0.2 apart, two people are about
// 0.8 apart, so every threshold in use tells them from each other.
package biometricstest

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/sallyport/sallyport/biometrics"
)

// Model is what Engine claims to run unless told otherwise.
var Model = biometrics.Model{
	Name:             biometrics.ModelDlibV1Q8,
	Detector:         biometrics.DetectorHOG,
	Landmarks:        68,
	DescriptorSHA256: "1111111111111111111111111111111111111111111111111111111111111111",
	LandmarksSHA256:  "2222222222222222222222222222222222222222222222222222222222222222",
	DetectorSHA256:   "3333333333333333333333333333333333333333333333333333333333333333",
}

// Engine is a scripted biometrics.Engine. Its zero value is ready and reads the
// pictures of Draw. It is safe for concurrent use; set OnAnalyze before the first
// call.
type Engine struct {
	// OnAnalyze replaces what Analyze does, when set: return an error of package
	// biometrics to play a crash, a full queue or an absent engine.
	OnAnalyze func(ctx context.Context, frames []biometrics.Frame) ([]biometrics.Observation, error)

	calls  atomic.Int64
	mu     sync.Mutex
	status *biometrics.Status // guarded by mu; nil is ready with Model
}

var _ biometrics.Engine = (*Engine)(nil)

// Analyze reads the frames, or does what OnAnalyze does. While the status is not
// ready it returns biometrics.UnavailableError, as the real ones do.
func (e *Engine) Analyze(ctx context.Context, frames []biometrics.Frame) ([]biometrics.Observation, error) {
	e.calls.Add(1)
	err := ctx.Err()
	if err != nil {
		return nil, err
	}
	if e.OnAnalyze != nil {
		return e.OnAnalyze(ctx, frames)
	}
	status := e.Status()
	if !status.Ready {
		return nil, &biometrics.UnavailableError{Reason: status.Reason}
	}
	return Read(frames)
}

// Status returns what SetStatus set, or ready.
func (e *Engine) Status() biometrics.Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.status == nil {
		return biometrics.Status{Ready: true, Model: Model}
	}
	return *e.status
}

// SetStatus changes the status from now on.
func (e *Engine) SetStatus(s biometrics.Status) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status = &s
}

// Calls is how often Analyze was called.
func (e *Engine) Calls() int { return int(e.calls.Load()) }

// Read returns what Draw drew, for an OnAnalyze that only sometimes misbehaves.
func Read(frames []biometrics.Frame) ([]biometrics.Observation, error) {
	out := make([]biometrics.Observation, len(frames))
	for i, f := range frames {
		out[i] = biometrics.Observation{Faces: Faces(f.Pixels())}
	}
	return out, nil
}
