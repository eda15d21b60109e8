package biometrics_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/biometricstest"
)

var straight = []biometrics.Prompt{biometrics.PromptStraight, biometrics.PromptStraight, biometrics.PromptStraight}

func seenIn(t *testing.T, frames []biometrics.Frame) []biometrics.Observation {
	t.Helper()
	seen, err := biometricstest.Read(frames)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestAssess(t *testing.T) {
	t.Parallel()
	frame := func(shot int, people ...int) biometrics.Frame { return biometricstest.Frame(t, shot, people...) }
	for name, test := range map[string]struct {
		frames []biometrics.Frame
		want   *biometrics.CaptureError
	}{
		"one person":       {[]biometrics.Frame{frame(1, 7), frame(2, 7), frame(3, 7)}, nil},
		"no face":          {[]biometrics.Frame{frame(1, 7), frame(2), frame(3, 7)}, &biometrics.CaptureError{Code: biometrics.CodeNoFace, Frame: 1}},
		"two faces":        {[]biometrics.Frame{frame(1, 7), frame(2, 7), frame(3, 7, 8)}, &biometrics.CaptureError{Code: biometrics.CodeManyFaces, Frame: 2}},
		"one frame twice":  {[]biometrics.Frame{frame(1, 7), frame(2, 7), frame(1, 7)}, &biometrics.CaptureError{Code: biometrics.CodeImage, Reason: biometrics.ReasonEqualFrames, Frame: 2}},
		"another in turn":  {[]biometrics.Frame{frame(1, 7), frame(2, 8), frame(3, 7)}, &biometrics.CaptureError{Code: biometrics.CodeQuality, Reason: biometrics.ReasonDifferentPeople, Frame: 1}},
		"another at last":  {[]biometrics.Frame{frame(1, 7), frame(2, 7), frame(3, 8)}, &biometrics.CaptureError{Code: biometrics.CodeQuality, Reason: biometrics.ReasonDifferentPeople, Frame: 2}},
		"empty picture x2": {[]biometrics.Frame{frame(1), frame(2), frame(3)}, &biometrics.CaptureError{Code: biometrics.CodeNoFace, Frame: 0}},
	} {
		got, err := biometrics.Assess(straight, test.frames, seenIn(t, test.frames))
		if test.want == nil {
			if err != nil || len(got) != 3 || got[1] != biometricstest.Descriptor(7, 2) {
				t.Errorf("%s: %d descriptors, %v", name, len(got), err)
			}
			continue
		}
		refused, ok := err.(*biometrics.CaptureError)
		if !ok || got != nil {
			t.Errorf("%s: %d descriptors, %v; want %v", name, len(got), err, test.want)
			continue
		}
		if diff := cmp.Diff(test.want, refused); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestAssessMisused: what is not the person's doing is no CaptureError.
func TestAssessMisused(t *testing.T) {
	t.Parallel()
	frames := []biometrics.Frame{biometricstest.Frame(t, 1, 7), biometricstest.Frame(t, 2, 7), biometricstest.Frame(t, 3, 7)}
	seen := seenIn(t, frames)
	broken := seenIn(t, frames)
	broken[1].Faces[0].Descriptor[9] = float32(math.NaN())
	for name, test := range map[string]struct {
		prompts []biometrics.Prompt
		frames  []biometrics.Frame
		seen    []biometrics.Observation
	}{
		"no frames":        {nil, nil, nil},
		"fewer frames":     {straight, frames[:2], seen[:2]},
		"fewer seen":       {straight, frames, seen[:2]},
		"unknown prompt":   {[]biometrics.Prompt{"straight", "wink", "straight"}, frames, seen},
		"not by the gate":  {straight, []biometrics.Frame{frames[0], {}, frames[2]}, seen},
		"NaN by an engine": {straight, frames, broken},
	} {
		got, err := biometrics.Assess(test.prompts, test.frames, test.seen)
		_, isCapture := err.(*biometrics.CaptureError)
		if err == nil || isCapture || got != nil {
			t.Errorf("%s: %d descriptors, %v", name, len(got), err)
		}
	}
}
