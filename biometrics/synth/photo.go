package synth

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"golang.org/x/image/draw"
	"golang.org/x/image/math/f64"
)

// Size of the frames that are made, in pixels.
const (
	Width  = 480
	Height = 360
)

// scale is how many pixels of a frame a millimetre of the face is: a detector's box
// is some 150 pixels wide. The middle of the eyes is at eyesX, eyesY.
const (
	scale = 0.95
	eyesX = Width / 2
	eyesY = Height * 2 / 5
)

// photoScale is how many pixels of a Photo are one of a frame.
const photoScale = 1.5

// Photo is a picture of one face, brought upright to a known place and size.
type Photo struct {
	img  *image.RGBA
	face [68]Vec // landmarks in millimetres from the middle of the eyes; Z is unused
}

// NewPhoto takes a picture with the 68 landmarks of the face in it, which must look
// straight.
func NewPhoto(img image.Image, landmarks []image.Point) (*Photo, error) {
	if len(landmarks) != 68 {
		return nil, fmt.Errorf("%d landmarks, want 68", len(landmarks))
	}
	at := func(i int) Vec { return Vec{X: float64(landmarks[i].X), Y: float64(landmarks[i].Y)} }
	left, right, base := at(36), at(45), at(33)
	roll := math.Atan2(right.Y-left.Y, right.X-left.X)
	sin, cos := math.Sincos(-roll)
	middle := Vec{X: (left.X + right.X) / 2, Y: (left.Y + right.Y) / 2}
	upright := func(p Vec) Vec {
		x, y := p.X-middle.X, p.Y-middle.Y
		return Vec{X: x*cos - y*sin, Y: x*sin + y*cos}
	}
	// The height from eyes to nose is 49 mm in Head, whichever way a face looks.
	perMM := upright(base).Y / 49
	if perMM < 0.75 {
		return nil, fmt.Errorf("a face of %.1f pixels between eyes and nose is too small to be warped", upright(base).Y)
	}
	half := upright(right).X
	if turned := upright(at(30)).X / half; math.Abs(turned) > 0.17 {
		return nil, fmt.Errorf("a face whose nose is %.2f off the middle can't be turned further", turned)
	}
	p := &Photo{img: image.NewRGBA(image.Rect(0, 0, Width*photoScale, Height*photoScale))}
	for i := range p.face {
		v := upright(at(i))
		p.face[i] = Vec{X: v.X / perMM, Y: v.Y / perMM}
	}
	draw.Draw(p.img, p.img.Rect, image.NewUniform(color.Gray{110}), image.Point{}, draw.Src)
	k := scale * photoScale / perMM
	draw.BiLinear.Transform(p.img, f64.Aff3{
		k * cos, -k * sin, eyesX*photoScale - k*(cos*middle.X-sin*middle.Y),
		k * sin, k * cos, eyesY*photoScale - k*(sin*middle.X+cos*middle.Y),
	}, img, img.Bounds(), draw.Src, nil)
	return p, nil
}

// row is where millimetres below the eyes are in the photo.
func row(y float64) float64 { return (eyesY + y*scale) * photoScale }

// Express returns the photo with lids and lips moved as the look says.
func (p *Photo) Express(l Look) *Photo {
	if l.Shut == 0 && l.Open == 0 {
		return p
	}
	out := &Photo{img: image.NewRGBA(p.img.Rect), face: p.face}
	copy(out.img.Pix, p.img.Pix)
	if l.Shut > 0 {
		out.columns(p, p.face[36].X, p.face[39].X, p.lids(l.Shut, []int{36, 37, 38, 39}, []int{36, 41, 40, 39}))
		out.columns(p, p.face[42].X, p.face[45].X, p.lids(l.Shut, []int{42, 43, 44, 45}, []int{42, 47, 46, 45}))
	}
	if l.Open > 0 {
		middle := (p.face[48].X + p.face[54].X) / 2
		out.columns(p, middle-jawWidth, middle+jawWidth, p.jaw(l.Open))
	}
	return out
}

// stretch is a piecewise linear map along one column: a stretch from of the
// source is shown at to. Inside, where nothing is behind, it is dark.
type stretch struct {
	from, to []float64
	inside   int // index of the piece that is dark; -1 for none
}

// columns redraws the columns between left and right, in millimetres.
func (p *Photo) columns(source *Photo, left, right float64, at func(x float64) stretch) {
	for px := int((eyesX + left*scale) * photoScale); px < int((eyesX+right*scale)*photoScale); px++ {
		if px < 0 || px >= p.img.Rect.Dx() {
			continue
		}
		s := at((float64(px)/photoScale - eyesX) / scale)
		top, bottom := row(s.to[0]), row(s.to[len(s.to)-1])
		for py := max(0, int(top)); py < min(p.img.Rect.Dy(), int(bottom)); py++ {
			y := (float64(py)/photoScale - eyesY) / scale
			i := 0
			for i < len(s.to)-2 && y >= s.to[i+1] {
				i++
			}
			if i == s.inside {
				p.img.SetRGBA(px, py, color.RGBA{48, 20, 20, 255})
				continue
			}
			if s.to[i+1]-s.to[i] < 1e-9 {
				continue
			}
			k := (y - s.to[i]) / (s.to[i+1] - s.to[i])
			sy := row(s.from[i] + k*(s.from[i+1]-s.from[i]))
			r, g, b := sample(source.img, float64(px), sy)
			p.img.SetRGBA(px, py, color.RGBA{uint8(r), uint8(g), uint8(b), 255})
		}
	}
}

// lids brings upper and lower lid together.
func (p *Photo) lids(shut float64, upper, lower []int) func(x float64) stretch {
	return func(x float64) stretch {
		u, l := p.line(upper, x)-1, p.line(lower, x)+1
		meet := u + 0.75*(l-u)
		return stretch{
			from:   []float64{u - 11, u, l, l + 9},
			to:     []float64{u - 11, u + shut*0.92*(meet-u), l + shut*0.92*(meet-l), l + 9},
			inside: -1,
		}
	}
}

// How far a jaw falls when the mouth is open, and how far from the middle cheeks
// are drawn along, in millimetres.
const (
	jawFall  = 24
	jawWidth = 62
)

// jaw lowers what is below the line between the lips.
func (p *Photo) jaw(open float64) func(x float64) stretch {
	middle := (p.face[48].X + p.face[54].X) / 2
	half := (p.face[54].X - p.face[48].X) / 2
	chin := p.face[8].Y
	return func(x float64) stretch {
		off := math.Abs(x - middle)
		lips := p.line([]int{48, 60, 61, 62, 63, 64, 54}, x)
		gap := 0.0
		if off < half {
			gap = open * jawFall * math.Sqrt(1-off*off/(half*half))
		}
		fall := open * jawFall * (0.5 + 0.5*math.Cos(math.Pi*off/jawWidth))
		return stretch{
			from:   []float64{lips - 1, lips, lips, chin, chin + 70},
			to:     []float64{lips - 1, lips, lips + gap, chin + fall, chin + 70},
			inside: 1,
		}
	}
}

// line is the height of a line through landmarks, from left to right, at x.
func (p *Photo) line(landmarks []int, x float64) float64 {
	for i := 1; i < len(landmarks); i++ {
		a, b := p.face[landmarks[i-1]], p.face[landmarks[i]]
		if x <= b.X || i == len(landmarks)-1 {
			if b.X-a.X < 1e-9 {
				return a.Y
			}
			return a.Y + min(max((x-a.X)/(b.X-a.X), 0), 1)*(b.Y-a.Y)
		}
	}
	return 0
}

// sample reads a picture between its pixels.
func sample(img *image.RGBA, x, y float64) (r, g, b float64) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	x, y = min(max(x, 0), float64(w-1)-1e-6), min(max(y, 0), float64(h-1)-1e-6)
	ix, iy := int(x), int(y)
	fx, fy := x-float64(ix), y-float64(iy)
	a := img.Pix[iy*img.Stride+4*ix:]
	c := img.Pix[(iy+1)*img.Stride+4*ix:]
	mix := func(i int) float64 {
		top := float64(a[i]) + fx*(float64(a[i+4])-float64(a[i]))
		low := float64(c[i]) + fx*(float64(c[i+4])-float64(c[i]))
		return top + fy*(low-top)
	}
	return mix(0), mix(1), mix(2)
}
