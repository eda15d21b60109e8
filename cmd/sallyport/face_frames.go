package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"
	"math/rand/v2"

	"github.com/sallyport/sallyport/biometrics"
)

// captureFrames makes frames of one capture of one photo: each is turned by up to 4
// degrees, cropped and moved by up to 4 %, lit by up to 10 % more or less, with the
// noise of a webcam, and encoded at quality 85. The same photo gives the same frames.
func captureFrames(ctx context.Context, gate *biometrics.Gate, photo biometrics.Frame, n int) ([]biometrics.Frame, error) {
	img := image.NewRGBA(image.Rect(0, 0, photo.Width(), photo.Height()))
	draw.Draw(img, img.Bounds(), photo.Pixels(), image.Point{}, draw.Src)
	sum := photo.Sum()
	r := rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), 0)) //nolint:gosec // reproducible, not secret
	var frames []biometrics.Frame
	for range n {
		var out bytes.Buffer
		err := jpeg.Encode(&out, vary(img, r), &jpeg.Options{Quality: 85})
		if err != nil {
			return nil, err
		}
		frame, err := gate.Open(ctx, out.Bytes())
		if err != nil {
			return nil, err
		}
		frames = append(frames, frame)
	}
	return frames, nil
}

// vary draws the picture turned, cropped, lit and noisy.
func vary(img *image.RGBA, r *rand.Rand) image.Image {
	signed := func(limit float64) float64 { return limit * (2*r.Float64() - 1) }
	b := img.Bounds()
	size := float64(min(b.Dx(), b.Dy()))
	sin, cos := math.Sincos(signed(4 * math.Pi / 180))
	zoom, light := 1-0.04*r.Float64(), 1+signed(0.1)
	dx, dy := signed(0.04)*size, signed(0.04)*size
	cx, cy := float64(b.Dx())/2, float64(b.Dy())/2
	out := image.NewRGBA(b)
	for y := range b.Dy() {
		for x := range b.Dx() {
			u, v := (float64(x)-cx)*zoom, (float64(y)-cy)*zoom
			red, green, blue := between(img, cx+u*cos-v*sin+dx, cy+u*sin+v*cos+dy)
			noise := float64(r.IntN(13) - 6)
			out.SetRGBA(x, y, color.RGBA{byteOf(red*light + noise), byteOf(green*light + noise), byteOf(blue*light + noise), 255})
		}
	}
	return out
}

// between is the colour at a point between pixels, from 0 to 255 a channel. Outside
// of the picture it is that of the edge.
func between(img *image.RGBA, x, y float64) (red, green, blue float64) {
	b := img.Bounds()
	left, top := int(math.Floor(x)), int(math.Floor(y))
	fx, fy := x-float64(left), y-float64(top)
	for _, corner := range [4]struct {
		x, y   int
		weight float64
	}{{0, 0, (1 - fx) * (1 - fy)}, {1, 0, fx * (1 - fy)}, {0, 1, (1 - fx) * fy}, {1, 1, fx * fy}} {
		at := img.PixOffset(min(max(left+corner.x, 0), b.Max.X-1), min(max(top+corner.y, 0), b.Max.Y-1))
		red += float64(img.Pix[at]) * corner.weight
		green += float64(img.Pix[at+1]) * corner.weight
		blue += float64(img.Pix[at+2]) * corner.weight
	}
	return red, green, blue
}

func byteOf(v float64) uint8 { return uint8(min(max(math.Round(v), 0), 255)) }
