package biometrics

import "image"

// Edges are looked for in a picture of this width, which blurs what is finer than a
// screen's frame or a sheet's edge.
const borderWidth = 120

// border counts the sides of a face, 0 to 4, on which a straight edge runs past it,
// as those of a telephone or a sheet of paper do. Rooms have such edges too: doors,
// shelves and curtains, rarely on more than two sides.
func border(luma plane, box image.Rectangle) (sides int) {
	if luma.width < borderWidth {
		return 0
	}
	w, h := borderWidth, max(1, luma.height*borderWidth/luma.width)
	small := make([]uint8, w*h)
	// Every other row is enough, and half the work.
	rows := plane{luma.pix, 2 * luma.stride, luma.width, luma.height / 2}
	resample(small, w, h, rows, image.Rect(0, 0, rows.width, rows.height))
	face := image.Rect(box.Min.X*w/luma.width, box.Min.Y*w/luma.width, box.Max.X*w/luma.width, box.Max.Y*w/luma.width)
	at := func(x, y int) int { return int(small[y*w+x]) }
	turned := func(x, y int) int { return int(small[x*w+y]) }
	for _, side := range []bool{
		edge(at, 1, face.Min.X, w, face.Min.Y, face.Max.Y, h),
		edge(at, face.Max.X, w-1, w, face.Min.Y, face.Max.Y, h),
		edge(turned, 1, face.Min.Y, h, face.Min.X, face.Max.X, w),
		edge(turned, face.Max.Y, h-1, h, face.Min.X, face.Max.X, w),
	} {
		if side {
			sides++
		}
	}
	return sides
}

// edge reports whether between from and to there is a line, upright but for a small
// slant, along which nearly every step across goes the same way. It runs half a face
// beyond top and bottom.
func edge(at func(x, y int) int, from, to, w, top, bottom, h int) bool {
	beyond := (bottom - top) / 2
	top, bottom = max(top-beyond, 0), min(bottom+beyond, h)
	length := bottom - top
	if length < 10 {
		return false
	}
	const step, slant, share = 20, 4, 0.9
	for x := max(from, 1); x < min(to, w-1); x++ {
		for lean := -slant; lean <= slant; lean++ {
			up, down := 0, 0
			for y := top; y < bottom; y += 2 {
				cx := x + lean*(y-top)/length
				if cx < 1 || cx >= w-1 {
					break
				}
				switch d := at(cx+1, y) - at(cx-1, y); {
				case d > step:
					up++
				case d < -step:
					down++
				}
			}
			if float64(max(up, down)) >= share*float64((length+1)/2) {
				return true
			}
		}
	}
	return false
}
