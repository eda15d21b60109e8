package biometrics

import (
	"fmt"
	"time"
)

// Rules are the limits by which frames and captures are judged. Lengths are
// pixels, luma is 0 to 255, yaw is the proxy of [Pose].
type Rules struct {
	// Of one frame. The face is cut out along its box and scaled to 112 pixels
	// across before it is measured.

	FacePixels       int     // least width of the box
	Sharpness        float64 // least variance of the Laplacian
	LumaMin, LumaMax float64 // of the mean
	Contrast         float64 // least standard deviation of the luma

	// Of the poses.

	StraightYaw float64 // at most this is straight
	TurnedYaw   float64 // at least this is turned
	TooFarYaw   float64 // beyond this the face is asked back
	EyesOpen    float64 // least height of an open eye over its width for a blink to be asked for
	EyesShut    float64 // share of the open eye's height at which it is shut, in one frame
	EyesKept    float64 // the same of the mean of three frames, for eyes that are kept shut
	MouthOpen   float64 // gap of the lips, as a share of the eyes' distance, above what it is at rest

	// Of time. A reply to a prompt can't be judged before a person could react.

	Setup    time.Duration // for the first straight frames, while light and place are being found
	Reach    time.Duration // from a prompt to the end of its pose's hold
	Reaction time.Duration // after a prompt, within which the old pose isn't held against anybody
	Lost     time.Duration // longest stretch without a face that isn't held against anybody
	Colour   time.Duration // one colour of the flash; above 334 ms, so that at most three change in a second (WCAG 2.3.1)

	// AttackThreshold is the score above which a capture counts as an attack.
	AttackThreshold float64
}

// DefaultRules are the limits that docs/face-liveness.md was measured with.
func DefaultRules() Rules {
	return Rules{
		FacePixels:  100,
		Sharpness:   20,
		LumaMin:     60,
		LumaMax:     190,
		Contrast:    25,
		StraightYaw: 0.2,
		TurnedYaw:   0.33,
		TooFarYaw:   0.9,
		EyesOpen:    0.2,
		EyesShut:    0.66,
		EyesKept:    0.78,
		MouthOpen:   0.12,
		Setup:       30 * time.Second,
		Reach:       6 * time.Second,
		Reaction:    1200 * time.Millisecond,
		Lost:        1500 * time.Millisecond,
		Colour:      600 * time.Millisecond,

		AttackThreshold: 0.5,
	}
}

// Check reports the first limit that makes no sense.
func (r Rules) Check() error {
	for _, limit := range []struct {
		name     string
		value    float64
		min, max float64
	}{
		{"face pixels", float64(r.FacePixels), 40, 1000},
		{"sharpness", r.Sharpness, 0, 10000},
		{"least luma", r.LumaMin, 0, 255},
		{"greatest luma", r.LumaMax, r.LumaMin, 255},
		{"contrast", r.Contrast, 0, 127},
		{"straight yaw", r.StraightYaw, 0.05, 1},
		{"turned yaw", r.TurnedYaw, r.StraightYaw, 1},
		{"yaw that is too far", r.TooFarYaw, r.TurnedYaw, 2},
		{"eyes open", r.EyesOpen, 0, 1},
		{"eyes shut", r.EyesShut, 0.1, 1},
		{"eyes kept shut", r.EyesKept, 0.1, 1},
		{"mouth open", r.MouthOpen, 0.01, 1},
		{"seconds of setup", r.Setup.Seconds(), 1, 300},
		{"seconds to reach a pose", r.Reach.Seconds(), 1, 60},
		{"seconds to react", r.Reaction.Seconds(), 0, r.Reach.Seconds()},
		{"seconds without a face", r.Lost.Seconds(), 0, 60},
		{"seconds of a colour", r.Colour.Seconds(), 0.334, 5},
		{"attack threshold", r.AttackThreshold, 0, 1},
	} {
		if !(limit.value >= limit.min && limit.value <= limit.max) {
			return fmt.Errorf("face rules: %s is %v, not between %v and %v", limit.name, limit.value, limit.min, limit.max)
		}
	}
	return nil
}
