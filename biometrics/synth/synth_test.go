package synth

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sallyport/sallyport/biometrics"
)

// chequered is a photo with a head's landmarks on a pattern, ten times the frame's
// noise apart.
func chequered(t *testing.T) *Photo {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			c := color.RGBA{120, 110, 100, 255}
			if (x/8+y/8)%2 == 0 {
				c = color.RGBA{170, 150, 140, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	camera := Camera{X: 320, Y: 200, Scale: 1.2, Distance: 1e6}
	points := make([]image.Point, 68)
	for i, p := range Head() {
		x, y := camera.Project(p)
		points[i] = image.Pt(int(math.Round(x)), int(math.Round(y)))
	}
	p, err := NewPhoto(img, points)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func difference(a, b *image.RGBA) (sum float64) {
	for i := range a.Pix {
		sum += math.Abs(float64(a.Pix[i])-float64(b.Pix[i])) / float64(len(a.Pix))
	}
	return sum
}

func TestHeadIsSymmetric(t *testing.T) {
	t.Parallel()
	head := Head()
	for i, p := range head {
		if p == (Vec{}) {
			t.Errorf("landmark %d is nowhere", i)
		}
	}
	for _, pair := range [][2]int{{36, 45}, {39, 42}, {48, 54}, {0, 16}, {31, 35}} {
		a, b := head[pair[0]], head[pair[1]]
		if a.X != -b.X || a.Y != b.Y || a.Z != b.Z || a.X >= 0 {
			t.Errorf("landmarks %v are at %v and %v", pair, a, b)
		}
	}
}

// TestTurnToTheLeft: the person's own left is the right of the picture.
func TestTurnToTheLeft(t *testing.T) {
	t.Parallel()
	nose, eye := Head()[30], Head()[45]
	turned := Look{Yaw: 0.4}
	if a, b := turned.Turn(nose), turned.Turn(eye); a.X-nose.X <= b.X-eye.X {
		t.Errorf("turned to the left, the nose moves by %.1f mm and the left eye by %.1f", a.X-nose.X, b.X-eye.X)
	}
	if down := (Look{Pitch: 0.3}).Turn(nose); down.Y <= nose.Y {
		t.Error("looking down lifts the nose")
	}
}

func TestExpressMovesLidsAndLips(t *testing.T) {
	t.Parallel()
	rest := Head()
	shut, open := Look{Shut: 1}.Express(rest), Look{Open: 1}.Express(rest)
	if before, after := rest[41].Y-rest[37].Y, shut[41].Y-shut[37].Y; after > before/3 {
		t.Errorf("shut eyes are %.1f mm open, at rest %.1f", after, before)
	}
	if before, after := rest[66].Y-rest[62].Y, open[66].Y-open[62].Y; after < before+15 {
		t.Errorf("an open mouth has a gap of %.1f mm, at rest %.1f", after, before)
	}
}

// TestRenderAtRest: nothing asked, nothing moved; a turn moves the face and leaves
// the corner of the room.
func TestRenderAtRest(t *testing.T) {
	t.Parallel()
	p := chequered(t)
	rest := p.Render(Skull{Relief: 1}, Look{}, Place{})
	again := p.Express(Look{}).Render(Skull{Relief: 1}, Look{}, Place{})
	if d := difference(rest, again); d != 0 {
		t.Errorf("the same look differs by %.2f", d)
	}
	flat := p.Render(Sheet{}, Look{}, Place{})
	if d := difference(rest, flat); d > 2 {
		t.Errorf("at rest a head and a sheet differ by %.2f levels", d)
	}
	turned := p.Render(Skull{Relief: 1}, Look{Yaw: 0.4}, Place{})
	if d := difference(rest, turned); d < 2 {
		t.Errorf("a turn changes %.2f levels", d)
	}
	if rest.RGBAAt(10, 10) != turned.RGBAAt(10, 10) {
		t.Error("a turn of the head moves the room")
	}
}

func TestNewPhotoRefuses(t *testing.T) {
	t.Parallel()
	img := image.NewRGBA(image.Rect(0, 0, 100, 100))
	if _, err := NewPhoto(img, make([]image.Point, 5)); err == nil {
		t.Error("five landmarks were taken")
	}
	if _, err := NewPhoto(img, make([]image.Point, 68)); err == nil {
		t.Error("68 landmarks in one point were taken")
	}
}

// TestPersonDoesAsAsked until the pose is reached, whatever the habits drawn.
func TestPersonDoesAsAsked(t *testing.T) {
	t.Parallel()
	photo := chequered(t)
	for seed := range uint64(50) {
		p := NewPerson(photo, rand.New(rand.NewPCG(seed, 1)))
		for i := range 40 {
			p.move(biometrics.Cue{Prompt: biometrics.PromptLeft, Step: 1}, time.Duration(i)*200*time.Millisecond)
		}
		if p.look.Yaw < 0.35 {
			t.Errorf("seed %d: after eight seconds the head is turned by %.2f", seed, p.look.Yaw)
		}
	}
}
