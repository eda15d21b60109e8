package biometrics

import (
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// fit returns the size that a picture of this size is scaled to: unchanged where
// its long side is within the limit.
func fit(size image.Point, longSide int) image.Point {
	long := max(size.X, size.Y)
	if long <= longSide {
		return size
	}
	scale := func(v int) int { return max(1, (v*longSide+long/2)/long) }
	return image.Pt(scale(size.X), scale(size.Y))
}

// upright returns the picture scaled, over white and turned as its orientation
// says: as RGBA, since the JPEG encoder would give a grey picture a single
// component, or as it is where it is YCbCr and needs none of it.
func upright(img image.Image, longSide, orientation int) image.Image {
	bounds := img.Bounds()
	size := fit(bounds.Size(), longSide)
	if _, ok := img.(*image.YCbCr); ok && size == bounds.Size() && orientation == 1 {
		return img
	}
	scaled := image.NewRGBA(image.Rectangle{Max: size})
	if opaque, ok := img.(interface{ Opaque() bool }); !ok || !opaque.Opaque() {
		draw.Draw(scaled, scaled.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	}
	if size == bounds.Size() {
		draw.Draw(scaled, scaled.Bounds(), img, bounds.Min, draw.Over)
	} else {
		// Bilinear over the whole footprint of each pixel, so that scaling down
		// does not alias; sharper kernels cost more and move descriptors no less.
		draw.BiLinear.Scale(scaled, scaled.Bounds(), img, bounds, draw.Over, nil)
	}
	return turn(scaled, orientation)
}

// turn undoes an EXIF orientation, 1 to 8. The values are named for where row 0
// and column 0 of the stored picture belong.
func turn(src *image.RGBA, orientation int) *image.RGBA {
	if orientation < 2 || orientation > 8 {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	size := image.Pt(w, h)
	if orientation >= 5 {
		size = image.Pt(h, w)
	}
	dst := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			sx, sy := source(orientation, x, y, w, h)
			copy(dst.Pix[dst.PixOffset(x, y):][:4], src.Pix[src.PixOffset(sx, sy):][:4])
		}
	}
	return dst
}

// source returns the stored pixel that belongs at x, y of the upright picture; w
// and h are the stored size.
func source(orientation, x, y, w, h int) (sx, sy int) {
	switch orientation {
	case 2: // mirrored
		return w - 1 - x, y
	case 3: // upside down
		return w - 1 - x, h - 1 - y
	case 4: // upside down and mirrored
		return x, h - 1 - y
	case 5: // transposed
		return y, x
	case 6: // lies on its left side: turn clockwise
		return y, h - 1 - x
	case 7: // transposed over the other diagonal
		return w - 1 - y, h - 1 - x
	case 8: // lies on its right side: turn counterclockwise
		return w - 1 - y, x
	}
	return x, y
}
