package biometrics

import (
	"math"
	"slices"
	"time"
)

// maxFrames bounds what one capture remembers: a minute at five a second.
const maxFrames = 300

// leastStraight is how many frames a straight look has at least, however slowly they
// come.
const leastStraight = 3

// longestGap is how much time one frame stands for at most.
const longestGap = 400 * time.Millisecond

// Capture directs a person through a script and remembers what it saw. It trusts
// nothing but the frames and the caller's clock. It is not safe for concurrent use.
type Capture struct {
	script Script
	rules  Rules
	seen   []glimpse
	rest   rest

	step    int
	shown   time.Duration // when the prompt of this step was
	holding bool
	since   time.Duration // when the hold began, while holding
	fitted  time.Duration // the last frame of it that fitted
	frames  int           // of it that fitted

	done, completed bool
}

// glimpse is one frame in its place.
type glimpse struct {
	Sight
	at    time.Duration
	step  int           // the step that was asked for
	after time.Duration // since its prompt
	fits  bool          // showed the pose asked for
	color string        // what the screen was told to show before this frame
}

// rest is a face at rest, the median of the first straight frames, against which
// eyes and lips are judged.
type rest struct {
	known              bool
	eyes, mouth        float64
	yaw, width, relief float64
}

// NewCapture begins a capture at time 0. A script without steps is done at once.
func NewCapture(script Script, rules Rules) *Capture {
	return &Capture{script: script, rules: rules, done: len(script.Steps) == 0}
}

// Begin is the first cue.
func (c *Capture) Begin() Cue { return c.cue(0, HintNone) }

// Add takes what was seen in the frame that arrived at this time since the
// beginning, by the server's clock, and says what to tell the person next. After a
// cue that is done frames are ignored.
func (c *Capture) Add(at time.Duration, s Sight) Cue {
	if c.done {
		return c.cue(at, HintNone)
	}
	if n := len(c.seen); n > 0 {
		at = max(at, c.seen[n-1].at)
	}
	step := c.script.Steps[c.step]
	g := glimpse{Sight: s, at: at, step: c.step, after: at - c.shown, color: c.color(c.lastTime())}
	g.fits = s.Problem == nil && c.fits(step.Prompt, s.features)
	c.seen = append(c.seen, g)

	hint := c.advance(at, step, g)
	limit := c.rules.Reach + step.Hold + c.flashTime()
	if c.step == 0 {
		limit = c.rules.Setup
	}
	if !c.done && (at-c.shown > limit || len(c.seen) >= maxFrames) {
		c.done = true
	}
	return c.cue(at, hint)
}

// advance goes on to the next step when this one is fulfilled, else says what is
// amiss.
func (c *Capture) advance(at time.Duration, step Step, g glimpse) Hint {
	if !g.fits {
		// A frame that went astray, or a natural blink, doesn't end a hold.
		if c.holding && at-c.fitted > longestGap {
			c.holding = false
		}
		return c.hint(step.Prompt, g)
	}
	if !c.holding {
		c.holding, c.since, c.frames = true, at, 0
	}
	c.fitted = at
	c.frames++
	// With the flash the colours must have been gone through, and the last of them
	// seen.
	if at-c.since < step.Hold || at-c.shown < c.flashTime() || step.Prompt == PromptStraight && c.frames < leastStraight {
		return HintNone
	}
	if c.step == 0 {
		c.rest = c.atRest()
		if c.rest.eyes < c.rules.EyesOpen {
			c.script = c.script.withoutBlink()
		}
	}
	c.step++
	c.shown, c.holding = at, false
	if c.step == len(c.script.Steps) {
		c.done, c.completed = true, true
	}
	return HintNone
}

// flashTime is how long the colours of this step take.
func (c *Capture) flashTime() time.Duration {
	if c.step != len(c.script.Steps)-1 || len(c.script.Colours) == 0 {
		return 0
	}
	return time.Duration(len(c.script.Colours)) * c.rules.Colour
}

// color is what the screen shows at a time.
func (c *Capture) color(at time.Duration) string {
	if c.step != len(c.script.Steps)-1 || c.rules.Colour <= 0 {
		return ""
	}
	i := int((at - c.shown) / c.rules.Colour)
	if i < 0 || i >= len(c.script.Colours) {
		return ""
	}
	return c.script.Colours[i]
}

func (c *Capture) lastTime() time.Duration {
	if len(c.seen) == 0 {
		return 0
	}
	return c.seen[len(c.seen)-1].at
}

func (c *Capture) cue(at time.Duration, hint Hint) Cue {
	cue := Cue{Step: c.step, Steps: len(c.script.Steps), Hint: hint, Done: c.done}
	if !c.done {
		cue.Prompt = c.script.Steps[c.step].Prompt
		cue.Color = c.color(at)
	}
	return cue
}

// fits reports whether a face does what the prompt asks.
func (c *Capture) fits(p Prompt, f features) bool {
	r := c.rules
	straight := math.Abs(f.pose.Yaw) <= r.StraightYaw
	// A pose that was reached may come back a little while it is held.
	turned := r.TurnedYaw
	if c.holding {
		turned -= 0.05
	}
	switch p {
	case PromptLeft:
		return f.pose.Yaw >= turned && f.pose.Yaw <= r.TooFarYaw
	case PromptRight:
		return f.pose.Yaw <= -turned && f.pose.Yaw >= -r.TooFarYaw
	case PromptBlink:
		return (c.shut(f) || c.keptShut(f)) && math.Abs(f.pose.Yaw) < r.TurnedYaw
	case PromptMouth:
		return c.open(f) && math.Abs(f.pose.Yaw) < r.TurnedYaw
	default:
		return straight && !c.shut(f) && !c.open(f)
	}
}

func (c *Capture) shut(f features) bool {
	return c.rest.known && f.eyes < c.rules.EyesShut*c.rest.eyes
}

// keptShut looks at the two frames before this one as well: eyes that are narrow to
// begin with change less than landmarks waver in one frame.
func (c *Capture) keptShut(f features) bool {
	if !c.rest.known || len(c.seen) < 2 {
		return false
	}
	sum := f.eyes
	for _, g := range c.seen[len(c.seen)-2:] {
		if g.Problem != nil || g.step != c.step {
			return false
		}
		sum += g.features.eyes
	}
	return sum/3 < c.rules.EyesKept*c.rest.eyes
}

func (c *Capture) open(f features) bool {
	return c.rest.known && f.mouth > c.rest.mouth+c.rules.MouthOpen
}

// hint says what is amiss with a frame that doesn't do what was asked. That a pose
// isn't there yet is said only once there was time for it.
func (c *Capture) hint(p Prompt, g glimpse) Hint {
	if g.Problem != nil {
		hint := hintOf(g.Problem)
		if hint == HintNoFace && c.faceUntil(time.Second) {
			if p.Turn() {
				return HintTurnLess // turned out of the detector's sight
			}
			return HintUncover
		}
		return hint
	}
	if c.step > 0 && g.after < c.rules.Reaction {
		return HintNone
	}
	yaw := g.features.pose.Yaw
	if p == PromptRight {
		yaw = -yaw
	}
	switch {
	case !p.Turn():
		if math.Abs(yaw) > c.rules.StraightYaw {
			return HintStraight
		}
		return HintNone
	case yaw > c.rules.TooFarYaw:
		return HintTurnLess
	case yaw < -c.rules.StraightYaw:
		return HintOtherSide
	}
	return HintTurnMore
}

// faceUntil reports whether there was a face shortly before the last frame.
func (c *Capture) faceUntil(ago time.Duration) bool {
	return slices.ContainsFunc(c.seen, func(g glimpse) bool { return g.one && c.lastTime()-g.at <= ago })
}

// atRest is the median of the frames that fitted the first step.
func (c *Capture) atRest() rest {
	var eyes, mouth, yaw, width, relief []float64
	for _, g := range c.seen {
		if !g.fits {
			continue
		}
		eyes, mouth = append(eyes, g.features.eyes), append(mouth, g.features.mouth)
		yaw, width = append(yaw, g.features.pose.Yaw), append(width, g.features.width)
		relief = append(relief, g.features.relief)
	}
	return rest{true, median(eyes), median(mouth), median(yaw), median(width), median(relief)}
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}
