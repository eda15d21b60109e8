package biometrics

import (
	"math"
	"slices"
)

// repeated weighs frames that are the same to the byte. A camera has noise; but a
// slow one may be read twice before its next picture.
func repeated(faces []glimpse) float64 {
	seen := make(map[[32]byte]int)
	again := 0
	for _, g := range faces {
		if seen[g.frame] > 0 {
			again++
		}
		seen[g.frame]++
	}
	if len(faces) == 0 {
		return 0
	}
	return ramp(float64(again)/float64(len(faces)), 0.1, 0.3)
}

// still weighs frames in which nothing moves: landmarks in the same places to the
// pixel and the same picture of the face, though a camera's noise is there.
func still(faces []glimpse) float64 {
	same, pairs := 0, 0
	for i := 1; i < len(faces); i++ {
		a, b := faces[i-1], faces[i]
		if len(a.landmarks) != len(b.landmarks) {
			continue
		}
		pairs++
		moved := 0.0
		for j, p := range a.landmarks {
			d := p.Sub(b.landmarks[j])
			moved += math.Hypot(float64(d.X), float64(d.Y))
		}
		moved /= float64(len(a.landmarks)) * a.features.size
		if moved < 0.005 && a.look.differences(b.look) <= 8 {
			same++
		}
	}
	if pairs < 4 {
		return 0
	}
	return 0.9 * ramp(float64(same)/float64(pairs), 0.6, 0.9)
}

// jumps weighs movements that are faster than heads are. A single frame in which
// landmarks went astray, with those before and after it in one place, is none.
func jumps(faces []glimpse) float64 {
	count := 0.0
	for i := 1; i < len(faces); i++ {
		dt := (faces[i].at - faces[i-1].at).Seconds()
		if dt > 1 || !farther(faces[i-1], faces[i], dt) {
			continue
		}
		if i > 1 && !farther(faces[i-2], faces[i], 0) || i+1 < len(faces) && !farther(faces[i-1], faces[i+1], 0) {
			continue
		}
		count++
	}
	return ramp(count, 0.3, 3)
}

// farther reports whether a face is farther from where it was than it can come in
// that many seconds. The limits are a little ground for the noise of landmarks, and
// a speed: of the place and the logarithm of the size, in sizes of the face, and of
// the yaw.
func farther(a, b glimpse, dt float64) bool {
	place := b.features.place.sub(a.features.place).length() / a.features.size
	size := math.Abs(math.Log(b.features.size / a.features.size))
	yaw := math.Abs(b.features.pose.Yaw - a.features.pose.Yaw)
	return place > 0.5+4*dt || size > 0.2+0.8*dt || yaw > 0.25+1.5*dt
}

// window is over how many frames descriptors are averaged before they are compared
// within a capture: a single one may be off where landmarks went astray.
const window = 3

// swapped weighs a change of person. Frames of one capture lie far closer together
// than photos taken apart, so the limits are stricter than those of a comparison:
// what looks ahead in each step against the first, each frame against the one
// before it, for two who take turns, and three frames against the three before them
// in about the same pose, for a change in the middle of a turn.
func (c *Capture) swapped(faces []glimpse) float64 {
	faces = slices.DeleteFunc(slices.Clone(faces), func(g glimpse) bool { return g.Problem != nil })
	cut := 0.0
	for i := window; i+window <= len(faces); i++ {
		before, after := average(faces[i-window:i]), average(faces[i:i+window])
		if math.Abs(before.yaw-after.yaw) < 0.25 {
			cut = max(cut, Distance(before.descriptor, after.descriptor))
		}
	}
	var turns []float64
	for i := 1; i < len(faces); i++ {
		if math.Abs(faces[i].features.pose.Yaw-faces[i-1].features.pose.Yaw) < 0.15 {
			turns = append(turns, Distance(faces[i-1].descriptor, faces[i].descriptor))
		}
	}
	return max(ramp(c.apart(faces), 0.28, 0.42), ramp(median(turns), 0.25, 0.4), ramp(cut, 0.5, 0.65))
}

// apart is how far the faces that look ahead in any step, also before they do as it
// asks, are from those of the first step.
func (c *Capture) apart(faces []glimpse) (farthest float64) {
	steps := make(map[int][]glimpse)
	for _, g := range faces {
		if math.Abs(g.features.pose.Yaw) < c.rules.StraightYaw && !c.shut(g.features) && !c.open(g.features) {
			steps[g.step] = append(steps[g.step], g)
		}
	}
	if len(steps[0]) == 0 {
		return 0
	}
	first := average(steps[0])
	for _, s := range steps {
		if len(s) > 1 {
			farthest = max(farthest, Distance(first.descriptor, average(s).descriptor))
		}
	}
	return farthest
}

type averaged struct {
	descriptor Descriptor
	yaw        float64
}

// average is the mean of some frames, of which there is one at least.
func average(faces []glimpse) (a averaged) {
	a.descriptor, _ = Mean(descriptors(faces))
	for _, g := range faces {
		a.yaw += g.features.pose.Yaw / float64(len(faces))
	}
	return a
}
