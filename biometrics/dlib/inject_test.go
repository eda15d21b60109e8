//go:build dlib

package dlib

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"

	"golang.org/x/image/draw"
)

// sizes is one picture in several sizes, none of them equal to another by its sum.
func sizes(t testing.TB, upload []byte) (out [][]byte) {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(upload))
	if err != nil {
		t.Fatal(err)
	}
	for width := 480; width < 640; width += 4 {
		scaled := image.NewRGBA(image.Rect(0, 0, width, width*3/4))
		draw.ApproxBiLinear.Scale(scaled, scaled.Rect, img, img.Bounds(), draw.Src, nil)
		var b bytes.Buffer
		if err := jpeg.Encode(&b, scaled, &jpeg.Options{Quality: 90}); err != nil {
			t.Fatal(err)
		}
		out = append(out, b.Bytes())
	}
	return out
}
