package biometricstest

import (
	"image/color"
	"math"
	"strconv"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/synth"
)

// FrameTime is the time in milliseconds between two frames of a [Player]; tests
// that play one move their clock by it, or send as the page does.
const FrameTime = 200

// Player answers cues with uploads, five a second, as somebody before a camera
// would. Make one with [Genuine], [Still] or [WrongScript].
type Player struct {
	person int
	obey   func(biometrics.Prompt) biometrics.Prompt
	blind  bool // doesn't see the screen's colour

	shot   int
	frames int // so far; shots come round again, places don't with them
	look   synth.Look
}

// Genuine is a person who does what is asked. first is the number of their first
// shot, 0 to 63; two captures with the same one are equal frame by frame.
func Genuine(person, first int) *Player {
	return &Player{person: person, shot: first, obey: func(p biometrics.Prompt) biometrics.Prompt { return p }}
}

// Still is a photo of somebody, held before the camera: it moves about and does
// nothing that is asked.
func Still(person, first int) *Player {
	p := Genuine(person, first)
	p.obey = func(biometrics.Prompt) biometrics.Prompt { return biometrics.PromptStraight }
	return p
}

// WrongScript is a recording of another script: it turns to the wrong side and
// opens the mouth where it should blink.
func WrongScript(person, first int) *Player {
	wrong := map[biometrics.Prompt]biometrics.Prompt{
		biometrics.PromptLeft: biometrics.PromptRight, biometrics.PromptRight: biometrics.PromptLeft,
		biometrics.PromptBlink: biometrics.PromptMouth, biometrics.PromptMouth: biometrics.PromptBlink,
	}
	p := Genuine(person, first)
	p.obey = func(asked biometrics.Prompt) biometrics.Prompt {
		if w, ok := wrong[asked]; ok {
			return w
		}
		return asked
	}
	p.blind = true
	return p
}

// Frame is the next upload in answer to a cue. The head gets a third of a turn
// further with each.
func (p *Player) Frame(cue biometrics.Cue) []byte {
	p.shot = (p.shot + 1) % numbers
	p.frames++
	want := target(p.obey(cue.Prompt))
	p.look.Yaw += math.Copysign(min(math.Abs(want.Yaw-p.look.Yaw), 0.15), want.Yaw-p.look.Yaw)
	p.look.Shut, p.look.Open = want.Shut, p.look.Open+(want.Open-p.look.Open)/2
	out := picture{
		shot: p.shot, people: []int{p.person}, look: p.look,
		x: numbers/2 + int(8*math.Sin(float64(p.frames)/3)), y: numbers/2 + int(6*math.Cos(float64(p.frames)/4)),
	}
	if v, err := strconv.ParseUint(cue.Color[min(len(cue.Color), 1):], 16, 32); err == nil && !p.blind {
		out.tint = color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
	}
	return out.encode()
}
