package biometrics

import "image"

// Frame is a picture that went through the image gate: a baseline RGB JPEG of
// our own making, upright, without metadata, its long side within the gate's
// limit. Only [Gate.Open] makes one, so native code never sees bytes that a
// client chose.
type Frame struct {
	jpeg   []byte
	pixels *image.YCbCr // what jpeg was made of
	sum    [32]byte
}

// JPEG returns the encoded picture. The caller must not change it.
func (f Frame) JPEG() []byte { return f.jpeg }

// Width is in pixels.
func (f Frame) Width() int { return f.luma().width }

// Height is in pixels.
func (f Frame) Height() int { return f.luma().height }

// Sum is the SHA-256 of JPEG. The encoder is deterministic, so frames with the
// same pixels have the same sum however their uploads were packed.
func (f Frame) Sum() [32]byte { return f.sum }

// IsZero reports that no gate made this frame.
func (f Frame) IsZero() bool { return f.jpeg == nil }

// Wipe overwrites the picture, for when nobody will look at it again: the size and
// the sum remain. Copies of the frame share its bytes.
func (f Frame) Wipe() {
	clear(f.jpeg)
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
