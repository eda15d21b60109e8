package biometrics

import (
	"image"
	"math"
	"slices"
	"testing"
	"time"
)

// reel is frames of one face, five a second, of somebody who sits still; change
// says what is otherwise in each.
func reel(n int, change func(i int, g *glimpse)) []glimpse {
	out := make([]glimpse, n)
	for i := range out {
		g := &out[i]
		g.one, g.fits = true, true
		g.at = time.Duration(i) * 200 * time.Millisecond
		g.features = features{size: 50, width: 1.8, place: point{240, 150}}
		g.frame[0] = byte(i)
		g.descriptor[0], g.descriptor[1] = 0.6, 0.02*float32(i%3)
		g.colour = [3]float64{150, 120, 100}
		if change != nil {
			change(i, g)
		}
	}
	return out
}

func TestRepeated(t *testing.T) {
	t.Parallel()
	if got := repeated(reel(30, nil)); got != 0 {
		t.Errorf("all different: %v", got)
	}
	slow := reel(30, func(i int, g *glimpse) { g.frame[0] = byte(max(i, 10)) })
	if got := repeated(slow[8:12]); got != 0.75 && got > 1 {
		t.Errorf("a camera that stalled: %v", got)
	}
	if got := repeated(reel(30, func(i int, g *glimpse) { g.frame[0] = byte(i % 15) })); got != 1 {
		t.Errorf("a loop of 15 frames: %v, want 1", got)
	}
	if got := repeated(nil); got != 0 {
		t.Errorf("nothing: %v", got)
	}
}

func TestJumps(t *testing.T) {
	t.Parallel()
	turn := func(i int, g *glimpse) { // a quick turn: 0.9 in six frames
		g.features.pose.Yaw = min(0.15*float64(i), 0.9)
		g.features.place.x += 5 * min(float64(i), 6)
	}
	if got := jumps(reel(20, turn)); got != 0 {
		t.Errorf("a quick turn: %v", got)
	}
	if got := jumps(reel(20, func(i int, g *glimpse) {
		if i == 10 {
			g.features.pose.Yaw, g.features.size = 1.2, 80
		}
	})); got != 0 {
		t.Errorf("landmarks astray in one frame: %v", got)
	}
	for name, cut := range map[string]func(g *glimpse){
		"yaw":   func(g *glimpse) { g.features.pose.Yaw = 0.8 },
		"place": func(g *glimpse) { g.features.place.x += 100 },
		"size":  func(g *glimpse) { g.features.size *= 1.6 },
	} {
		if got := jumps(reel(20, func(i int, g *glimpse) {
			if i/5%2 == 1 {
				cut(g)
			}
		})); got < 0.9 {
			t.Errorf("three cuts in the %s: %v", name, got)
		}
	}
}

func TestSwapped(t *testing.T) {
	t.Parallel()
	c := NewCapture(Script{Mode: ModeActive, Steps: make([]Step, 4)}, DefaultRules())
	swapped := func(faces []glimpse) float64 { return c.swapped(faces) }
	if got := swapped(reel(40, nil)); got != 0 {
		t.Errorf("one person: %v", got)
	}
	// Half a unit away, as near as people of one group are to each other.
	other := func(g *glimpse) { g.descriptor[0], g.descriptor[50] = 0.4, 0.45 }
	if got := swapped(reel(40, func(i int, g *glimpse) {
		g.step = i / 10
		if g.step == 2 {
			other(g)
		}
	})); got < 0.6 {
		t.Errorf("another person in one step: %v", got)
	}
	if got := swapped(reel(40, func(i int, g *glimpse) {
		if i%2 == 1 {
			other(g)
		}
	})); got < 0.6 {
		t.Errorf("two people by turns: %v", got)
	}
}

func TestFlatness(t *testing.T) {
	t.Parallel()
	c := NewCapture(Script{Mode: ModeActive, Steps: []Step{{Prompt: PromptStraight}, {Prompt: PromptLeft}}}, DefaultRules())
	c.rest = rest{known: true, width: 1.8}
	turned := func(yaw, relief, width float64) []glimpse {
		return reel(5, func(_ int, g *glimpse) {
			g.step, g.landmarks = 1, nil
			g.landmarks = append(g.landmarks, make([]image.Point, 68)...)
			g.features.pose.Yaw, g.features.relief, g.features.width = yaw, relief, width
		})
	}
	head := turned(0.5, 0.18, 1.8*0.9)
	if got := c.flatness(head); got != 0 {
		t.Errorf("a head: %v", got)
	}
	if got := c.flatness(turned(0.5, 0.01, 1.8*0.9)); got != 1 {
		t.Errorf("a sheet in perspective: %v, want 1", got)
	}
	if got := c.flatness(turned(0.5, 0.18, 1.8*0.5)); got != 1 {
		t.Errorf("a sheet tilted far: %v, want 1", got)
	}
	// With five landmarks the nose's relief is not to be had.
	five := turned(0.5, 0, 1.8*0.9)
	for i := range five {
		five[i].landmarks = five[i].landmarks[:5]
	}
	if got := c.flatness(five); got != 0 {
		t.Errorf("five landmarks of a head: %v", got)
	}
	if got := c.flatness(reel(5, nil)); got != 0 {
		t.Errorf("nobody turned: %v", got)
	}
}

func TestFlash(t *testing.T) {
	t.Parallel()
	colours := []string{"#ff9000", "#3060ff", "#00ff60", "#ff40ff", "#00e0ff"}
	c := NewCapture(Script{Mode: ModeActiveFlash, Steps: []Step{{Prompt: PromptStraight}}, Colours: colours}, DefaultRules())
	c.completed = true
	shown := func(i int) string { return colours[min(max(i, 0)/3, 4)] }
	for lag := range 4 {
		got := c.flashIgnored(reel(20, func(i int, g *glimpse) {
			g.color = shown(i)
			s := shine(shown(i - lag))
			// Five hundredths of the light are the screen's, and the camera drifts.
			g.colour = [3]float64{150 * (1 + 0.05*s.x), 120, 100 * (1 + 0.05*s.y) * (1 + 0.001*float64(i))}
		}))
		if got > 0.01 {
			t.Errorf("a face that follows %d frames late: %v", lag, got)
		}
	}
	for name, colour := range map[string]func(i int) [3]float64{
		"nothing":        func(int) [3]float64 { return [3]float64{150, 120, 100} },
		"exposure alone": func(i int) [3]float64 { k := 1 + 0.05*float64(i%3); return [3]float64{150 * k, 120 * k, 100 * k} },
		"another's flash": func(i int) [3]float64 {
			s := shine(colours[4-min(i/3, 4)])
			return [3]float64{150 * (1 + 0.05*s.x), 120, 100 * (1 + 0.05*s.y)}
		},
	} {
		if got := c.flashIgnored(reel(20, func(i int, g *glimpse) { g.color, g.colour = shown(i), colour(i) })); got < 0.6 {
			t.Errorf("%s follows: %v", name, got)
		}
	}
}

// TestMoire: a pattern of a screen stands out of noise, whatever its direction, and
// a pattern of waves as long as a face's features doesn't count.
func TestMoire(t *testing.T) {
	t.Parallel()
	src := noisePlane(200, 200)
	for i, v := range src.pix {
		src.pix[i] = 110 + v/12 // noise of some six levels
	}
	box := image.Rect(20, 20, 180, 180)
	plain := moire(src, box)
	for _, wave := range []point{{0.31, 0.05}, {0.04, 0.2}, {0.2, 0.2}} {
		screen := plane{slices.Clone(src.pix), 200, 200, 200}
		for y := range 200 {
			for x := range 200 {
				screen.pix[y*200+x] += uint8(8 + 8*math.Sin(2*math.Pi*(wave.x*float64(x)+wave.y*float64(y))))
			}
		}
		if got := moire(screen, box); got < plain+1 {
			t.Errorf("pattern %v: %.2f, without it %.2f", wave, got, plain)
		}
	}
	slow := plane{slices.Clone(src.pix), 200, 200, 200}
	for y := range 200 {
		for x := range 200 {
			slow.pix[y*200+x] += uint8(40 + 40*math.Sin(2*math.Pi*float64(x)/25))
		}
	}
	if got := moire(slow, box); got > plain+0.5 {
		t.Errorf("waves of 25 pixels: %.2f, without them %.2f", got, plain)
	}
	if got := moire(noisePlane(40, 200), image.Rect(0, 0, 40, 40)); got != 0 {
		t.Errorf("a picture too small: %v", got)
	}
}

func TestBorder(t *testing.T) {
	t.Parallel()
	room := func(edges int) plane {
		p := noisePlane(480, 360)
		for i := range p.pix {
			p.pix[i] = 120 + p.pix[i]/64
		}
		dark := func(x0, y0, x1, y1 int) {
			for y := y0; y < y1; y++ {
				for x := x0; x < x1; x++ {
					p.pix[y*480+x] = 20
				}
			}
		}
		for i, side := range [][4]int{{60, 0, 90, 360}, {400, 0, 430, 360}, {0, 10, 480, 30}, {0, 330, 480, 350}} {
			if i < edges {
				dark(side[0], side[1], side[2], side[3])
			}
		}
		return p
	}
	for edges := range 5 {
		if got := border(room(edges), image.Rect(170, 110, 310, 250)); got != edges {
			t.Errorf("%d edges: counted %d", edges, got)
		}
	}
}
