package synth

import (
	"image"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/sallyport/sallyport/biometrics"
)

// Actor is whoever is before the camera. Frame is the upload in answer to a cue, at
// a time since the beginning that grows.
type Actor interface {
	Frame(cue biometrics.Cue, at time.Duration) []byte
}

// Person is a living one, warped from a photo: somebody with a speed of their own,
// who sways, blinks, now and then turns to the wrong side first, before a camera
// with noise and an exposure that drifts.
type Person struct {
	photo *Photo
	r     *rand.Rand
	skull Skull

	reaction time.Duration
	speed    float64 // of the head, radians a second
	turn     float64 // how far it turns when asked, radians
	tilt     float64 // how far it nods when it turns, as a share
	confused float64 // chance of turning to the wrong side first
	open     float64 // how far the mouth opens
	noise    float64

	step   int // last one answered
	since  time.Duration
	prompt biometrics.Prompt
	wrong  time.Duration // until when the wrong side is taken
	last   time.Duration

	look      Look
	place     Place
	drift     [5]float64 // slow wanderings: x, y, nearness, yaw, pitch
	gain      float64
	nextBlink time.Duration
	color     string // what the screen showed when this frame was taken
	// Blind is somebody whose face no screen shines on: a recording.
	Blind bool
}

// NewPerson draws the habits of the person in the photo.
func NewPerson(photo *Photo, r *rand.Rand) *Person {
	between := func(low, high float64) float64 { return low + (high-low)*r.Float64() }
	return &Person{
		photo: photo, r: r, skull: Skull{Relief: between(0.8, 1.2)},
		reaction: time.Duration(between(250, 900)) * time.Millisecond,
		speed:    between(0.7, 1.8),
		turn:     between(0.38, 0.58),
		tilt:     between(-0.25, 0.25),
		confused: 0.1,
		open:     between(0.6, 1),
		noise:    between(1.5, 5),
		place:    Place{X: between(-25, 25), Y: between(-15, 15), Near: between(-0.08, 0.1)},
		gain:     between(0.9, 1.1),

		nextBlink: time.Duration(between(500, 4000)) * time.Millisecond,
	}
}

// Frame implements Actor.
func (p *Person) Frame(cue biometrics.Cue, at time.Duration) []byte {
	p.move(cue, at)
	sensor := DefaultSensor
	sensor.Noise, sensor.Gain = p.noise, p.gain
	if !p.Blind {
		sensor.Light = light(p.color)
	}
	p.color = cue.Color
	return sensor.Shoot(p.draw(), p.r)
}

// Picture is what is before the camera, without the camera's part.
func (p *Person) Picture(cue biometrics.Cue, at time.Duration) *image.RGBA {
	p.move(cue, at)
	return p.draw()
}

func (p *Person) draw() *image.RGBA {
	look, place := p.look, p.place
	place.X += 4 * p.drift[0]
	place.Y += 4 * p.drift[1]
	place.Near += 0.015 * p.drift[2]
	look.Yaw += 0.02 * p.drift[3]
	look.Pitch += 0.02*p.drift[4] + p.tilt*math.Abs(p.look.Yaw)
	return p.photo.Express(look).Render(p.skull, look, place)
}

// move brings the head to where it is at this time.
func (p *Person) move(cue biometrics.Cue, at time.Duration) {
	dt := (at - p.last).Seconds()
	p.last = at
	if p.prompt == "" || cue.Step != p.step {
		p.step, p.since, p.prompt, p.wrong = cue.Step, at, cue.Prompt, 0
		if cue.Prompt.Turn() && p.r.Float64() < p.confused {
			p.wrong = at + p.reaction + time.Duration(600+p.r.IntN(500))*time.Millisecond
		}
	}
	for i := range p.drift {
		p.drift[i] += -p.drift[i]*dt/2 + p.r.NormFloat64()*math.Sqrt(dt)
	}
	p.gain += -(p.gain-1)*dt/8 + 0.02*p.r.NormFloat64()*math.Sqrt(dt)

	if at-p.since < p.reaction {
		return
	}
	want := Look{}
	switch p.prompt {
	case biometrics.PromptLeft:
		want.Yaw = p.turn
	case biometrics.PromptRight:
		want.Yaw = -p.turn
	case biometrics.PromptBlink:
		want.Shut = 1
	case biometrics.PromptMouth:
		want.Open = p.open
	default:
	}
	switch cue.Hint {
	case biometrics.HintTurnMore:
		p.turn = min(p.turn+0.02, 0.65)
	case biometrics.HintTurnLess:
		p.turn = max(p.turn-0.06, 0.3)
	default:
	}
	if at < p.wrong {
		want.Yaw = -want.Yaw
	}
	toward := func(v *float64, target, speed float64) {
		*v += math.Copysign(min(math.Abs(target-*v), speed*dt), target-*v)
	}
	toward(&p.look.Yaw, want.Yaw, p.speed)
	toward(&p.look.Open, want.Open, 3)
	p.look.Shut = want.Shut
	if at >= p.nextBlink {
		p.look.Shut = 1
		p.nextBlink = at + time.Duration(2000+p.r.IntN(4000))*time.Millisecond
	}
}

// light is what a screen of that colour adds to a mid grey in a room.
func light(color string) (rgb [3]float64) {
	v, err := strconv.ParseUint(color[min(len(color), 1):], 16, 32)
	if err != nil {
		return rgb
	}
	for i := range rgb {
		rgb[i] = 8 * float64(v>>(16-8*i)&255) / 255
	}
	return rgb
}
