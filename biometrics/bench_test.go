package biometrics_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"testing"

	"github.com/sallyport/sallyport/biometrics"
)

// upload is a 640x480 picture as a camera sends it: waves and some noise.
func upload(b *testing.B) []byte {
	b.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 640, 480))
	noise := uint32(1)
	for y := range 480 {
		for x := range 640 {
			noise = noise*1664525 + 1013904223
			v := 120 + 60*math.Sin(float64(x)/17)*math.Cos(float64(y)/23) + float64(noise>>28)
			img.SetRGBA(x, y, color.RGBA{uint8(v), uint8(v * 0.8), uint8(v * 0.7), 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 85}); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkFrame is what a frame costs beside the engine: through the gate, and
// measured. The bare decoder, in the same run, is what it can be compared with.
func BenchmarkFrame(b *testing.B) {
	data := upload(b)
	gate, err := biometrics.NewGate(biometrics.DefaultGateConfig())
	if err != nil {
		b.Fatal(err)
	}
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("gate", func(b *testing.B) {
		for b.Loop() {
			if _, err := gate.Open(b.Context(), data); err != nil {
				b.Fatal(err)
			}
		}
	})
	frame, err := gate.Open(b.Context(), data)
	if err != nil {
		b.Fatal(err)
	}
	face := biometrics.Face{Box: image.Rect(220, 120, 420, 320), Landmarks: landmarks68()}
	b.Run("see", func(b *testing.B) {
		for b.Loop() {
			biometrics.See(frame, biometrics.Observation{Faces: []biometrics.Face{face}}, biometrics.DefaultRules())
		}
	})
}

// landmarks68 are just enough of a face to be measured.
func landmarks68() []image.Point {
	l := make([]image.Point, 68)
	for i, p := range map[int]image.Point{36: {260, 190}, 39: {300, 190}, 42: {340, 190}, 45: {380, 190}, 27: {320, 185}, 30: {320, 240}, 33: {320, 260}, 62: {320, 285}, 66: {320, 287}, 8: {320, 330}} {
		l[i] = p
	}
	return l
}
