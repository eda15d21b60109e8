package biometrics

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"time"
)

// Mode is how a capture looks for attacks.
type Mode string

// The modes, from the weakest on.
const (
	ModeOff         Mode = "off"          // straight frames, not judged
	ModePassive     Mode = "passive"      // straight frames, judged by what can be seen in them
	ModeActive      Mode = "active"       // a random script of poses besides
	ModeActiveFlash Mode = "active+flash" // and random colours, unless the person asked for no flicker
)

// Valid reports whether the mode is one of the above.
func (m Mode) Valid() bool {
	return slices.Contains([]Mode{ModeOff, ModePassive, ModeActive, ModeActiveFlash}, m)
}

// Active reports whether the mode has a script of poses.
func (m Mode) Active() bool { return m == ModeActive || m == ModeActiveFlash }

// Step is one prompt and how long its pose is to be held. A blink is not held:
// whoever has their eyes shut can't see when to open them.
type Step struct {
	Prompt Prompt        `json:"prompt"`
	Hold   time.Duration `json:"hold"` // in nanoseconds
}

// Script is what one capture asks for. It is drawn by the server and revealed one
// prompt at a time.
type Script struct {
	Mode  Mode   `json:"mode"`
	Steps []Step `json:"steps"`
	// Colours are shown one after the other while the last step is held, each for
	// Rules.Colour, as "#rrggbb". Empty without the flash.
	Colours []string `json:"colours,omitempty"`
}

// Prompts drawn at random between the first and the last straight look, and
// colours of a flash. With 68 landmarks there are 240 orders of prompts, with five
// there are 16: see Orders.
const (
	drawn        = 4
	flashColours = 5
)

// hues are told apart by hue, for a screen's brightness drowns in the room's
// light sooner than its hue does. Full red is not in it: saturated red flashes are
// the ones that provoke seizures (WCAG 2.3.1).
var hues = []string{"#ff9000", "#00ff60", "#3060ff", "#ff40ff", "#00e0ff"}

// Holds are drawn from these; a multiple of a frame's time at five a second.
const (
	minHold    = 600 * time.Millisecond
	holdChoice = 4
	holdStep   = 200 * time.Millisecond
	calmHold   = time.Second // of the straight looks at both ends, where templates and probes come from
	watchHold  = 2 * time.Second
)

// NewScript draws a script. landmarks is how many points the engine gives: blink
// and mouth need 68. flash is asked for by the mode and granted unless the person
// prefers reduced motion. An error is a mode or a number of landmarks that there
// isn't, or that of random.
func NewScript(mode Mode, landmarks int, flash bool, random io.Reader) (Script, error) {
	if !mode.Valid() {
		return Script{}, fmt.Errorf("liveness mode %q is none", mode)
	}
	if landmarks != 68 && landmarks != 5 {
		return Script{}, fmt.Errorf("%d landmarks, neither 68 nor 5", landmarks)
	}
	script := Script{Mode: mode, Steps: []Step{{PromptStraight, calmHold}}}
	if mode == ModePassive {
		script.Steps[0].Hold = watchHold
	}
	if !mode.Active() {
		return script, nil
	}
	dice := dice{random: random}
	orders := Orders(landmarks)
	for _, p := range orders[dice.roll(len(orders))] {
		step := Step{Prompt: p}
		if p != PromptBlink {
			step.Hold = minHold + time.Duration(dice.roll(holdChoice))*holdStep
		}
		script.Steps = append(script.Steps, step)
	}
	if last := &script.Steps[len(script.Steps)-1]; last.Prompt == PromptStraight {
		last.Hold = calmHold
	} else {
		script.Steps = append(script.Steps, Step{PromptStraight, calmHold})
	}
	if mode == ModeActiveFlash && flash {
		for before := -1; len(script.Colours) < flashColours; {
			i := dice.roll(len(hues))
			if i != before {
				script.Colours = append(script.Colours, hues[i])
			}
			before = i
		}
	}
	return script, dice.err
}

// withoutBlink asks for something else where it asked to blink, for eyes so narrow,
// or so far screwed up, that landmarks don't show them shut.
func (s Script) withoutBlink() Script {
	s.Steps = slices.Clone(s.Steps)
	for i := range s.Steps {
		if s.Steps[i].Prompt != PromptBlink {
			continue
		}
		for _, p := range []Prompt{PromptMouth, PromptLeft, PromptRight} {
			if (i == 0 || p != s.Steps[i-1].Prompt) && (i+1 == len(s.Steps) || p != s.Steps[i+1].Prompt) {
				s.Steps[i] = Step{p, minHold}
				break
			}
		}
	}
	return s
}

// Orders are the sequences of prompts that a script is drawn from, all equally
// likely, without the straight looks at both ends: no prompt twice in a row, and a
// turn in each, since only a turn tells a head from a flat picture.
func Orders(landmarks int) [][]Prompt {
	prompts := []Prompt{PromptStraight, PromptLeft, PromptRight}
	if landmarks == 68 {
		prompts = append(prompts, PromptBlink, PromptMouth)
	}
	orders := [][]Prompt{nil}
	for range drawn {
		var longer [][]Prompt
		for _, order := range orders {
			before := PromptStraight
			if len(order) > 0 {
				before = order[len(order)-1]
			}
			for _, p := range prompts {
				if p != before {
					longer = append(longer, append(slices.Clone(order), p))
				}
			}
		}
		orders = longer
	}
	return slices.DeleteFunc(orders, func(order []Prompt) bool {
		return !slices.ContainsFunc(order, Prompt.Turn)
	})
}

// dice draws numbers without bias and remembers when randomness ran out.
type dice struct {
	random io.Reader
	err    error
}

func (d *dice) roll(n int) int {
	limit := uint64(1<<32) / uint64(n) * uint64(n)
	for d.err == nil {
		var b [4]byte
		_, d.err = io.ReadFull(d.random, b[:])
		if v := uint64(binary.BigEndian.Uint32(b[:])); d.err == nil && v < limit {
			return int(v % uint64(n))
		}
	}
	return 0
}
