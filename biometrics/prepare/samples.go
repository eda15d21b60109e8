package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"os"
	"path"
	"path/filepath"
)

// sampleFaces is where the faces of the npm package's photos are, with a margin
// that the detector needs, as dlib found them once. The people of one photo are
// different people; across photos nobody knows.
var sampleFaces = map[string][]image.Rectangle{
	"sample1": {image.Rect(231, 231, 727, 727), image.Rect(679, 331, 1174, 826), image.Rect(1353, 130, 1767, 543)},
	"sample2": {image.Rect(1333, 88, 1746, 502)},
	"sample3": {image.Rect(430, 231, 925, 727), image.Rect(874, 69, 1470, 663), image.Rect(1351, 207, 1846, 702)},
	"sample4": {image.Rect(523, 6, 937, 418), image.Rect(835, 109, 1248, 522), image.Rect(1161, 108, 1507, 453)},
	"sample5": {
		image.Rect(231, 804, 727, 1299), image.Rect(504, 337, 916, 750), image.Rect(669, 27, 1083, 439),
		image.Rect(981, 130, 1393, 543), image.Rect(1270, 337, 1684, 750),
	},
	"sample6": {
		image.Rect(132, 405, 627, 901), image.Rect(505, 231, 1000, 727), image.Rect(1027, 231, 1522, 727),
		image.Rect(1302, 181, 1797, 676),
	},
}

// samples puts the photos of the npm package beside the models, whole (sample1.jpg)
// and one face each (sample1-face1.jpg, from the left): tests use them where no
// other photos are. Production needs none, so it is no error when they can't be
// had.
func (p *preparer) samples(ctx context.Context) {
	dir := filepath.Join(p.dir, "samples")
	_, err := os.Stat(dir)
	if err == nil {
		return
	}
	err = p.cutSamples(ctx, dir)
	if err != nil {
		p.say("%-42s missing: %v", "samples (for tests)", err)
		return
	}
	p.say("%-42s ready: photos of npm %s", "samples (for tests)", npmPackage)
}

func (p *preparer) cutSamples(ctx context.Context, dir string) error {
	files, err := p.npm(ctx)
	if err != nil {
		return err
	}
	// Whole or not at all: the folder gets its name last.
	temp, err := os.MkdirTemp(p.dir, ".samples")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	err = os.Chmod(temp, 0o755)
	if err != nil {
		return err
	}
	for sample, faces := range sampleFaces {
		photo := files[path.Join("demo", sample+".jpg")]
		err = os.WriteFile(filepath.Join(temp, sample+".jpg"), photo, 0o644)
		if err != nil {
			return err
		}
		img, err := jpeg.Decode(bytes.NewReader(photo))
		if err != nil {
			return fmt.Errorf("%s: %w", sample, err)
		}
		for i, box := range faces {
			face := image.NewRGBA(image.Rectangle{Max: box.Size()})
			draw.Draw(face, face.Bounds(), img, box.Min, draw.Src)
			var out bytes.Buffer
			err = jpeg.Encode(&out, face, &jpeg.Options{Quality: 95})
			if err != nil {
				return err
			}
			err = os.WriteFile(filepath.Join(temp, fmt.Sprintf("%s-face%d.jpg", sample, i+1)), out.Bytes(), 0o644)
			if err != nil {
				return err
			}
		}
	}
	return os.Rename(temp, dir)
}
