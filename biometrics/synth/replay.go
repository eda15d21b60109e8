package synth

import (
	"bytes"
	"image"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sallyport/sallyport/biometrics"
)

// Take is a frame of a recording and the prompt that it answered.
type Take struct {
	At     time.Duration
	Prompt biometrics.Prompt
	Upload []byte
}

// Replay shows a recording over and over, to a camera that adds its noise. With
// Prompted it shows, of the recording, the part that answers the prompt: an
// attacker who sees the prompts and has a key for each.
type Replay struct {
	Takes    []Take
	R        *rand.Rand
	Prompted bool

	prompt biometrics.Prompt
	offset time.Duration // of the recording's time from ours
}

// reaction is how long an attacker with prepared clips takes to press a key, and
// lead how much of the person's own reaction is cut off a clip's beginning.
const (
	reaction = 300 * time.Millisecond
	lead     = 500 * time.Millisecond
)

// Frame implements Actor.
func (p *Replay) Frame(cue biometrics.Cue, at time.Duration) []byte {
	if p.Prompted && cue.Prompt != p.prompt {
		p.prompt = cue.Prompt
		i := slices.IndexFunc(p.Takes, func(t Take) bool { return t.Prompt == cue.Prompt })
		if i >= 0 {
			p.offset = p.Takes[i].At + lead - at - reaction
		}
	}
	return DefaultSensor.Shoot(p.Picture(cue, at), p.R)
}

// Picture is what is shown at a time.
func (p *Replay) Picture(_ biometrics.Cue, at time.Duration) *image.RGBA {
	length := p.Takes[len(p.Takes)-1].At
	at = ((at+p.offset)%length + length) % length
	i := slices.IndexFunc(p.Takes, func(t Take) bool { return t.At >= at })
	img, err := jpeg.Decode(bytes.NewReader(p.Takes[i].Upload))
	if err != nil {
		panic(err) // a recording is of frames that were shot here
	}
	out := image.NewRGBA(img.Bounds())
	draw.Draw(out, out.Rect, img, image.Point{}, draw.Src)
	return out
}

// Splice shows one actor where the prompt is for looking straight, and another for
// the rest: the face that is to be compared, and one that can do as asked.
type Splice struct{ Straight, Else Actor }

// Frame implements Actor.
func (s Splice) Frame(cue biometrics.Cue, at time.Duration) []byte {
	// Both go on, so that each is where it should be when its turn comes.
	straight, other := s.Straight.Frame(cue, at), s.Else.Frame(cue, at)
	if cue.Prompt == biometrics.PromptStraight {
		return straight
	}
	return other
}

// Alternate shows two actors by turns, frame by frame.
type Alternate struct {
	Actors [2]Actor
	next   int
}

// Frame implements Actor.
func (a *Alternate) Frame(cue biometrics.Cue, at time.Duration) []byte {
	a.next++
	return a.Actors[a.next%2].Frame(cue, at)
}
