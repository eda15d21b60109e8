package biometrics

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

// imageKind is one of the formats that the gate decodes. The formats are called
// by name: image.Decode would try whatever else the binary has registered.
type imageKind struct {
	name         string
	decodeConfig func(io.Reader) (image.Config, error)
	decode       func(io.Reader) (image.Image, error)
	// precheck refuses what the size of the picture does not bound.
	precheck func(data []byte, pixels, maxPixels int) error
	exif     func(data []byte) []byte
}

var (
	jpegKind = imageKind{"JPEG", jpeg.DecodeConfig, jpeg.Decode, checkJPEGScans, jpegEXIF}
	pngKind  = imageKind{"PNG", png.DecodeConfig, png.Decode, checkNothing, pngEXIF}
	webpKind = imageKind{"WebP", webp.DecodeConfig, decodeWebP, checkNothing, webpEXIF}
)

func checkNothing([]byte, int, int) error { return nil }

// decodeWebP decodes and, where the picture is lossy, stretches its levels: VP8 has
// black at 16 and white at 235, the decoder hands them out as if they were JPEG's
// 0 and 255, and the picture would be flat and grey.
func decodeWebP(r io.Reader) (image.Image, error) {
	img, err := webp.Decode(r)
	if err != nil {
		return nil, err
	}
	switch img := img.(type) {
	case *image.YCbCr:
		stretch(img)
	case *image.NYCbCrA:
		stretch(&img.YCbCr)
	}
	return img, nil
}

func stretch(img *image.YCbCr) {
	var luma, chroma [256]uint8
	for v := range 256 {
		luma[v] = uint8(max(0, min(255, ((v-16)*255+109)/219)))
		chroma[v] = uint8(max(0, min(255, 128+(v-128)*255/224)))
	}
	for i, v := range img.Y {
		img.Y[i] = luma[v]
	}
	for i, v := range img.Cb {
		img.Cb[i] = chroma[v]
	}
	for i, v := range img.Cr {
		img.Cr[i] = chroma[v]
	}
}

// sniff tells the format by its first bytes, never by a name or a media type.
func sniff(data []byte) (imageKind, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return jpegKind, nil
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return pngKind, nil
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return webpKind, nil
	case len(data) == 0:
		return imageKind{}, imageErrorf(ImageDamaged, "no bytes")
	}
	return imageKind{}, imageErrorf(ImageUnsupported, "neither JPEG, PNG nor WebP")
}

func (k imageKind) orientation(data []byte) int {
	return exifOrientation(k.exif(data))
}

// decodeError sorts a decoder's error into what it cannot do and what is broken.
func decodeError(kind imageKind, err error) error {
	var unsupportedJPEG jpeg.UnsupportedError
	var unsupportedPNG png.UnsupportedError
	if errors.As(err, &unsupportedJPEG) || errors.As(err, &unsupportedPNG) {
		return imageErrorf(ImageUnsupported, "%s: %v", kind.name, err)
	}
	return imageErrorf(ImageDamaged, "%s: %v", kind.name, err)
}

// Limits of the scans of a JPEG. Encoders write about ten; each costs a pass over
// all blocks however few bytes it has, so a picture within both other limits could
// otherwise keep a core busy for minutes.
const (
	maxScans      = 64
	maxPixelScans = 16 // times the gate's limit of pixels: scans of the largest picture
)

func checkJPEGScans(data []byte, pixels, maxPixels int) error {
	scans := 0
	for marker := range jpegSegments(data) {
		if marker == markerSOS {
			scans++
		}
	}
	if scans > maxScans || int64(scans)*int64(pixels) > maxPixelScans*int64(maxPixels) {
		return imageErrorf(ImageUnsupported, "JPEG of %d scans and %d pixels", scans, pixels)
	}
	return nil
}

const (
	markerSOI  = 0xd8
	markerEOI  = 0xd9
	markerSOS  = 0xda
	markerAPP1 = 0xe1
)

// jpegSegments yields each marker with its payload, up to the end of the image
// or of the data, whichever comes first. Entropy-coded bytes are stepped over.
func jpegSegments(data []byte) func(yield func(marker byte, payload []byte) bool) {
	return func(yield func(byte, []byte) bool) {
		for {
			// The next marker: 0xff, any number of fill bytes, then neither a
			// stuffed zero nor a restart.
			i := bytes.IndexByte(data, 0xff)
			if i < 0 {
				return
			}
			for i < len(data) && data[i] == 0xff {
				i++
			}
			if i >= len(data) {
				return
			}
			marker := data[i]
			data = data[i+1:]
			if marker == 0 || marker == 1 || marker == markerSOI || (0xd0 <= marker && marker <= 0xd7) {
				continue
			}
			if marker == markerEOI || len(data) < 2 {
				return
			}
			length := int(binary.BigEndian.Uint16(data))
			if length < 2 || length > len(data) {
				return
			}
			if !yield(marker, data[2:length]) {
				return
			}
			data = data[length:]
		}
	}
}
