package synth

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
)

// Sensor is what a camera adds to what is before it.
type Sensor struct {
	Noise   float64    // standard deviation of the noise of each pixel, in levels
	Gain    float64    // of the exposure, 1 for none
	Light   [3]float64 // levels of red, green and blue that a screen adds to a mid grey
	Quality int        // of the JPEG
}

// noise is normally distributed; drawing it anew for each pixel took longer than the
// rest of a frame.
var noise = func() (v [1 << 16]float64) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range v {
		v[i] = r.NormFloat64()
	}
	return v
}()

// DefaultSensor is a webcam in a lit room.
var DefaultSensor = Sensor{Noise: 3, Gain: 1, Quality: 85}

// Shoot returns an upload of what is before the camera. The picture is changed.
func (s Sensor) Shoot(img *image.RGBA, r *rand.Rand) []byte {
	gain := [3]float64{s.Gain + s.Light[0]/128, s.Gain + s.Light[1]/128, s.Gain + s.Light[2]/128}
	at := 0
	for i := 0; i < len(img.Pix); i += 4 {
		if i%img.Stride == 0 {
			at = r.IntN(len(noise)) // else every row would continue the one above
		}
		for c := range 3 {
			v := float64(img.Pix[i+c])*gain[c] + s.Noise*noise[at&(len(noise)-1)]
			img.Pix[i+c] = uint8(min(max(v, 0), 255))
			at++
		}
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, img, &jpeg.Options{Quality: s.Quality})
	if err != nil {
		panic(err) // a buffer takes everything
	}
	return out.Bytes()
}
