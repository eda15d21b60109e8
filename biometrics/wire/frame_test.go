package wire

import (
	"bytes"
	"image"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testPicture has another value in each place, as a decoder's picture has with gaps
// behind its rows.
func testPicture(width, height int) *image.YCbCr {
	img := image.NewYCbCr(image.Rect(0, 0, width+3, height+2), image.YCbCrSubsampleRatio420)
	img.Rect.Max = image.Pt(width, height)
	for i, plane := range [][]byte{img.Y, img.Cb, img.Cr} {
		for j := range plane {
			plane[j] = byte(i*80 + j)
		}
	}
	return img
}

func TestFrameRoundTrip(t *testing.T) {
	t.Parallel()
	for _, size := range []image.Point{{1, 1}, {2, 2}, {7, 5}, {640, 480}, {MaxSide, 2}} {
		want := testPicture(size.X, size.Y)
		payload, err := EncodeFrame(want)
		if err != nil {
			t.Fatal(err)
		}
		if len(payload) > maxFrame {
			t.Errorf("%v takes %d bytes, limit %d", size, len(payload), maxFrame)
		}
		got, err := DecodeFrame(payload)
		if err != nil || got.Rect != want.Rect {
			t.Fatal(size, got, err)
		}
		for y := range size.Y {
			for x := range size.X {
				if got.YCbCrAt(x, y) != want.YCbCrAt(x, y) {
					t.Fatalf("%v: %v at %d, %d, want %v", size, got.YCbCrAt(x, y), x, y, want.YCbCrAt(x, y))
				}
			}
		}
	}
}

func TestFramesThatAreNone(t *testing.T) {
	t.Parallel()
	for name, img := range map[string]*image.YCbCr{
		"none":       nil,
		"empty":      {SubsampleRatio: image.YCbCrSubsampleRatio420},
		"4:4:4":      image.NewYCbCr(image.Rect(0, 0, 8, 8), image.YCbCrSubsampleRatio444),
		"not from 0": image.NewYCbCr(image.Rect(2, 0, 8, 8), image.YCbCrSubsampleRatio420),
		"too wide":   image.NewYCbCr(image.Rect(0, 0, MaxSide+1, 8), image.YCbCrSubsampleRatio420),
	} {
		if _, err := EncodeFrame(img); err == nil {
			t.Errorf("%s was encoded", name)
		}
	}
	good, err := EncodeFrame(testPicture(3, 3))
	if err != nil {
		t.Fatal(err)
	}
	for name, payload := range map[string][]byte{
		"nothing":   nil,
		"no planes": good[:4],
		"cut":       good[:len(good)-1],
		"longer":    append(bytes.Clone(good), 0),
		"no width":  append([]byte{0, 0}, good[2:]...),
		"too high":  append([]byte{0, 1, 0xff, 0xff}, good[4:]...),
	} {
		if _, err := DecodeFrame(payload); err == nil {
			t.Errorf("%s was decoded", name)
		}
	}
}

// FuzzDecodeFrame is the worker's side. Property: what decodes is encoded to the very
// same bytes.
func FuzzDecodeFrame(f *testing.F) {
	for _, size := range []image.Point{{1, 1}, {3, 4}} {
		seed, err := EncodeFrame(testPicture(size.X, size.Y))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		img, err := DecodeFrame(data)
		if err != nil {
			return
		}
		again, err := EncodeFrame(img)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(data, again); diff != "" {
			t.Fatal(diff)
		}
	})
}
