package synth

import (
	"image"
	"math"
)

// Shape is what a photo is stretched over before it is turned.
type Shape interface {
	// depth is how far before the eyes' plane a point of the photo is, and how much
	// it moves along with the face, 1 to 0, both by its place in millimetres.
	depth(x, y float64) (z, along float64)
}

// Skull is a head: an ellipsoid with a nose, laid out apart from the landmarks of
// Head. What is around it is drawn along less and less.
type Skull struct{ Relief float64 }

func (s Skull) depth(x, y float64) (z, along float64) {
	r := math.Hypot(x/78, (y-25)/125)
	z = -62
	if r < 1 {
		z = max(z, -95+105*math.Sqrt(1-r*r))
	}
	// The ridge of the nose rises to its tip and falls to the lip.
	ridge := 0.0
	switch {
	case y > -6 && y <= 35:
		ridge = 26 * (y + 6) / 41
	case y > 35 && y < 52:
		ridge = 26 * (52 - y) / 17
	}
	z += ridge * math.Exp(-x*x/(2*9*9))
	lips := (y - 76) / 14
	z += 6 * math.Exp(-x*x/(2*22*22)-lips*lips/2)
	return z * s.Relief, 1 - smooth((r-1)/0.9)
}

// Sheet is a picture on paper or on a screen: flat, or bent around an upright or a
// lying cylinder of that radius in millimetres; 0 is flat.
type Sheet struct{ UprightRadius, LyingRadius float64 }

func (s Sheet) depth(x, y float64) (z, along float64) {
	if s.UprightRadius > 0 {
		z -= s.UprightRadius * (1 - math.Cos(min(math.Abs(x)/s.UprightRadius, math.Pi/2)))
	}
	if s.LyingRadius > 0 {
		z -= s.LyingRadius * (1 - math.Cos(min(math.Abs(y-35)/s.LyingRadius, math.Pi/2)))
	}
	return z, 1
}

func smooth(t float64) float64 {
	t = min(max(t, 0), 1)
	return t * t * (3 - 2*t)
}

// Place is where a face is, apart from where it looks: offsets in millimetres and
// a factor of the size; the zero value is the middle at full size.
type Place struct {
	X, Y float64
	Near float64 // 0.1 is ten per cent larger
}

const (
	meshStep = 5   // pixels of the frame
	distance = 550 // millimetres from the camera
)

// Render draws a photo over a shape that looks and stands so. A Sheet ends where
// the photo ends, and behind it is grey.
func (p *Photo) Render(s Shape, l Look, at Place) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, Width, Height))
	for i := range out.Pix {
		out.Pix[i] = 120
	}
	camera := Camera{X: eyesX, Y: eyesY, Scale: scale, Distance: distance}
	const columns, rows = Width/meshStep + 9, Height/meshStep + 9
	mesh := make([]vertex, 0, columns*rows)
	for j := range rows {
		for i := range columns {
			px, py := float64((i-4)*meshStep), float64((j-4)*meshStep)
			x, y := (px-eyesX)/scale, (py-eyesY)/scale
			z, along := s.depth(x, y)
			turned := l.Turn(Vec{x, y, z})
			tx, ty := camera.Project(turned)
			rx, ry := camera.Project(Vec{x, y, z})
			tx += at.X*scale + (tx-eyesX)*at.Near
			ty += at.Y*scale + (ty-eyesY)*at.Near
			mesh = append(mesh, vertex{
				x: px + along*(tx-rx), y: py + along*(ty-ry), z: turned.Z,
				u: px * photoScale, v: py * photoScale,
			})
		}
	}
	canvas := canvas{out, make([]float32, Width*Height)}
	for i := range canvas.depth {
		canvas.depth[i] = math.MaxFloat32
	}
	for j := range rows - 1 {
		for i := range columns - 1 {
			a, b := mesh[j*columns+i], mesh[j*columns+i+1]
			c, d := mesh[(j+1)*columns+i], mesh[(j+1)*columns+i+1]
			canvas.triangle(p.img, a, b, c)
			canvas.triangle(p.img, b, d, c)
		}
	}
	return out
}

// vertex is a place in the frame with its depth, and the place in the photo.
type vertex struct{ x, y, z, u, v float64 }

type canvas struct {
	out   *image.RGBA
	depth []float32 // of what is drawn, distance to the camera
}

// triangle draws a part of a photo where nothing nearer is.
func (c canvas) triangle(photo *image.RGBA, p, q, r vertex) {
	area := (q.x-p.x)*(r.y-p.y) - (r.x-p.x)*(q.y-p.y)
	if math.Abs(area) < 1e-9 {
		return
	}
	left, right := int(math.Floor(min(p.x, q.x, r.x))), int(math.Ceil(max(p.x, q.x, r.x)))
	top, bottom := int(math.Floor(min(p.y, q.y, r.y))), int(math.Ceil(max(p.y, q.y, r.y)))
	for y := max(top, 0); y <= min(bottom, Height-1); y++ {
		for x := max(left, 0); x <= min(right, Width-1); x++ {
			fx, fy := float64(x), float64(y)
			b := ((fx-p.x)*(r.y-p.y) - (r.x-p.x)*(fy-p.y)) / area
			g := ((q.x-p.x)*(fy-p.y) - (fx-p.x)*(q.y-p.y)) / area
			a := 1 - b - g
			const edge = -1e-6
			if a < edge || b < edge || g < edge {
				continue
			}
			depth := float32(distance - (a*p.z + b*q.z + g*r.z))
			if depth >= c.depth[y*Width+x] {
				continue
			}
			u, v := a*p.u+b*q.u+g*r.u, a*p.v+b*q.v+g*r.v
			if u < 0 || v < 0 || u > Width*photoScale || v > Height*photoScale {
				continue
			}
			c.depth[y*Width+x] = depth
			red, green, blue := sample(photo, u, v)
			pix := c.out.Pix[y*c.out.Stride+4*x:]
			pix[0], pix[1], pix[2], pix[3] = uint8(red), uint8(green), uint8(blue), 255
		}
	}
}
