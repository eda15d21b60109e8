package biometrics

import (
	"math"
	"strconv"
)

// flashIgnored weighs whether the face's colour failed to follow the screen's.
// Compared are logarithms of red and blue over green, which exposure leaves alone,
// as differences from frame to frame, which white balance that drifts hardly
// touches. The screen and the camera lag behind what was asked for by up to three
// frames: the best lag counts.
func (c *Capture) flashIgnored(faces []glimpse) float64 {
	if len(c.script.Colours) == 0 {
		return 0
	}
	var frames []glimpse
	for _, g := range faces {
		if g.step == len(c.script.Steps)-1 {
			frames = append(frames, g)
		}
	}
	// A script that didn't come so far is judged by that.
	if !c.completed || len(frames) < 8 {
		return 0
	}
	best := -1.0
	for lag := range 4 {
		best = max(best, following(frames, lag))
	}
	return 0.9 * (1 - ramp(best, 0.45, 0.75))
}

// following is the correlation of changes of the face's hue with those of the
// screen's, so many frames earlier.
func following(frames []glimpse, lag int) float64 {
	var both, face, screen float64
	for i := lag + 1; i < len(frames); i++ {
		f := hue(frames[i].colour).sub(hue(frames[i-1].colour))
		s := shine(frames[i-lag].color).sub(shine(frames[i-lag-1].color))
		both += f.dot(s)
		face += f.dot(f)
		screen += s.dot(s)
	}
	if face == 0 || screen == 0 {
		return 0
	}
	return both / math.Sqrt(face*screen)
}

func hue(rgb [3]float64) point {
	g := math.Log(rgb[1] + 1)
	return point{math.Log(rgb[0]+1) - g, math.Log(rgb[2]+1) - g}
}

// shine is how much more red and blue than green a colour of the screen adds to the
// light on the face.
func shine(color string) point {
	v, err := strconv.ParseUint(color[min(len(color), 1):], 16, 32)
	if err != nil {
		return point{} // the screen's usual look
	}
	r, g, b := float64(v>>16&255), float64(v>>8&255), float64(v&255)
	return point{(r - g) / 255, (b - g) / 255}
}
