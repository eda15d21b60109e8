package biometrics

import "fmt"

// Prompt is what a person is asked to do for one frame of a capture.
type Prompt string

// PromptStraight asks to look straight into the camera. Frames of this prompt
// alone become templates and probes.
const PromptStraight Prompt = "straight"

// Valid reports whether the prompt is one that Assess can judge.
func (p Prompt) Valid() bool { return p == PromptStraight }

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
		if !p.Valid() {
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
