package biometrics

import (
	"math"
	"slices"
	"time"
)

// Attack is what speaks against a live person in front of the camera.
type Attack struct {
	// Score is 0 for nothing at all up to 1. Each sign adds to it as if they were
	// independent: 1 minus the product of what each leaves.
	Score float64
	// Reasons are the signs that added, for the audit, the strongest first.
	Reasons []Sign
}

// Sign is the stable name of something that speaks for an attack.
type Sign string

// The signs. Passive are those that show in frames of somebody who was asked for
// nothing but to look straight.
const (
	SignRepeated Sign = "repeated_frames" // passive: the same file again
	SignStill    Sign = "still_picture"   // passive: a face in which nothing moves
	SignJump     Sign = "jump"            // passive: the face is elsewhere, or turned otherwise, than it can be so soon
	SignSwapped  Sign = "swapped_person"  // passive: not the same person throughout
	SignScreen   Sign = "screen"          // passive: a regular pattern, or edges around the face
	SignWrong    Sign = "wrong_pose"      // held a pose that was not asked for
	SignFlat     Sign = "flat"            // turned like a picture, not like a head
	SignFlash    Sign = "flash_ignored"   // the face's colour didn't follow the screen's
	SignSlow     Sign = "too_slow"        // the script was not followed in time; not scored, for it decides by itself
)

// weight is a sign with how much it speaks for an attack, 0 to 1.
type weight struct {
	sign  Sign
	value float64
}

// attack judges everything that was seen.
func (c *Capture) attack() Attack {
	if c.script.Mode == ModeOff {
		return Attack{}
	}
	faces := slices.DeleteFunc(slices.Clone(c.seen), func(g glimpse) bool { return !g.one })
	weights := []weight{
		{SignRepeated, repeated(faces)},
		{SignStill, still(faces)},
		{SignJump, jumps(faces)},
		{SignSwapped, c.swapped(faces)},
		{SignScreen, onScreen(faces)},
	}
	if c.script.Mode.Active() {
		weights = append(weights,
			weight{SignWrong, c.wrongPoses()},
			weight{SignFlat, c.flatness(faces)},
			weight{SignFlash, c.flashIgnored(faces)},
		)
	}
	slices.SortStableFunc(weights, func(a, b weight) int {
		switch {
		case a.value > b.value:
			return -1
		case a.value < b.value:
			return 1
		}
		return 0
	})
	var a Attack
	left := 1.0
	for _, w := range weights {
		if w.value > 0.05 {
			left *= 1 - w.value
			a.Reasons = append(a.Reasons, w.sign)
		}
	}
	a.Score = 1 - left
	if c.script.Mode.Active() && !c.completed {
		a.Reasons = append(a.Reasons, SignSlow)
	}
	return a
}

// ramp is 0 up to low, 1 from high on, and linear between.
func ramp(v, low, high float64) float64 {
	return min(max((v-low)/(high-low), 0), 1)
}

// wrongPoses weighs the time in which a turn was held that was not asked for, once
// a person could have reacted. Turning to the wrong side at first and correcting it
// is what people do; a recording goes on.
func (c *Capture) wrongPoses() float64 {
	var wrong time.Duration
	for i, g := range c.seen {
		if i == 0 || !g.one || g.step == 0 || g.after < c.rules.Reaction {
			continue
		}
		yaw := g.features.pose.Yaw
		if p := c.script.Steps[g.step].Prompt; p == PromptLeft && yaw > 0 || p == PromptRight && yaw < 0 {
			continue
		}
		if math.Abs(yaw) >= c.rules.TurnedYaw {
			wrong += min(g.at-c.seen[i-1].at, longestGap)
		}
	}
	return ramp(wrong.Seconds(), 0.5, 2)
}

// onScreen weighs regular patterns in the face and edges around it, of frames that
// look ahead: those of the middle one, so that a single frame decides nothing.
func onScreen(faces []glimpse) float64 {
	var patterns, sides []float64
	for _, g := range faces {
		if g.Problem == nil {
			patterns, sides = append(patterns, g.moire), append(sides, float64(g.border))
		}
	}
	pattern := ramp(median(patterns), 2.1, 2.8)
	return 1 - (1-0.9*pattern)*(1-0.2*ramp(median(sides), 2, 3))
}
