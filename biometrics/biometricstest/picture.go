package biometricstest

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/synth"
)

// A picture is a row of squares on grey: how many people there are, the shot's
// number, five numbers of what the first does with the head, then one square a
// person; below, a patch of noise where each face is. Numbers are written as
// colours of four levels a channel, which survive encoding as JPEG twice.
const (
	side      = 16
	width     = 224
	height    = 176
	maxPeople = 6
	levels    = 4
	numbers   = levels * levels * levels
)

// The squares, from the left.
const (
	countSquare = iota
	shotSquare
	yawSquare
	shutSquare
	openSquare
	xSquare
	ySquare
	firstPerson
)

// Draw returns a JPEG upload of 224x176 that shows these people, left to right:
// at most six, each a number from 0 to 63; none at all is a picture without a
// face. Pictures of one person with different shots (0 to 63) are different
// frames; with the same shot they are equal ones. One person alone is as large and
// as well lit as the quality rules want.
func Draw(shot int, people ...int) []byte {
	return picture{shot: shot, people: people, x: numbers / 2, y: numbers / 2}.encode()
}

// DrawPose is Draw of one person who does what a prompt asks for.
func DrawPose(shot int, prompt biometrics.Prompt, person int) []byte {
	return picture{shot: shot, people: []int{person}, look: target(prompt), x: numbers / 2, y: numbers / 2}.encode()
}

// picture is what is drawn. Its look is that of the first person.
type picture struct {
	shot   int
	people []int
	look   synth.Look
	x, y   int         // place of the face in thirds of a pixel, of 64, 32 is in the middle
	tint   color.Color // light of the screen on the face, nil for none
}

// target is the look that a prompt asks for.
func target(p biometrics.Prompt) synth.Look {
	switch p {
	case biometrics.PromptLeft:
		return synth.Look{Yaw: 0.45}
	case biometrics.PromptRight:
		return synth.Look{Yaw: -0.45}
	case biometrics.PromptBlink:
		return synth.Look{Shut: 1}
	case biometrics.PromptMouth:
		return synth.Look{Open: 1}
	default:
		return synth.Look{}
	}
}

func (p picture) encode() []byte {
	if len(p.people) > maxPeople {
		panic(fmt.Sprintf("biometricstest: %d people, at most %d", len(p.people), maxPeople))
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = 90
	}
	yaw := numbers/2 + int(math.Round(p.look.Yaw*40))
	shut, open := int(math.Round(p.look.Shut*(numbers-1))), int(math.Round(p.look.Open*(numbers-1)))
	squares := append([]int{len(p.people), p.shot, yaw, shut, open, p.x, p.y}, p.people...)
	for x, n := range squares {
		if n < 0 || n >= numbers {
			panic(fmt.Sprintf("biometricstest: number %d is not between 0 and %d", n, numbers-1))
		}
		paint(img, x, n)
	}
	for i, person := range p.people {
		p.patch(img, faceBox(i, len(p.people), p.x, p.y), person)
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 95})
	if err != nil {
		panic(err) // a buffer takes everything
	}
	return out.Bytes()
}

// patch paints a face: blocks of the person's own and noise of the shot's, sharp
// and with contrast.
func (p picture) patch(img *image.RGBA, box image.Rectangle, person int) {
	own, noise := rand.New(rand.NewPCG(uint64(person), 2)), rand.New(rand.NewPCG(uint64(person), uint64(p.shot)+3))
	var blocks [16 * 16]int
	for i := range blocks {
		blocks[i] = 60 + own.IntN(140)
	}
	light := [3]int{0, 0, 0}
	if p.tint != nil {
		r, g, b, _ := p.tint.RGBA()
		light = [3]int{int(r >> 12), int(g >> 12), int(b >> 12)}
	}
	for y := range box.Dy() {
		for x := range box.Dx() {
			v := blocks[16*(16*y/box.Dy())+16*x/box.Dx()] + noise.IntN(21) - 10
			img.SetRGBA(box.Min.X+x, box.Min.Y+y, color.RGBA{uint8(v + light[0]), uint8(v + light[1]), uint8(v + light[2]), 255})
		}
	}
}

// faceBox is where a face is: one alone is 112 pixels wide in the middle, several
// share the width.
func faceBox(i, people, x, y int) image.Rectangle {
	size := min(112, width/max(people, 1)-8)
	left := (2*i+1)*width/(2*people) - size/2 + (x-numbers/2)/3
	top := 42 + (y-numbers/2)/3
	return image.Rect(left, top, left+size, top+size)
}

// Frame is Draw through the image gate.
func Frame(t testing.TB, shot int, people ...int) biometrics.Frame {
	t.Helper()
	return Open(t, Draw(shot, people...))
}

// Open brings a picture through the image gate.
func Open(t testing.TB, picture []byte) biometrics.Frame {
	t.Helper()
	gate, err := biometrics.NewGate(biometrics.DefaultGateConfig())
	if err != nil {
		t.Fatal(err)
	}
	f, err := gate.Open(context.Background(), picture)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Descriptor is what the engine gives for a person in a shot.
func Descriptor(person, shot int) biometrics.Descriptor {
	base, noise := direction("person", person), direction("shot", person*numbers+shot)
	var d biometrics.Descriptor
	for i := range d {
		d[i] = float32(0.57*base[i] + 0.1*noise[i])
	}
	return d
}

// Faces returns whom Draw drew in a picture; nobody in any other picture.
func Faces(img image.Image) []biometrics.Face {
	if img.Bounds().Dx() != width || img.Bounds().Dy() != height {
		return nil
	}
	count, shot := number(img, countSquare), number(img, shotSquare)
	if count > maxPeople {
		return nil
	}
	look := synth.Look{
		Yaw:  float64(number(img, yawSquare)-numbers/2) / 40,
		Shut: float64(number(img, shutSquare)) / (numbers - 1),
		Open: float64(number(img, openSquare)) / (numbers - 1),
	}
	faces := make([]biometrics.Face, count)
	for i := range faces {
		box := faceBox(i, count, number(img, xSquare), number(img, ySquare))
		faces[i] = biometrics.Face{
			Box:        box,
			Landmarks:  landmarks(box, look, shot),
			Descriptor: Descriptor(number(img, firstPerson+i), shot),
		}
	}
	return faces
}

// landmarks are those of the average head in a box, each off by up to a pixel as
// real ones are.
func landmarks(box image.Rectangle, look synth.Look, shot int) []image.Point {
	noise := rand.New(rand.NewPCG(uint64(shot), 4))
	camera := synth.Camera{
		X: float64(box.Min.X+box.Max.X) / 2, Y: float64(box.Min.Y) + 0.25*float64(box.Dy()),
		Scale: float64(box.Dx()) / 150, Distance: 500,
	}
	head := look.Express(synth.Head())
	points := make([]image.Point, len(head))
	for i, p := range head {
		x, y := camera.Project(look.Turn(p))
		points[i] = image.Pt(int(math.Round(x+noise.Float64()-0.5)), int(math.Round(y+noise.Float64()-0.5)))
	}
	return points
}

func paint(img *image.RGBA, square, n int) {
	level := func(v int) uint8 { return uint8(v % levels * 255 / (levels - 1)) }
	c := color.RGBA{level(n), level(n / levels), level(n / levels / levels), 255}
	for y := range side {
		for x := range side {
			img.SetRGBA(square*side+x, y, c)
		}
	}
}

func number(img image.Image, square int) int {
	r, g, b, _ := img.At(square*side+side/2, side/2).RGBA()
	level := func(v uint32) int { return int(math.Round(float64(v) * (levels - 1) / 65535)) }
	return level(r) + levels*(level(g)+levels*level(b))
}

// direction is a unit vector that the name and the number alone decide.
func direction(name string, n int) [128]float64 {
	h := fnv.New64a()
	fmt.Fprint(h, name, n)
	r := rand.New(rand.NewPCG(h.Sum64(), 1))
	var v [128]float64
	sum := 0.0
	for i := range v {
		v[i] = r.NormFloat64()
		sum += v[i] * v[i]
	}
	for i := range v {
		v[i] /= math.Sqrt(sum)
	}
	return v
}
