//go:build dlib

package dlib

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"
)

// TestEncodeIsThePicture: what go-face is handed is the frame, but for an odd last
// column or row and what quantisation takes.
func TestEncodeIsThePicture(t *testing.T) {
	for _, size := range []image.Point{{2, 2}, {16, 16}, {77, 35}, {160, 121}} {
		img := slope(size)
		p, err := encode(img)
		if err != nil {
			t.Fatal(size, err)
		}
		defer p.free()
		decoded, err := jpeg.Decode(bytes.NewReader(p.bytes()))
		if err != nil {
			t.Fatal(size, err)
		}
		got, ok := decoded.(*image.YCbCr)
		if want := image.Rect(0, 0, size.X&^1, size.Y&^1); !ok || got.Rect != want {
			t.Fatalf("%v: %T of %v, want %v", size, decoded, decoded.Bounds(), want)
		}
		for y := range got.Rect.Dy() {
			for x := range got.Rect.Dx() {
				a, b := got.YCbCrAt(x, y), img.YCbCrAt(x, y)
				if far(a.Y, b.Y) || far(a.Cb, b.Cb) || far(a.Cr, b.Cr) {
					t.Fatalf("%v: %v at %d, %d, want %v", size, a, x, y, b)
				}
			}
		}
	}
}

// TestEnlargedIsThePicture: three halves as large, odd sizes too, and the same to see.
func TestEnlargedIsThePicture(t *testing.T) {
	for _, size := range []image.Point{{2, 2}, {16, 16}, {78, 34}, {160, 120}} {
		img := slope(size)
		p, err := encode(img)
		if err != nil {
			t.Fatal(size, err)
		}
		defer p.free()
		large, err := p.enlarged(3, 2)
		if err != nil {
			t.Fatal(size, err)
		}
		defer large.free()
		decoded, err := jpeg.Decode(bytes.NewReader(large.bytes()))
		if err != nil {
			t.Fatal(size, err)
		}
		got, ok := decoded.(*image.YCbCr)
		if want := image.Rect(0, 0, size.X*3/2, size.Y*3/2); !ok || got.Rect != want || large.size != want.Max {
			t.Fatalf("%v: %T of %v, want %v", size, decoded, decoded.Bounds(), want)
		}
		for y := range got.Rect.Dy() {
			for x := range got.Rect.Dx() {
				a, b := got.YCbCrAt(x, y), img.YCbCrAt(x*2/3, y*2/3)
				if far(a.Y, b.Y) || far(a.Cb, b.Cb) || far(a.Cr, b.Cr) {
					t.Fatalf("%v: %v at %d, %d, want %v", size, a, x, y, b)
				}
			}
		}
	}
	if _, err := (picture{}).enlarged(3, 2); err == nil {
		t.Error("nothing was enlarged")
	}
}

// slope is a picture whose planes rise and fall evenly, so that it looks alike at
// every scale.
func slope(size image.Point) *image.YCbCr {
	img := image.NewYCbCr(image.Rectangle{Max: size}, image.YCbCrSubsampleRatio420)
	for y := range size.Y {
		for x := range size.X {
			img.Y[img.YOffset(x, y)] = uint8(20 + x + y/2)
			img.Cb[img.COffset(x, y)], img.Cr[img.COffset(x, y)] = uint8(60+x/2), uint8(200-y/2)
		}
	}
	return img
}

func far(a, b uint8) bool { return max(a, b)-min(a, b) > 6 }
