package biometrics

import (
	"crypto/sha256"
	"image"
)

// Frame is a picture that went through the image gate: pixels in YCbCr with 4:2:0
// subsampling (JFIF's, full range), upright, their long side within the gate's limit.
// Only [Gate.Open] makes one, and no more than pixels goes to native code, so that
// never sees bytes that a client chose.
type Frame struct {
	pixels *image.YCbCr
	sum    [32]byte
}

// newFrame makes the frame of what upright returned.
func newFrame(img *image.YCbCr) Frame {
	digest := sha256.New()
	for _, p := range planes(img) {
		for y := range p.height {
			digest.Write(p.pix[y*p.stride:][:p.width])
		}
	}
	return Frame{pixels: img, sum: [32]byte(digest.Sum(nil))}
}

// Pixels returns the picture, from 0, 0 on; nil of a frame that no gate made. The
// caller must not change it.
func (f Frame) Pixels() *image.YCbCr { return f.pixels }

// Width is in pixels.
func (f Frame) Width() int { return f.luma().width }

// Height is in pixels.
func (f Frame) Height() int { return f.luma().height }

// Sum is the SHA-256 of the planes Y, Cb and Cr, row by row. Frames of one size with
// the same pixels have the same sum however their uploads were packed.
func (f Frame) Sum() [32]byte { return f.sum }

// IsZero reports that no gate made this frame.
func (f Frame) IsZero() bool { return f.pixels == nil }

// Wipe overwrites the picture, for when nobody will look at it again: the size and
// the sum remain. Copies of the frame share its bytes.
func (f Frame) Wipe() {
	if f.pixels != nil {
		wipe(f.pixels)
	}
}

func wipe(img *image.YCbCr) {
	clear(img.Y)
	clear(img.Cb)
	clear(img.Cr)
}

func (f Frame) luma() plane {
	if f.pixels == nil {
		return plane{}
	}
	return plane{f.pixels.Y, f.pixels.YStride, f.pixels.Rect.Dx(), f.pixels.Rect.Dy()}
}

// String hides the picture from fmt and logs.
func (f Frame) String() string { return "[face frame]" }

// GoString hides the picture from %#v.
func (f Frame) GoString() string { return "[face frame]" }
