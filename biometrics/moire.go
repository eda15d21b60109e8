package biometrics

import (
	"image"
	"math"
	"math/cmplx"
	"slices"
	"sync"
)

// moireSide is the side of the patch in which a regular pattern is looked for. It is
// a power of two, for the transform.
const moireSide = 64

// moire is how far the strongest regular pattern in the middle of a face stands
// out: the base 10 logarithm of the greatest power of its spectrum over the median
// of those of the same frequency, among periods of 2 to 8 pixels. The pixels of a screen, or the dots of a print, and those of the camera
// make patterns that stand out more; a screen out of focus doesn't.
func moire(luma plane, box image.Rectangle) float64 {
	at := box.Min.Add(box.Max).Div(2).Sub(image.Pt(moireSide/2, moireSide/2))
	at.X = min(max(at.X, 0), luma.width-moireSide)
	at.Y = min(max(at.Y, 0), luma.height-moireSide)
	if at.X < 0 || at.Y < 0 {
		return 0
	}
	var grid [moireSide][moireSide]complex128
	mean := 0.0
	for y := range grid {
		for x := range grid[y] {
			v := float64(luma.pix[(at.Y+y)*luma.stride+at.X+x])
			grid[y][x] = complex(v, 0)
			mean += v / (moireSide * moireSide)
		}
	}
	t := tables()
	for y := range grid {
		for x := range grid[y] {
			grid[y][x] = complex((real(grid[y][x])-mean)*t.window[x]*t.window[y], 0)
		}
		t.transform(&grid[y])
	}
	var rings [moireSide][]float64 // powers by frequency, whatever their direction
	var column [moireSide]complex128
	// The picture is real, so half of the columns say all.
	for u := range moireSide / 2 {
		for y := range grid {
			column[y] = grid[y][u]
		}
		t.transform(&column)
		for v := range column {
			dv := min(v, moireSide-v)
			// Along the axes are the blocks of JPEG.
			if u <= 1 || dv <= 1 {
				continue
			}
			ring := int(math.Hypot(float64(u), float64(dv)))
			rings[ring] = append(rings[ring], real(column[v])*real(column[v])+imag(column[v])*imag(column[v]))
		}
	}
	strongest := 0.0
	for _, powers := range rings[moireSide/8 : moireSide/2] {
		greatest := slices.Max(powers)
		if middle := median(powers); middle > 0 {
			strongest = max(strongest, math.Log10(greatest/middle))
		}
	}
	return strongest
}

// fourier holds what a transform of moireSide values needs.
type fourier struct {
	window  [moireSide]float64 // von Hann's
	twiddle [moireSide / 2]complex128
	reverse [moireSide]int // bits of the index turned round
}

var tables = sync.OnceValue(func() *fourier {
	var t fourier
	for i := range t.window {
		t.window[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/moireSide)
		for bit := 1; bit < moireSide; bit <<= 1 {
			t.reverse[i] <<= 1
			if i&bit != 0 {
				t.reverse[i]++
			}
		}
	}
	for i := range t.twiddle {
		t.twiddle[i] = cmplx.Rect(1, -2*math.Pi*float64(i)/moireSide)
	}
	return &t
})

// transform is the fast Fourier transform of Cooley and Tukey (1965), in place.
func (t *fourier) transform(v *[moireSide]complex128) {
	for i, j := range t.reverse {
		if i < j {
			v[i], v[j] = v[j], v[i]
		}
	}
	for half := 1; half < moireSide; half *= 2 {
		for start := 0; start < moireSide; start += 2 * half {
			for i := range half {
				a, b := v[start+i], v[start+i+half]*t.twiddle[i*moireSide/(2*half)]
				v[start+i], v[start+i+half] = a+b, a-b
			}
		}
	}
}
