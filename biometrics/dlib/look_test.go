//go:build dlib

package dlib

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"path/filepath"
	"testing"

	"golang.org/x/image/draw"

	"github.com/sallyport/sallyport/biometrics/facetest"
)

// TestSecondLook shrinks a photo until the detector alone can't find the face, and
// looks for it where it was shrunk to.
func TestSecondLook(t *testing.T) {
	frame := openFrame(t, filepath.Join(facetest.Samples(t), "sample2-face1.jpg"))
	img := frame.Pixels()
	large, err := testEngine(t).Look(img)
	if err != nil || len(large) != 1 {
		t.Fatal(len(large), err)
	}
	const width = 56 // of the face
	k := float64(width) / float64(large[0].Box.Dx())
	small := image.NewRGBA(image.Rect(0, 0, 640, 480))
	draw.Draw(small, small.Rect, image.NewUniform(color.Gray{120}), image.Point{}, draw.Src)
	size := img.Bounds().Size()
	to := image.Rect(200, 100, 200+int(k*float64(size.X)), 100+int(k*float64(size.Y)))
	draw.CatmullRom.Scale(small, to, img, img.Bounds(), draw.Src, nil)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	shrunk, err := testGate().Open(t.Context(), out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	picture, err := encode(shrunk.Pixels())
	if err != nil {
		t.Fatal(err)
	}
	defer picture.free()
	e := testEngine(t)
	e.mu.Lock()
	first, err := convert(e.recognizer.Recognize(picture.bytes()))
	e.mu.Unlock()
	if err != nil || len(first) != 0 {
		t.Fatalf("the first look sees %d faces of %d pixels, %v: the second is not reached", len(first), width, err)
	}
	found, err := e.Look(shrunk.Pixels())
	if err != nil || len(found) != 1 {
		t.Fatalf("%d faces, %v; want the one of %d pixels", len(found), err, width)
	}
	box := found[0].Box
	if box.Dx() < width/2 || box.Dx() > 2*width || !box.In(to.Inset(-width/2)) {
		t.Errorf("the face is at %v, want it within %v", box, to)
	}
	for _, p := range found[0].Landmarks {
		if !p.In(to.Inset(-width / 2)) {
			t.Errorf("landmark %v is outside of %v", p, to)
		}
	}
}
