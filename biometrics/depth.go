package biometrics

import "math"

// flatness weighs whether the face turned like a picture. Between looking straight
// and looking aside, the tip of a real nose leaves the line from the bridge to the
// lips, in proportion to the turn: a plane keeps lines straight however it is
// tilted, and so does one bent around an upright cylinder. And a head reaches its
// yaw while the eyes hardly come closer together; a plane has to be tilted far.
func (c *Capture) flatness(faces []glimpse) float64 {
	if !c.rest.known {
		return 0
	}
	var relief, turns, narrow float64
	n := 0
	for _, g := range faces {
		p := c.script.Steps[g.step].Prompt
		if !g.fits || !p.Turn() || c.open(g.features) {
			continue
		}
		yaw := g.features.pose.Yaw - c.rest.yaw
		relief += (g.features.relief - c.rest.relief) * yaw
		turns += yaw * yaw
		expected := 1 / math.Sqrt(1+yaw*yaw/(0.9*0.9))
		narrow += g.features.width / c.rest.width / expected
		n++
	}
	if n == 0 {
		return 0
	}
	if len(faces[0].landmarks) != 68 {
		// The height from eyes to nose changes with every nod.
		return 1 - ramp(narrow/float64(n), 0.7, 0.82)
	}
	return max(1-ramp(narrow/float64(n), 0.85, 0.92), 1-ramp(relief/turns, 0.12, 0.22))
}
