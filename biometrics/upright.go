package biometrics

import (
	"image"
	"image/color"
	"image/draw"
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

// upright returns the picture scaled, over white, in 4:2:0 and turned as its
// orientation says. A decoder's YCbCr that needs none of it is returned as it is:
// that is what cameras send, and it costs nothing. Other copies of the picture are
// wiped.
func upright(img image.Image, longSide, orientation int) *image.YCbCr {
	out, ok := img.(*image.YCbCr)
	if !ok {
		out = inYCbCr(img)
	}
	if size := fit(out.Rect.Size(), longSide); size != out.Rect.Size() || out.SubsampleRatio != image.YCbCrSubsampleRatio420 {
		scaled := image.NewYCbCr(image.Rectangle{Max: size}, image.YCbCrSubsampleRatio420)
		for i, to := range planes(scaled) {
			from := planes(out)[i]
			resample(to.pix, to.width, to.height, from, image.Rect(0, 0, from.width, from.height))
		}
		wipe(out)
		out = scaled
	}
	if orientation < 2 || orientation > 8 {
		return out
	}
	turned := turn(out, orientation)
	wipe(out)
	return turned
}

// planes are the three components of a picture that begins at 0, 0.
func planes(img *image.YCbCr) [3]plane {
	size := img.Rect.Size()
	last := img.COffset(size.X-1, size.Y-1)
	chroma := image.Pt(last%img.CStride+1, last/img.CStride+1)
	return [3]plane{
		{img.Y, img.YStride, size.X, size.Y},
		{img.Cb, img.CStride, chroma.X, chroma.Y},
		{img.Cr, img.CStride, chroma.X, chroma.Y},
	}
}

// inYCbCr converts a picture, laid over white, and wipes what it was.
func inYCbCr(img image.Image) *image.YCbCr {
	bounds := img.Bounds()
	flat := image.NewRGBA(image.Rectangle{Max: bounds.Size()})
	draw.Draw(flat, flat.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(flat, flat.Rect, img, bounds.Min, draw.Over)
	out := image.NewYCbCr(flat.Rect, image.YCbCrSubsampleRatio444)
	for y := range flat.Rect.Dy() {
		row := flat.Pix[y*flat.Stride:][:4*flat.Rect.Dx()]
		for x := range flat.Rect.Dx() {
			i := y*out.YStride + x
			out.Y[i], out.Cb[i], out.Cr[i] = color.RGBToYCbCr(row[4*x], row[4*x+1], row[4*x+2])
		}
	}
	clear(flat.Pix)
	switch img := img.(type) {
	case *image.Gray:
		clear(img.Pix)
	case *image.RGBA:
		clear(img.Pix)
	case *image.NRGBA:
		clear(img.Pix)
	case *image.CMYK:
		clear(img.Pix)
	case *image.NYCbCrA:
		wipe(&img.YCbCr)
	}
	return out
}

// turn undoes an EXIF orientation, 2 to 8. The values are named for where row 0
// and column 0 of the stored picture belong.
func turn(src *image.YCbCr, orientation int) *image.YCbCr {
	size := src.Rect.Size()
	if orientation >= 5 {
		size = image.Pt(size.Y, size.X)
	}
	dst := image.NewYCbCr(image.Rectangle{Max: size}, src.SubsampleRatio)
	for i, to := range planes(dst) {
		from := planes(src)[i]
		for y := range to.height {
			for x := range to.width {
				sx, sy := source(orientation, x, y, from.width, from.height)
				to.pix[y*to.stride+x] = from.pix[sy*from.stride+sx]
			}
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
