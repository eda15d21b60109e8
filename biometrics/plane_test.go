package biometrics

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"
)

func noisePlane(w, h int) plane {
	r := rand.New(rand.NewPCG(1, 1))
	p := plane{make([]uint8, w*h), w, w, h}
	for i := range p.pix {
		p.pix[i] = uint8(r.IntN(256))
	}
	return p
}

func TestResampleSameSizeIsACopy(t *testing.T) {
	t.Parallel()
	src := noisePlane(37, 23)
	dst := make([]uint8, 37*23)
	resample(dst, 37, 23, src, image.Rect(0, 0, 37, 23))
	for i, v := range dst {
		if v != src.pix[i] {
			t.Fatalf("pixel %d is %d, want %d", i, v, src.pix[i])
		}
	}
}

// TestResampleKeepsTheMean: whatever the size, light is neither made nor lost.
func TestResampleKeepsTheMean(t *testing.T) {
	t.Parallel()
	src := noisePlane(120, 90)
	mean := func(pix []uint8) (sum float64) {
		for _, v := range pix {
			sum += float64(v) / float64(len(pix))
		}
		return sum
	}
	want := mean(src.pix)
	for _, size := range []image.Point{{60, 45}, {7, 5}, {53, 31}, {1, 1}, {119, 90}, {240, 180}} {
		dst := make([]uint8, size.X*size.Y)
		resample(dst, size.X, size.Y, src, image.Rect(0, 0, 120, 90))
		if got := mean(dst); math.Abs(got-want) > 1 {
			t.Errorf("at %v the mean is %.2f, was %.2f", size, got, want)
		}
	}
}

func TestResampleHalves(t *testing.T) {
	t.Parallel()
	src := plane{[]uint8{0, 100, 10, 20, 200, 100, 30, 40}, 4, 4, 2}
	dst := make([]uint8, 2)
	resample(dst, 2, 1, src, image.Rect(0, 0, 4, 2))
	if dst[0] != 100 || dst[1] != 25 {
		t.Errorf("got %v, want [100 25]", dst)
	}
}

// TestResampleOutside: a face that is cut off, or that an engine claims is far away,
// is read from the edge.
func TestResampleOutside(t *testing.T) {
	t.Parallel()
	src := noisePlane(20, 20)
	dst := make([]uint8, 16*16)
	for _, r := range []image.Rectangle{
		image.Rect(-10, -10, 10, 10), image.Rect(15, 15, 40, 40), image.Rect(-1000, 5, -900, 10),
		image.Rect(5, 1<<20, 10, 1<<20+5), image.Rect(-1<<20, -1<<20, 1<<20, 1<<20), image.Rect(3, 3, 4, 4),
	} {
		resample(dst, 16, 16, src, r)
	}
	resample(dst, 16, 16, src, image.Rect(-50, 0, -40, 20))
	if dst[0] != dst[15] {
		t.Errorf("left of the picture there are %d and %d", dst[0], dst[15])
	}
}
