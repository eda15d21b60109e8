//go:build dlib

package dlib

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"

	face "github.com/Kagami/go-face"
	"golang.org/x/image/draw"

	"github.com/sallyport/sallyport/biometrics"
)

// Look finds the faces of a frame's pixels, left to right. Where the frontal detector
// finds none it looks again, at an enlarged frame. It is for the worker process, to
// which frames come as bytes.
func (e *Engine) Look(img *image.YCbCr) ([]biometrics.Face, error) {
	picture, err := encode(img)
	if err != nil {
		return nil, err
	}
	defer picture.free()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.recognizer == nil {
		return nil, errClosed
	}
	if e.model.Detector == biometrics.DetectorCNN {
		return convert(e.recognizer.RecognizeCNN(picture.bytes()))
	}
	faces, err := convert(e.recognizer.Recognize(picture.bytes()))
	if err != nil || len(faces) > 0 {
		return faces, err
	}
	return e.again(img)
}

// convert brings faces into our form, for dlib's rectangles include their last row
// and column.
func convert(found []face.Face, err error) ([]biometrics.Face, error) {
	if err != nil {
		return nil, fmt.Errorf("frame: %v", err)
	}
	faces := make([]biometrics.Face, len(found))
	for i, f := range found {
		box := f.Rectangle
		box.Max = box.Max.Add(image.Pt(1, 1))
		faces[i] = biometrics.Face{Box: box, Landmarks: f.Shapes, Descriptor: biometrics.Descriptor(f.Descriptor)}
	}
	return faces, nil
}

// Frames up to enlargeFrom pixels long are enlarged for the second look, so that it
// costs at most some 1600 by 1200 pixels.
const (
	enlarge     = 2
	enlargeFrom = 800
)

// again looks at an enlarged frame: the frontal detector sees no face below some 80
// pixels. The CNN would see more, profiles too, but the landmarks of a profile are
// made up: they would pass for a face that looks straight.
func (e *Engine) again(img *image.YCbCr) ([]biometrics.Face, error) {
	size := img.Bounds().Size()
	if max(size.X, size.Y) > enlargeFrom {
		return nil, nil
	}
	large := image.NewRGBA(image.Rectangle{Max: size.Mul(enlarge)})
	draw.ApproxBiLinear.Scale(large, large.Rect, img, img.Bounds(), draw.Src, nil)
	var out bytes.Buffer
	err := jpeg.Encode(&out, large, &jpeg.Options{Quality: jpegQuality})
	if err != nil {
		return nil, fmt.Errorf("frame: %v", err)
	}
	faces, err := convert(e.recognizer.Recognize(out.Bytes()))
	if err != nil {
		return nil, err
	}
	for i := range faces {
		f := &faces[i]
		f.Box = image.Rectangle{Min: f.Box.Min.Div(enlarge), Max: f.Box.Max.Div(enlarge)}
		for j, p := range f.Landmarks {
			f.Landmarks[j] = p.Div(enlarge)
		}
	}
	return faces, nil
}
