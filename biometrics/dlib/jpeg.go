//go:build dlib

package dlib

/*
#cgo LDFLAGS: -lturbojpeg
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

// Takes the planes one by one, for cgo passes no Go array of Go pointers.
static int compress(tjhandle handle, const unsigned char *y, const unsigned char *cb, const unsigned char *cr,
		int y_stride, int c_stride, int width, int height, unsigned char **data, unsigned long *length, int quality) {
	const unsigned char *planes[] = {y, cb, cr};
	int strides[] = {y_stride, c_stride, c_stride};
	return tjCompressFromYUVPlanes(handle, planes, width, strides, height, TJSAMP_420, data, length, quality, 0);
}

// Scales by the inverse DCT of the blocks, which needs no pass over the pixels.
static int enlarge(const unsigned char *data, unsigned long length, int width, int height,
		unsigned char **out, unsigned long *out_length, int quality) {
	unsigned long size = tjBufSizeYUV2(width, 1, height, TJSAMP_420);
	unsigned char *pixels = size == (unsigned long)-1 ? NULL : tjAlloc((int)size);
	tjhandle from = tjInitDecompress(), to = tjInitCompress();
	int failed = pixels == NULL || from == NULL || to == NULL
		|| tjDecompressToYUV2(from, data, length, pixels, width, 1, height, 0) != 0
		|| tjCompressFromYUV(to, pixels, width, 1, height, TJSAMP_420, out, out_length, quality, 0) != 0;
	if (from != NULL) tjDestroy(from);
	if (to != NULL) tjDestroy(to);
	if (pixels != NULL) {
		memset(pixels, 0, size);
		tjFree(pixels);
	}
	return failed;
}

// Cleared here: the compiler may not leave it out, for the caller can see it.
static void forget(unsigned char *data, unsigned long length) {
	memset(data, 0, length);
	tjFree(data);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"image"
	"unsafe"
)

// jpegQuality of what go-face is handed, which takes nothing but JPEG. At 95 a
// descriptor moves by less than re-encoding noise of the camera; at 30 it would move
// by 0.12.
const jpegQuality = 95

// picture is a JPEG in native memory.
type picture struct {
	data   *C.uchar
	length C.ulong
	size   image.Point
}

// encode makes a JPEG of a 4:2:0 picture that begins at 0, 0. TurboJPEG does it some
// five times as fast as image/jpeg. It reads pairs of columns and rows: an odd last
// one is left out.
func encode(img *image.YCbCr) (picture, error) {
	width, height := img.Rect.Dx()&^1, img.Rect.Dy()&^1
	if img.SubsampleRatio != image.YCbCrSubsampleRatio420 || img.Rect.Min != (image.Point{}) || width < 2 || height < 2 ||
		len(img.Y) <= img.YOffset(width-1, height-1) || min(len(img.Cb), len(img.Cr)) <= img.COffset(width-1, height-1) {
		return picture{}, fmt.Errorf("frame of %v with %v is not one that the image gate makes", img.Rect, img.SubsampleRatio)
	}
	handle := C.tjInitCompress()
	if handle == nil {
		return picture{}, turboError(nil)
	}
	defer C.tjDestroy(handle)
	p := picture{size: image.Pt(width, height)}
	//nolint:gocritic // of what cgo makes of it
	failed := C.compress(handle, (*C.uchar)(&img.Y[0]), (*C.uchar)(&img.Cb[0]), (*C.uchar)(&img.Cr[0]),
		C.int(img.YStride), C.int(img.CStride), C.int(width), C.int(height), &p.data, &p.length, jpegQuality)
	if failed != 0 {
		err := turboError(handle)
		p.free()
		return picture{}, err
	}
	return p, nil
}

// enlarged is the picture num/den times as large, a scale that TurboJPEG knows: whole
// eighths up to 2.
func (p picture) enlarged(num, den int) (picture, error) {
	// Rounded up, as TJSCALED of turbojpeg.h.
	large := picture{size: image.Pt((p.size.X*num+den-1)/den, (p.size.Y*num+den-1)/den)}
	//nolint:gocritic // of what cgo makes of it
	failed := C.enlarge(p.data, p.length, C.int(large.size.X), C.int(large.size.Y), &large.data, &large.length, jpegQuality)
	if failed != 0 {
		err := turboError(nil)
		large.free()
		return picture{}, err
	}
	return large, nil
}

func turboError(handle C.tjhandle) error {
	return errors.New("frame: " + C.GoString(C.tjGetErrorStr2(handle)))
}

// bytes are valid until free.
func (p picture) bytes() []byte { return unsafe.Slice((*byte)(p.data), p.length) }

// free wipes the picture.
func (p picture) free() {
	if p.data != nil {
		C.forget(p.data, p.length)
	}
}
