package synth

import (
	"image"
	"math"
	"math/rand/v2"
	"time"

	"github.com/sallyport/sallyport/biometrics"
)

// Print is a photo on paper or on a screen, held before the camera.
type Print struct {
	photo *Photo
	r     *rand.Rand
	sheet Sheet
	// How it is moved: it trembles by so many millimetres, sways and comes nearer,
	// rolls in its plane, and is turned in answer to prompts by so many radians,
	// around an axis at an angle to the upright one.
	tremble, sway, near, roll float64
	turn, oblique             float64

	look Look
	last time.Duration
}

// NewPrint holds a photo quite still.
func NewPrint(photo *Photo, r *rand.Rand) *Print { return &Print{photo: photo, r: r} }

// Moved sways it, brings it nearer and rolls it in its plane.
func (p *Print) Moved() *Print {
	p.tremble, p.sway, p.near, p.roll = 1, 25, 0.08, 0.12
	return p
}

// Turned turns it as asked, around an axis that leans by so many radians.
func (p *Print) Turned(by, oblique float64) *Print {
	p.tremble, p.turn, p.oblique = 1, by, oblique
	return p
}

// Bent bends it first.
func (p *Print) Bent(s Sheet) *Print {
	p.sheet = s
	return p
}

// Frame implements Actor.
func (p *Print) Frame(cue biometrics.Cue, at time.Duration) []byte {
	dt := (at - p.last).Seconds()
	p.last = at
	want := 0.0
	switch cue.Prompt {
	case biometrics.PromptLeft:
		want = p.turn
	case biometrics.PromptRight:
		want = -p.turn
	default:
	}
	p.look.Yaw += math.Copysign(min(math.Abs(want-p.look.Yaw), 1.2*dt), want-p.look.Yaw)
	t := at.Seconds()
	look := Look{Yaw: p.look.Yaw * math.Cos(p.oblique), Pitch: p.look.Yaw * math.Sin(p.oblique), Roll: p.roll * math.Sin(t)}
	place := Place{
		X:    p.sway*math.Sin(1.3*t) + p.tremble*p.r.NormFloat64(),
		Y:    p.sway*0.5*math.Sin(0.9*t) + p.tremble*p.r.NormFloat64(),
		Near: p.near * math.Sin(0.7*t),
	}
	return DefaultSensor.Shoot(p.photo.Render(p.sheet, look, place), p.r)
}

// Screen shows somebody on a screen: a smaller picture in a dark frame, with the
// pattern that its pixels and those of the camera make together.
type Screen struct {
	Shown interface {
		Picture(cue biometrics.Cue, at time.Duration) *image.RGBA
	}
	R *rand.Rand
	// Border and Moire are parts of it that can be left out.
	Border, Moire bool
}

// Frame implements Actor.
func (s Screen) Frame(cue biometrics.Cue, at time.Duration) []byte {
	img := s.Shown.Picture(cue, at)
	if s.Border {
		const left, top, bezel = 70, 20, 16
		for y := range Height {
			for x := range Width {
				i := y*img.Stride + 4*x
				inside := x >= left && x < Width-left && y >= top && y < Height-top
				frame := x >= left-bezel && x < Width-left+bezel && y >= top-bezel && y < Height-top+bezel
				switch {
				case inside:
				case frame:
					img.Pix[i], img.Pix[i+1], img.Pix[i+2] = 22, 22, 24
				default:
					img.Pix[i], img.Pix[i+1], img.Pix[i+2] = 150, 145, 135
				}
			}
		}
	}
	if s.Moire {
		t := at.Seconds()
		for y := range Height {
			for x := range Width {
				// Two gratings of the screen's lines, turned a little, beating with the
				// camera's.
				fx, fy := float64(x), float64(y)
				wave := math.Sin(2*math.Pi*(0.31*fx+0.03*fy)+t) + math.Sin(2*math.Pi*(0.27*fy-0.02*fx))
				k := 1 + 0.06*wave
				i := y*img.Stride + 4*x
				for c := range 3 {
					img.Pix[i+c] = uint8(min(255, k*float64(img.Pix[i+c])))
				}
			}
		}
	}
	return DefaultSensor.Shoot(img, s.R)
}

// Injected sends one picture again and again, as a program in the place of the
// camera would, in one size after the other.
type Injected struct {
	Uploads [][]byte
	next    int
}

// Frame implements Actor.
func (i *Injected) Frame(biometrics.Cue, time.Duration) []byte {
	i.next++
	return i.Uploads[i.next%len(i.Uploads)]
}
