package biometrics

import (
	"image"
	"math"
)

// Quality is what can be told of a face's picture without knowing whose it is.
// ISO/IEC 29794-5 names the properties; the figures are our own.
type Quality struct {
	FacePixels int     // width of the box
	Sharpness  float64 // variance of the Laplacian of the face at 112 pixels
	Luma       float64 // mean, 0 to 255
	Contrast   float64 // standard deviation of the luma
}

// faceSide is the width to which a face is scaled before it is measured, so that
// sharpness means the same for near and far ones.
const faceSide = 112

// assess measures a face cut out at 112 by 112 pixels, given as luma.
func (q *Quality) assess(face *[faceSide * faceSide]uint8) {
	var sum, squares int
	for _, v := range face {
		sum += int(v)
		squares += int(v) * int(v)
	}
	n := float64(len(face))
	q.Luma = float64(sum) / n
	q.Contrast = math.Sqrt(max(0, float64(squares)/n-q.Luma*q.Luma))

	sum, squares = 0, 0
	for y := 1; y < faceSide-1; y++ {
		for x := 1; x < faceSide-1; x++ {
			i := y*faceSide + x
			edge := int(face[i-1]) + int(face[i+1]) + int(face[i-faceSide]) + int(face[i+faceSide]) - 4*int(face[i])
			sum += edge
			squares += edge * edge
		}
	}
	n = (faceSide - 2) * (faceSide - 2)
	mean := float64(sum) / n
	q.Sharpness = float64(squares)/n - mean*mean
}

// problem is the first thing that is wrong with a face, in the order in which a
// person would mend them; empty if nothing is.
func (q Quality) problem(r Rules, box image.Rectangle, frame image.Point) CaptureReason {
	inside := box.Intersect(image.Rectangle{Max: frame})
	switch {
	case q.FacePixels < r.FacePixels:
		return ReasonSmall
	case 10*box.Dy() > 9*frame.Y || 10*box.Dx() > 9*frame.X:
		return ReasonLarge
	case 10*inside.Dx()*inside.Dy() < 9*box.Dx()*box.Dy():
		return ReasonOutside
	case q.Luma < r.LumaMin:
		return ReasonDark
	case q.Luma > r.LumaMax:
		return ReasonBright
	case q.Contrast < r.Contrast:
		return ReasonFlat
	case q.Sharpness < r.Sharpness:
		return ReasonBlurred
	}
	return ""
}
