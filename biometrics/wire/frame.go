package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
)

// The payload of a TypeAnalyze: width and height as uint16, then the rows of the
// planes Y, Cb and Cr without anything between them. The chroma planes have half as
// many columns and rows, rounded up.
const (
	frameHeader = 4
	maxFrame    = frameHeader + MaxSide*MaxSide*3/2
)

func planeLengths(width, height int) (luma, chroma int) {
	return width * height, ((width + 1) / 2) * ((height + 1) / 2)
}

// EncodeFrame returns the payload of a TypeAnalyze. The picture must be 4:2:0, begin
// at 0, 0 and have sides from 1 to MaxSide.
func EncodeFrame(img *image.YCbCr) ([]byte, error) {
	if img == nil {
		return nil, errors.New("no frame")
	}
	if img.SubsampleRatio != image.YCbCrSubsampleRatio420 || img.Rect.Min != (image.Point{}) {
		return nil, fmt.Errorf("frame of %v with %v", img.Rect, img.SubsampleRatio)
	}
	width, height := img.Rect.Dx(), img.Rect.Dy()
	err := checkSides(width, height)
	if err != nil {
		return nil, err
	}
	luma, chroma := planeLengths(width, height)
	out := make([]byte, 0, frameHeader+luma+2*chroma)
	out = binary.BigEndian.AppendUint16(out, uint16(width))
	out = binary.BigEndian.AppendUint16(out, uint16(height))
	out = appendRows(out, img.Y, img.YStride, width, height)
	out = appendRows(out, img.Cb, img.CStride, (width+1)/2, (height+1)/2)
	return appendRows(out, img.Cr, img.CStride, (width+1)/2, (height+1)/2), nil
}

func appendRows(out, pix []byte, stride, width, height int) []byte {
	for y := range height {
		out = append(out, pix[y*stride:][:width]...)
	}
	return out
}

// DecodeFrame reads the payload of a TypeAnalyze. The picture shares its bytes.
func DecodeFrame(payload []byte) (*image.YCbCr, error) {
	if len(payload) < frameHeader {
		return nil, errors.New("frame ends too early")
	}
	width, height := int(binary.BigEndian.Uint16(payload)), int(binary.BigEndian.Uint16(payload[2:]))
	err := checkSides(width, height)
	if err != nil {
		return nil, err
	}
	luma, chroma := planeLengths(width, height)
	pix := payload[frameHeader:]
	if len(pix) != luma+2*chroma {
		return nil, fmt.Errorf("frame of %dx%d with %d bytes", width, height, len(pix))
	}
	return &image.YCbCr{
		Y: pix[:luma:luma], Cb: pix[luma : luma+chroma : luma+chroma], Cr: pix[luma+chroma:],
		YStride: width, CStride: (width + 1) / 2,
		SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: image.Rect(0, 0, width, height),
	}, nil
}

func checkSides(width, height int) error {
	if width < 1 || height < 1 || width > MaxSide || height > MaxSide {
		return fmt.Errorf("frame of %dx%d, limit %d", width, height, MaxSide)
	}
	return nil
}
