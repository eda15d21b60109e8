// Package synth plays people and attackers before a camera that isn't there, for
// tests of liveness: a head of 68 landmarks that turns, shuts its eyes and opens
// its mouth, photos that are warped as if the head in them did, and pictures of
// pictures. What it makes is no substitute for people; it shows that the rules do
// what they say.
package synth

import "math"

// Vec is a point in millimetres: x to the right of the picture, y down, z towards
// the camera. The middle of the outer eye corners is at 0, 0.
type Vec struct{ X, Y, Z float64 }

// Look is what a head does. Angles are radians.
type Look struct {
	Yaw   float64 // positive to the person's own left
	Pitch float64 // positive down
	Roll  float64 // positive clockwise, as seen
	Shut  float64 // eyes: 0 open to 1 shut
	Open  float64 // mouth: 0 closed to 1 open
}

// half is one side of an average adult head with the landmarks' numbers in the
// iBUG 300-W order, laid out by hand after anthropometric means (Farkas 1994).
var half = []struct {
	left, right int // right is -1 on the midline
	at          Vec
}{
	{0, 16, Vec{-74, 2, -72}}, {1, 15, Vec{-73, 18, -70}}, {2, 14, Vec{-71, 36, -66}}, {3, 13, Vec{-67, 54, -58}},
	{4, 12, Vec{-59, 70, -44}}, {5, 11, Vec{-47, 84, -28}}, {6, 10, Vec{-33, 95, -14}}, {7, 9, Vec{-17, 102, -3}}, {8, -1, Vec{0, 104, 1}},
	{17, 26, Vec{-58, -22, -8}}, {18, 25, Vec{-50, -29, 2}}, {19, 24, Vec{-38, -32, 9}}, {20, 23, Vec{-26, -30, 13}}, {21, 22, Vec{-14, -26, 15}},
	{27, -1, Vec{0, -4, 14}}, {28, -1, Vec{0, 9, 20}}, {29, -1, Vec{0, 22, 27}}, {30, -1, Vec{0, 35, 34}},
	{31, 35, Vec{-16, 44, 14}}, {32, 34, Vec{-8, 47, 19}}, {33, -1, Vec{0, 49, 22}},
	{36, 45, Vec{-45, 0, -6}}, {37, 44, Vec{-37, -6, 2}}, {38, 43, Vec{-26, -6, 4}}, {39, 42, Vec{-17, 1, 3}}, {40, 47, Vec{-26, 4, 3}}, {41, 46, Vec{-37, 4, 1}},
	{48, 54, Vec{-25, 74, 4}}, {49, 53, Vec{-16, 69, 12}}, {50, 52, Vec{-6, 67, 17}}, {51, -1, Vec{0, 68, 18}},
	{59, 55, Vec{-16, 81, 11}}, {58, 56, Vec{-6, 84, 15}}, {57, -1, Vec{0, 85, 16}},
	{60, 64, Vec{-21, 74, 6}}, {61, 63, Vec{-8, 73, 14}}, {62, -1, Vec{0, 73, 15}}, {67, 65, Vec{-8, 75, 14}}, {66, -1, Vec{0, 76, 15}},
}

// Head is the average head at rest: 68 landmarks.
func Head() (points [68]Vec) {
	for _, p := range half {
		points[p.left] = p.at
		if p.right >= 0 {
			points[p.right] = Vec{-p.at.X, p.at.Y, p.at.Z}
		}
	}
	return points
}

// Express moves lids and lips of a head at rest. Where it is known, lids meet a
// little below the middle, and the jaw falls by a quarter of the mouth's width.
func (l Look) Express(head [68]Vec) [68]Vec {
	for _, lid := range [][2]int{{37, 41}, {38, 40}, {43, 47}, {44, 46}} {
		upper, lower := &head[lid[0]], &head[lid[1]]
		meet := upper.Y + 0.7*(lower.Y-upper.Y)
		upper.Y += l.Shut * 0.85 * (meet - upper.Y)
		lower.Y += l.Shut * 0.85 * (meet - lower.Y)
	}
	const fall = 26 // millimetres
	for _, i := range []int{55, 56, 57, 58, 59, 65, 66, 67, 6, 7, 8, 9, 10} {
		head[i].Y += l.Open * fall
	}
	return head
}

// pivot is where a head turns, behind and below the face.
var pivot = Vec{0, 60, -95}

// Turn moves a point of the head as the look says.
func (l Look) Turn(p Vec) Vec {
	p = Vec{p.X - pivot.X, p.Y - pivot.Y, p.Z - pivot.Z}
	sin, cos := math.Sincos(l.Pitch)
	p.Y, p.Z = p.Y*cos+p.Z*sin, p.Z*cos-p.Y*sin
	sin, cos = math.Sincos(l.Yaw)
	p.X, p.Z = p.X*cos+p.Z*sin, p.Z*cos-p.X*sin
	sin, cos = math.Sincos(l.Roll)
	p.X, p.Y = p.X*cos-p.Y*sin, p.X*sin+p.Y*cos
	return Vec{p.X + pivot.X, p.Y + pivot.Y, p.Z + pivot.Z}
}

// Camera is a pinhole: where the middle of the head at rest is, in pixels, how many
// pixels a millimetre is there, and how far away it is in millimetres.
type Camera struct {
	X, Y, Scale, Distance float64
}

// Project returns where a point is seen.
func (c Camera) Project(p Vec) (x, y float64) {
	k := c.Scale * c.Distance / (c.Distance - p.Z)
	return c.X + p.X*k, c.Y + p.Y*k
}
