//go:build dlib

package dlib

import (
	"fmt"
	"image"

	face "github.com/Kagami/go-face"

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
	return e.again(picture)
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

// Frames up to enlargeFrom pixels long are enlarged for the second look, by
// enlargeNum/enlargeDen: it costs twice as much as the first one, and every frame
// that shows no face pays for it.
const (
	enlargeNum, enlargeDen = 3, 2
	enlargeFrom            = 800
)

// again looks at an enlarged frame: the frontal detector sees no face below some 80
// pixels, and whoever sits that far away is to be told to come nearer. The CNN would
// see more, profiles too, but the landmarks of a profile are made up: they would pass
// for a face that looks straight.
func (e *Engine) again(frame picture) ([]biometrics.Face, error) {
	if max(frame.size.X, frame.size.Y) > enlargeFrom {
		return nil, nil
	}
	large, err := frame.enlarged(enlargeNum, enlargeDen)
	if err != nil {
		return nil, err
	}
	defer large.free()
	faces, err := convert(e.recognizer.Recognize(large.bytes()))
	if err != nil {
		return nil, err
	}
	back := func(p image.Point) image.Point { return p.Mul(enlargeDen).Div(enlargeNum) }
	for i := range faces {
		f := &faces[i]
		f.Box = image.Rectangle{Min: back(f.Box.Min), Max: back(f.Box.Max)}
		for j, p := range f.Landmarks {
			f.Landmarks[j] = back(p)
		}
	}
	return faces, nil
}
