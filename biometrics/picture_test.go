package biometrics

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// The pictures of these tests are 320x240: white and red above green and blue. The
// ones that Go can't write are in testdata.
var quadrants = [4]color.RGBA{{255, 255, 255, 255}, {200, 40, 40, 255}, {40, 160, 60, 255}, {30, 50, 190, 255}}

func paint(img interface{ Set(x, y int, c color.Color) }, width, height int) {
	for y := range height {
		for x := range width {
			quadrant := 0
			if x >= width/2 {
				quadrant = 1
			}
			if y >= height/2 {
				quadrant += 2
			}
			img.Set(x, y, quadrants[quadrant])
		}
	}
}

func quadrantPicture(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	paint(img, width, height)
	return img
}

func encodePNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	err := png.Encode(&out, img)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func encodeJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 95})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func newGate(t testing.TB) *Gate {
	t.Helper()
	gate, err := NewGate(DefaultGateConfig())
	if err != nil {
		t.Fatal(err)
	}
	return gate
}

// near reports whether the pixel is of that colour but for what JPEG loses.
func near(img image.Image, x, y int, want color.RGBA) bool {
	r, g, b, _ := img.At(x, y).RGBA()
	off := func(got uint32, want uint8) bool { return max(got>>8, uint32(want))-min(got>>8, uint32(want)) > 8 }
	return !off(r, want.R) && !off(g, want.G) && !off(b, want.B)
}

// exifBlock is a TIFF structure with that orientation behind another tag.
func exifBlock(order binary.AppendByteOrder, orientation uint16) []byte {
	out := []byte("II*\x00")
	if order.String() == "BigEndian" {
		out = []byte("MM\x00*")
	}
	out = order.AppendUint32(out, 8)
	out = order.AppendUint16(out, 2)
	for _, entry := range [][2]uint16{{0x0100, 320}, {tagOrientation, orientation}} {
		out = order.AppendUint16(out, entry[0])
		out = order.AppendUint16(out, typeShort)
		out = order.AppendUint32(out, 1)
		out = order.AppendUint16(out, entry[1])
		out = order.AppendUint16(out, 0)
	}
	return order.AppendUint32(out, 0)
}

func jpegWithEXIF(picture, tiff []byte) []byte {
	segment := append([]byte("Exif\x00\x00"), tiff...)
	out := []byte{0xff, markerSOI, 0xff, markerAPP1}
	out = binary.BigEndian.AppendUint16(out, uint16(len(segment)+2))
	out = append(out, segment...)
	return append(out, picture[2:]...)
}

// pngChunk is a chunk with its checksum.
func pngChunk(kind string, payload []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))
	out = append(append(out, kind...), payload...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

func pngWithEXIF(picture, tiff []byte) []byte {
	const header = 8 + 25 // signature and IHDR
	out := append([]byte{}, picture[:header]...)
	out = append(out, pngChunk("eXIf", tiff)...)
	return append(out, picture[header:]...)
}

func webpWithEXIF(picture, tiff []byte) []byte {
	out := append([]byte{}, picture...)
	out = append(out, "EXIF"...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(tiff)))
	out = append(out, tiff...)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}
