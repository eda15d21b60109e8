package biometrics

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"runtime"
	"sync/atomic"
	"time"
)

// GateConfig holds the limits of a [Gate].
type GateConfig struct {
	MaxBytes  int // of the upload
	MaxPixels int // width times height as uploaded, checked before decoding
	LongSide  int // pixels; longer frames are scaled down to it
	MinSide   int // pixels of the short side after scaling
	Parallel  int // pictures decoded at once
	Queue     int // that may wait; more are refused with [BusyError]
}

// DefaultGateConfig admits a 12 megapixel photo from a phone. The worst that it
// admits, a progressive JPEG of 16 megapixels without subsampling and with 16 scans,
// takes some 400 MB and a second or two of one core; Parallel bounds how many of
// those there are at once. It is half of the cores: the gate works in the server's
// process, where it has the priority of a sign-in by password, and one opens frames
// faster than several workers look at them (docs/face-speed.md).
//
// At a long side of 720 a frame of 16:9 has as many pixels as the 640x480 that the
// capture page sends, and the detector's time goes with them. A face that fills a
// seventh of the width is as large as quality asks for.
func DefaultGateConfig() GateConfig {
	return GateConfig{
		MaxBytes:  5 << 20,
		MaxPixels: 16 << 20,
		LongSide:  720,
		MinSide:   160,
		Parallel:  max(1, runtime.GOMAXPROCS(0)/2),
		Queue:     32,
	}
}

const gateRetryAfter = 2 * time.Second

// Gate turns uploads into frames. It is safe for concurrent use.
type Gate struct {
	config  GateConfig
	slots   chan struct{}
	waiting atomic.Int64
}

// NewGate returns a gate. A limit that is not positive is an error.
func NewGate(config GateConfig) (*Gate, error) {
	for _, limit := range []struct {
		name  string
		value int
	}{
		{"bytes", config.MaxBytes},
		{"pixels", config.MaxPixels},
		{"long side", config.LongSide},
		{"min side", config.MinSide},
		{"parallel", config.Parallel},
		{"queue", config.Queue},
	} {
		if limit.value <= 0 {
			return nil, fmt.Errorf("image gate: %s limit is %d", limit.name, limit.value)
		}
	}
	if config.MinSide > config.LongSide {
		return nil, fmt.Errorf("image gate: min side %d exceeds long side %d", config.MinSide, config.LongSide)
	}
	return &Gate{config: config, slots: make(chan struct{}, config.Parallel)}, nil
}

// Config returns the gate's limits.
func (g *Gate) Config() GateConfig { return g.config }

// Open makes a frame of an uploaded JPEG (baseline or progressive; colour, grey
// or CMYK), PNG or WebP. Refusals are [*ImageError]. The size is taken from the
// header and checked before any pixel is decoded; orientation by EXIF is
// applied, alpha is laid over white, all metadata is dropped.
//
// [BusyError] when too many wait already or ctx ends first.
func (g *Gate) Open(ctx context.Context, data []byte) (Frame, error) {
	if len(data) > g.config.MaxBytes {
		return Frame{}, imageErrorf(ImageTooLarge, "%d bytes, limit %d", len(data), g.config.MaxBytes)
	}
	kind, err := sniff(data)
	if err != nil {
		return Frame{}, err
	}
	config, err := kind.decodeConfig(bytes.NewReader(data))
	if err != nil {
		return Frame{}, decodeError(kind, err)
	}
	err = g.checkSize(config.Width, config.Height)
	if err != nil {
		return Frame{}, err
	}
	err = kind.precheck(data, config.Width*config.Height, g.config.MaxPixels)
	if err != nil {
		return Frame{}, err
	}

	err = g.enter(ctx)
	if err != nil {
		return Frame{}, err
	}
	defer func() { <-g.slots }()

	img, err := kind.decode(bytes.NewReader(data))
	if err != nil {
		return Frame{}, decodeError(kind, err)
	}
	// A decoder that disagrees with its own header is not to be trusted with
	// the rest.
	if img.Bounds().Dx() != config.Width || img.Bounds().Dy() != config.Height {
		return Frame{}, imageErrorf(ImageDamaged, "%s of %v behind a header of %dx%d", kind.name, img.Bounds().Size(), config.Width, config.Height)
	}
	return newFrame(upright(img, g.config.LongSide, kind.orientation(data))), nil
}

// enter waits for a place among those who decode.
func (g *Gate) enter(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}:
		return nil
	default:
	}
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > int64(g.config.Queue) {
		return &BusyError{RetryAfter: gateRetryAfter}
	}
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &BusyError{RetryAfter: gateRetryAfter}
	}
}

// checkSize refuses by the header alone.
func (g *Gate) checkSize(width, height int) error {
	if width <= 0 || height <= 0 {
		return imageErrorf(ImageDamaged, "size %dx%d", width, height)
	}
	if int64(width)*int64(height) > int64(g.config.MaxPixels) {
		return imageErrorf(ImageTooLarge, "%dx%d is more than %d pixels", width, height, g.config.MaxPixels)
	}
	size := fit(image.Pt(width, height), g.config.LongSide)
	if min(size.X, size.Y) < g.config.MinSide {
		return imageErrorf(ImageTooSmall, "%dx%d has a short side below %d once its long side is at most %d", width, height, g.config.MinSide, g.config.LongSide)
	}
	return nil
}
