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
)

// A picture is a row of squares on black: how many people there are, the shot's
// number, then one square a person. Numbers are written as colours of four levels
// a channel, which survive scaling to no other size and encoding as JPEG twice.
const (
	side      = 40
	width     = 8 * side
	height    = 6 * side
	maxPeople = 6
	levels    = 4
	numbers   = levels * levels * levels
)

// Draw returns a JPEG upload of 320x240 that shows these people, left to right:
// at most six, each a number from 0 to 63; none at all is a picture without a
// face. Pictures of one person with different shots (0 to 63) are different
// frames; with the same shot they are equal ones.
func Draw(shot int, people ...int) []byte {
	if len(people) > maxPeople {
		panic(fmt.Sprintf("biometricstest: %d people, at most %d", len(people), maxPeople))
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for x, n := range append([]int{len(people), shot}, people...) {
		if n < 0 || n >= numbers {
			panic(fmt.Sprintf("biometricstest: number %d is not between 0 and %d", n, numbers-1))
		}
		paint(img, x, n)
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 95})
	if err != nil {
		panic(err) // a buffer takes everything
	}
	return out.Bytes()
}

// Frame is Draw through the image gate.
func Frame(t testing.TB, shot int, people ...int) biometrics.Frame {
	t.Helper()
	gate, err := biometrics.NewGate(biometrics.DefaultGateConfig())
	if err != nil {
		t.Fatal(err)
	}
	f, err := gate.Open(context.Background(), Draw(shot, people...))
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

// Faces returns whom Draw drew in a picture, given as JPEG; nobody in any other
// picture.
func Faces(picture []byte) ([]biometrics.Face, error) {
	img, err := jpeg.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, fmt.Errorf("not a JPEG: %w", err)
	}
	if img.Bounds().Dx() != width || img.Bounds().Dy() != height {
		return nil, nil
	}
	count, shot := number(img, 0), number(img, 1)
	if count > maxPeople {
		return nil, nil
	}
	faces := make([]biometrics.Face, count)
	for i := range faces {
		x := (2 + i) * side
		faces[i] = biometrics.Face{
			Box:        image.Rect(x, 0, x+side, side),
			Landmarks:  []image.Point{{X: x + side/2, Y: side / 2}},
			Descriptor: Descriptor(number(img, 2+i), shot),
		}
	}
	return faces, nil
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
