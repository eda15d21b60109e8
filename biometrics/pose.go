package biometrics

import (
	"image"
	"math"
)

// Pose is how a head is turned, from its landmarks. Yaw is a proxy without unit:
// how far the nose lies from the middle of the outer eye corners, along the line
// through them, as a share of half their distance; 0 is straight, positive is the
// person's own left, about 0.35 a clear turn (some 22 degrees). Roll is the angle
// of that line in radians, positive clockwise as seen.
type Pose struct {
	Yaw, Roll float64
}

type point struct{ x, y float64 }

func (p point) sub(q point) point     { return point{p.x - q.x, p.y - q.y} }
func (p point) add(q point) point     { return point{p.x + q.x, p.y + q.y} }
func (p point) scale(k float64) point { return point{p.x * k, p.y * k} }
func (p point) dot(q point) float64   { return p.x*q.x + p.y*q.y }
func (p point) cross(q point) float64 { return p.x*q.y - p.y*q.x }
func (p point) length() float64       { return math.Hypot(p.x, p.y) }
func middle(points ...image.Point) (m point) {
	for _, p := range points {
		m = m.add(point{float64(p.X), float64(p.Y)})
	}
	return m.scale(1 / float64(len(points)))
}

// features are what is measured of a face's landmarks, in pixels of the frame.
// Left and right are those of the picture.
type features struct {
	leftEye, rightEye point // outer corners
	nose              point // tip, or base with five landmarks
	bridge, lips      point // between the eyes, and the middle of the mouth; 68 landmarks only
	pose              Pose
	place             point   // middle of the face
	size              float64 // height from the eyes to the nose's base: a turn to the side leaves it as it is
	width             float64 // distance of the outer eye corners over the height from eyes to chin, or to nose with five: a turn makes it less
	relief            float64 // how far the nose's tip is off the line from bridge to lips, over size; 68 landmarks only
	eyes              float64 // height of the eyes over their width; 68 landmarks only
	mouth             float64 // gap of the lips over size; 68 landmarks only
}

// baseYaw is how much less the base of the nose moves than its tip. Five landmarks
// have the base alone.
const baseYaw = 1.45

// measure reads 68 landmarks (iBUG 300-W order) or five (dlib's: outer and inner
// corner of the eye at the right of the picture, of that at the left, base of the
// nose). It is false for any other number and for points that are no face.
func measure(l []image.Point) (f features, ok bool) {
	var base point
	switch len(l) {
	case 68:
		f.leftEye, f.rightEye = middle(l[36]), middle(l[45])
		f.nose, base = middle(l[30]), middle(l[33])
		f.bridge, f.lips = middle(l[27]), middle(l[62], l[66])
	case 5:
		f.leftEye, f.rightEye = middle(l[2]), middle(l[0])
		f.nose, base = middle(l[4]), middle(l[4])
	default:
		return features{}, false
	}
	line := f.rightEye.sub(f.leftEye)
	between := line.length()
	if between < 1 || line.x <= 0 {
		return features{}, false
	}
	line = line.scale(1 / between)
	eyes := f.leftEye.add(f.rightEye).scale(0.5)
	f.size = line.cross(base.sub(eyes)) // positive: below the eyes
	if f.size < 1 {
		return features{}, false
	}
	f.pose = Pose{
		Yaw:  line.dot(f.nose.sub(eyes)) / (between / 2),
		Roll: math.Atan2(line.y, line.x),
	}
	f.place = eyes.add(base).scale(0.5)
	if len(l) == 5 {
		f.width = between / f.size
		f.pose.Yaw *= baseYaw
		return f, true
	}
	// The chin lies about as far forward as the eyes, so that nodding hardly changes
	// its distance from them.
	chin := line.cross(middle(l[8]).sub(eyes))
	if chin < 1 {
		return features{}, false
	}
	f.width = between / chin
	axis := f.lips.sub(f.bridge)
	if axis.length() < 1 {
		return features{}, false
	}
	// Positive to the right of the picture, like yaw, for an axis that points down.
	f.relief = axis.scale(-1/axis.length()).cross(f.nose.sub(f.bridge)) / f.size
	f.eyes = (eyeHeight(l[36:42]) + eyeHeight(l[42:48])) / 2
	f.mouth = middle(l[66]).sub(middle(l[62])).length() / f.size
	return f, true
}

// eyeHeight is the eye aspect ratio of Soukupová and Čech (2016): the mean of the
// two distances between the lids over that of the corners.
func eyeHeight(l []image.Point) float64 {
	width := middle(l[3]).sub(middle(l[0])).length()
	if width < 1 {
		return 0
	}
	return (middle(l[5]).sub(middle(l[1])).length() + middle(l[4]).sub(middle(l[2])).length()) / (2 * width)
}
