package biometrics

import (
	"image"
	"math"
	"math/bits"
)

// Sight is all that is remembered of one frame while its capture lasts: figures,
// the descriptor and a perceptual hash, no pixels. It is as secret as the
// descriptor in it and prints as a placeholder.
type Sight struct {
	// Problem is why this frame can't be compared, nil if it can. A frame of one
	// face with a problem of its picture still tells of movement.
	Problem *CaptureError
	// Quality is zero unless there is one face.
	Quality Quality

	one        bool // exactly one face, whose features could be read
	features   features
	landmarks  []image.Point
	descriptor Descriptor
	frame      [32]byte // see Frame.Sum
	look       look
	colour     [3]float64 // mean red, green and blue of the face's middle, 0 to 255
	moire      float64
	border     int
}

// String hides the sight from fmt and logs.
func (Sight) String() string { return "[face sight]" }

// GoString hides the sight from %#v.
func (Sight) GoString() string { return "[face sight]" }

// See measures what the engine found in a frame. It needs the frame's pixels:
// call it before [Frame.Wipe].
func See(frame Frame, o Observation, rules Rules) Sight {
	s := Sight{frame: frame.Sum()}
	switch len(o.Faces) {
	case 0:
		s.Problem = &CaptureError{Code: CodeNoFace}
		return s
	case 1:
	default:
		s.Problem = &CaptureError{Code: CodeManyFaces}
		return s
	}
	face := o.Faces[0]
	s.features, s.one = measure(face.Landmarks)
	if !s.one || face.Box.Empty() || !face.Descriptor.Finite() || frame.pixels == nil {
		s.one = false
		s.Problem = &CaptureError{Code: CodeNoFace}
		return s
	}
	s.landmarks, s.descriptor = face.Landmarks, face.Descriptor

	luma := frame.luma()
	var cut [faceSide * faceSide]uint8
	resample(cut[:], faceSide, faceSide, luma, face.Box)
	s.Quality.FacePixels = face.Box.Dx()
	s.Quality.assess(&cut)
	s.look = lookOf(&cut)
	s.colour = meanColour(frame.pixels, face.Box)
	s.moire, s.border = moire(luma, face.Box), border(luma, face.Box)
	clear(cut[:])
	if math.Abs(s.features.pose.Yaw) > rules.StraightYaw {
		// A face turned aside is narrower, and goes into no comparison.
		rules.FacePixels = rules.FacePixels * 3 / 4
	}
	if reason := s.Quality.problem(rules, face.Box, image.Pt(frame.Width(), frame.Height())); reason != "" {
		s.Problem = &CaptureError{Code: CodeQuality, Reason: reason}
	}
	return s
}

// look is a difference hash of a face: 16 by 16 signs of whether a patch is darker
// than the one to its right.
type look [4]uint64

func lookOf(cut *[faceSide * faceSide]uint8) (l look) {
	var small [17 * 16]uint8
	resample(small[:], 17, 16, plane{cut[:], faceSide, faceSide, faceSide}, image.Rect(0, 0, faceSide, faceSide))
	for y := range 16 {
		for x := range 16 {
			if small[17*y+x] < small[17*y+x+1] {
				l[y/4] |= 1 << (y%4*16 + x)
			}
		}
	}
	return l
}

// differences is how many of the 256 signs differ.
func (l look) differences(m look) (n int) {
	for i := range l {
		n += bits.OnesCount64(l[i] ^ m[i])
	}
	return n
}

// meanColour is the mean over the middle of a face, where there is skin whatever
// the hair and the background are.
func meanColour(img *image.YCbCr, box image.Rectangle) (rgb [3]float64) {
	middle := box.Inset(min(box.Dx(), box.Dy()) / 5).Intersect(img.Bounds())
	var y, cb, cr, n float64
	for py := middle.Min.Y; py < middle.Max.Y; py += 2 {
		for px := middle.Min.X; px < middle.Max.X; px += 2 {
			c := img.COffset(px, py)
			y += float64(img.Y[img.YOffset(px, py)])
			cb += float64(img.Cb[c]) - 128
			cr += float64(img.Cr[c]) - 128
			n++
		}
	}
	if n == 0 {
		return rgb
	}
	y, cb, cr = y/n, cb/n, cr/n
	return [3]float64{y + 1.402*cr, y - 0.344136*cb - 0.714136*cr, y + 1.772*cb} // JFIF
}
