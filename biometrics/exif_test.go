package biometrics

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"testing"
)

// TestOrientation shows the gate a picture stored in each of the eight ways and
// wants it upright: white, red, green, blue in reading order.
func TestOrientation(t *testing.T) {
	t.Parallel()
	upright := quadrantPicture(320, 240)
	for orientation := 1; orientation <= 8; orientation++ {
		// The stored picture is the one whose pixels source finds.
		w, h := 320, 240
		if orientation >= 5 {
			w, h = h, w
		}
		stored := image.NewRGBA(image.Rect(0, 0, w, h))
		for y := range 240 {
			for x := range 320 {
				sx, sy := source(orientation, x, y, w, h)
				stored.Set(sx, sy, upright.At(x, y))
			}
		}
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			tiff := exifBlock(order, uint16(orientation))
			for kind, data := range map[string][]byte{
				"JPEG": jpegWithEXIF(encodeJPEG(t, stored), tiff),
				"PNG":  pngWithEXIF(encodePNG(t, stored), tiff),
			} {
				frame, err := newGate(t).Open(context.Background(), data)
				if err != nil {
					t.Fatal(err)
				}
				img := frame.Pixels()
				for i, want := range quadrants {
					if !near(img, 80+i%2*160, 60+i/2*120, want) {
						t.Errorf("%s, orientation %d, %v: quadrant %d is %v, want %v", kind, orientation, order, i, img.At(80+i%2*160, 60+i/2*120), want)
					}
				}
			}
		}
	}
}

// TestOrientationByTheBook pins the meaning of the values, which the test above
// takes from the code: where the text says the stored row 0 and column 0 belong.
func TestOrientationByTheBook(t *testing.T) {
	t.Parallel()
	// For a stored picture of 3x2, the stored pixel that is upright's top left.
	for orientation, want := range map[int]image.Point{
		1: {0, 0}, // row 0 is the top, column 0 the left side
		2: {2, 0}, // top, right
		3: {2, 1}, // bottom, right
		4: {0, 1}, // bottom, left
		5: {0, 0}, // left, top
		6: {0, 1}, // right, top
		7: {2, 1}, // right, bottom
		8: {2, 0}, // left, bottom
	} {
		x, y := source(orientation, 0, 0, 3, 2)
		if image.Pt(x, y) != want {
			t.Errorf("orientation %d: top left comes from %d,%d, want %v", orientation, x, y, want)
		}
	}
	// 5 and 6 differ in which way is right: stored row 0 is the left side of one and
	// the right side of the other.
	for orientation, want := range map[int]image.Point{5: {0, 1}, 6: {0, 0}, 7: {2, 0}, 8: {2, 1}} {
		x, y := source(orientation, 1, 0, 3, 2)
		if image.Pt(x, y) != want {
			t.Errorf("orientation %d: top right comes from %d,%d, want %v", orientation, x, y, want)
		}
	}
}

func TestWebPOrientation(t *testing.T) {
	t.Parallel()
	frame, err := newGate(t).Open(context.Background(), webpWithEXIF(fixture(t, "lossless.webp"), exifBlock(binary.LittleEndian, 3)))
	if err != nil {
		t.Fatal(err)
	}
	if img := frame.Pixels(); !near(img, 80, 60, quadrants[3]) {
		t.Errorf("top left is %v, want %v", img.At(80, 60), quadrants[3])
	}
}

func TestMalformedEXIFIsUpright(t *testing.T) {
	t.Parallel()
	good := exifBlock(binary.BigEndian, 6)
	change := func(at int, b ...byte) []byte {
		out := bytes.Clone(good)
		copy(out[at:], b)
		return out
	}
	const second = 8 + 2 + 12 // the orientation's entry
	for name, tiff := range map[string][]byte{
		"none":            nil,
		"short":           good[:7],
		"no magic":        change(0, 'X'),
		"offset beyond":   change(4, 0xff, 0xff, 0xff, 0xff),
		"offset before":   change(4, 0, 0, 0, 2),
		"cut entry":       good[:second+11],
		"zero":            change(second+8, 0, 0),
		"nine":            change(second+8, 0, 9),
		"long":            change(second+2, 0, 4),
		"several":         change(second+4, 0, 0, 0, 2),
		"none by count":   change(8, 0, 1),
		"many by count":   good[:second-1],
		"other byte sort": change(0, 'I', 'I', '*', 0),
	} {
		if got := exifOrientation(tiff); got != 1 {
			t.Errorf("%s: orientation %d, want 1", name, got)
		}
	}
	if got := exifOrientation(good); got != 6 {
		t.Errorf("orientation %d, want 6", got)
	}
}
