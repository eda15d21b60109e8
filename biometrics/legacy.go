package biometrics

import (
	"fmt"
	"math"
)

// ReasonEqualFrames (face_image): two frames are the same picture.
const ReasonEqualFrames CaptureReason = "equal_frames"

// Outcome is what Match came to. What follows serves the capture of three
// pictures in one body, until captures are directed.
type Outcome struct {
	Accepted bool
	Distance float64
}

// String tells the outcome without the distance.
func (o Outcome) String() string { return Decision{Accepted: o.Accepted}.String() }

// Match compares the mean of the probes with the mean of the templates and
// accepts when their Euclidean distance is at most threshold. Descriptors that
// are not finite are never accepted. An empty side is [ErrNoDescriptors] and a
// threshold that is not a positive finite number is an error: neither is a
// refusal of the person.
func Match(templates, probes []Descriptor, threshold float64) (Outcome, error) {
	if !(threshold > 0) || math.IsInf(threshold, 0) {
		return Outcome{}, fmt.Errorf("face threshold %v is not a positive number", threshold)
	}
	template, err := Mean(templates)
	if err != nil {
		return Outcome{}, fmt.Errorf("templates: %w", err)
	}
	probe, err := Mean(probes)
	if err != nil {
		return Outcome{}, fmt.Errorf("probes: %w", err)
	}
	distance := Distance(template, probe)
	return Outcome{Accepted: distance <= threshold, Distance: distance}, nil
}

// CheckFrames refuses what can be refused before any engine is asked: a capture
// in which two frames are the same picture is a [CaptureError] (a camera never
// gives one picture twice, a program does). A count of frames that differs from
// the count of prompts, an unknown prompt and a frame that no gate made are
// plain errors: the caller's, not the person's.
func CheckFrames(prompts []Prompt, frames []Frame) error {
	if len(frames) == 0 || len(frames) != len(prompts) {
		return fmt.Errorf("%d frames for %d prompts", len(frames), len(prompts))
	}
	for i, p := range prompts {
		if p != PromptStraight {
			return fmt.Errorf("unknown prompt %q", p)
		}
		if frames[i].IsZero() {
			return fmt.Errorf("frame %d did not come through the image gate", i)
		}
	}
	if i, equal := EqualFrames(frames); equal {
		return &CaptureError{Code: CodeImage, Reason: ReasonEqualFrames, Frame: i}
	}
	return nil
}

// Assess judges the observations of one capture and returns the descriptors of
// its straight frames in order, one per frame, for enrolment or comparison.
// Refusals of the pictures are [*CaptureError]: a frame without a face, with
// more than one (also when the second is small and far behind: whose face it is
// must not be guessed), two equal frames, or frames that do not all show one
// person. Frames, prompts and observations that do not belong together are plain
// errors.
func Assess(prompts []Prompt, frames []Frame, observations []Observation) ([]Descriptor, error) {
	err := CheckFrames(prompts, frames)
	if err != nil {
		return nil, err
	}
	if len(observations) != len(frames) {
		return nil, fmt.Errorf("%d observations of %d frames", len(observations), len(frames))
	}
	all := make([]Descriptor, len(frames))
	for i, o := range observations {
		switch len(o.Faces) {
		case 0:
			return nil, &CaptureError{Code: CodeNoFace, Frame: i}
		case 1:
			all[i] = o.Faces[0].Descriptor
		default:
			return nil, &CaptureError{Code: CodeManyFaces, Frame: i}
		}
		if !all[i].Finite() {
			return nil, fmt.Errorf("engine gave a descriptor that is not finite for frame %d", i)
		}
	}
	for i := range all {
		if !SamePerson(all[:i+1], ConsistencyLimit) {
			return nil, &CaptureError{Code: CodeQuality, Reason: ReasonDifferentPeople, Frame: i}
		}
	}
	var straight []Descriptor
	for i, p := range prompts {
		if p == PromptStraight {
			straight = append(straight, all[i])
		}
	}
	return straight, nil
}

// EqualFrames reports whether two of the frames are the same picture, and the
// index of the later one.
func EqualFrames(frames []Frame) (later int, equal bool) {
	seen := make(map[[32]byte]bool, len(frames))
	for i, f := range frames {
		if seen[f.sum] {
			return i, true
		}
		seen[f.sum] = true
	}
	return 0, false
}
