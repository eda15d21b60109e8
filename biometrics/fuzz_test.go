package biometrics

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"testing"
)

// FuzzOpen hands foreign bytes to the gate. Property: it refuses with an
// ImageError, or makes pixels in 4:2:0 within its limits, the same each time.
func FuzzOpen(f *testing.F) {
	config := GateConfig{MaxBytes: 64 << 10, MaxPixels: 1 << 17, LongSide: 100, MinSide: 8, Parallel: 4, Queue: 4}
	gate, err := NewGate(config)
	if err != nil {
		f.Fatal(err)
	}
	small := quadrantPicture(40, 30)
	f.Add(encodePNG(f, small))
	f.Add(pngWithEXIF(encodePNG(f, small), exifBlock(binary.LittleEndian, 5)))
	f.Add(jpegWithEXIF(encodeJPEG(f, small), exifBlock(binary.BigEndian, 8)))
	for _, name := range []string{"progressive.jpg", "cmyk.jpg", "lossy.webp", "lossless.webp", "alpha.webp"} {
		f.Add(fixture(f, name))
	}
	for _, bomb := range bombs(f) {
		f.Add(bomb)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := gate.Open(context.Background(), data)
		var refused *ImageError
		if err != nil {
			if !errors.As(err, &refused) {
				t.Fatalf("refused by %T: %v", err, err)
			}
			return
		}
		made := frame.Pixels()
		if made.SubsampleRatio != image.YCbCrSubsampleRatio420 || made.Rect != image.Rect(0, 0, frame.Width(), frame.Height()) {
			t.Fatalf("frame of %dx%d is %v with %v", frame.Width(), frame.Height(), made.Rect, made.SubsampleRatio)
		}
		if max(frame.Width(), frame.Height()) > config.LongSide || min(frame.Width(), frame.Height()) < config.MinSide {
			t.Fatalf("frame of %v", made.Rect)
		}
		last := made.Rect.Max.Sub(image.Pt(1, 1))
		_ = made.YCbCrAt(last.X, last.Y) // its planes are as long as it says
		again, err := gate.Open(context.Background(), data)
		if err != nil || again.Sum() != frame.Sum() {
			t.Fatalf("another frame the second time: %v", err)
		}
	})
}

// FuzzEXIF reads foreign tags. Property: the orientation is one of eight, and turns
// every pixel of a picture to a place of its own.
func FuzzEXIF(f *testing.F) {
	f.Add(exifBlock(binary.LittleEndian, 6))
	f.Add(exifBlock(binary.BigEndian, 3))
	f.Fuzz(func(t *testing.T, tiff []byte) {
		orientation := exifOrientation(tiff)
		if orientation < 1 || orientation > 8 {
			t.Fatalf("orientation %d", orientation)
		}
		w, h := 3, 2
		if orientation >= 5 {
			w, h = h, w
		}
		seen := make(map[image.Point]bool)
		for y := range 2 {
			for x := range 3 {
				sx, sy := source(orientation, x, y, w, h)
				p := image.Pt(sx, sy)
				if !p.In(image.Rect(0, 0, w, h)) || seen[p] {
					t.Fatalf("orientation %d: %d,%d comes from %v", orientation, x, y, p)
				}
				seen[p] = true
			}
		}
	})
}

// FuzzDescriptor reads what may have been a sealed template. Property: what is read
// is finite and is written as the same bytes.
func FuzzDescriptor(f *testing.F) {
	f.Add(make([]byte, DescriptorBytes))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d Descriptor
		err := d.UnmarshalBinary(data)
		if err != nil {
			return
		}
		if !d.Finite() {
			t.Fatal("read a descriptor that is not finite")
		}
		again, err := d.MarshalBinary()
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("descriptor changed when written again: %v", err)
		}
	})
}
