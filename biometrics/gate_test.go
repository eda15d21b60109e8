package biometrics

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/jpeg"
	"runtime"
	"sync"
	"testing"
)

func TestOpenEveryKind(t *testing.T) {
	t.Parallel()
	colour := quadrantPicture(320, 240)
	grey := image.NewGray(colour.Bounds())
	draw.Draw(grey, grey.Bounds(), colour, image.Point{}, draw.Src)
	deep := image.NewNRGBA64(colour.Bounds())
	draw.Draw(deep, deep.Bounds(), colour, image.Point{}, draw.Src)
	indexed := image.NewPaletted(colour.Bounds(), append(palette.WebSafe[:200:200], quadrants[0], quadrants[1], quadrants[2], quadrants[3]))
	draw.Draw(indexed, indexed.Bounds(), colour, image.Point{}, draw.Src)
	// Clear where it is white, and black there below: only what lies under it
	// shows the difference.
	clear := image.NewNRGBA(colour.Bounds())
	draw.Draw(clear, clear.Bounds(), colour, image.Point{}, draw.Src)
	for y := range 120 {
		for x := range 160 {
			clear.SetNRGBA(x, y, color.NRGBA{})
		}
	}
	moved := image.NewRGBA(image.Rect(0, 0, 400, 400))
	paint(moved, 320, 240)

	for name, data := range map[string][]byte{
		"JPEG":             encodeJPEG(t, colour),
		"JPEG progressive": fixture(t, "progressive.jpg"),
		"JPEG CMYK":        fixture(t, "cmyk.jpg"),
		"JPEG grey":        encodeJPEG(t, grey),
		"PNG":              encodePNG(t, colour),
		"PNG grey":         encodePNG(t, grey),
		"PNG 16 bit":       encodePNG(t, deep),
		"PNG palette":      encodePNG(t, indexed),
		"PNG alpha":        encodePNG(t, clear),
		"PNG part":         encodePNG(t, moved.SubImage(image.Rect(0, 0, 320, 240))),
		"WebP lossy":       fixture(t, "lossy.webp"),
		"WebP lossless":    fixture(t, "lossless.webp"),
		"WebP alpha":       fixture(t, "alpha.webp"),
	} {
		frame, err := newGate(t).Open(context.Background(), data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		img := frame.Pixels()
		if img.SubsampleRatio != image.YCbCrSubsampleRatio420 || frame.Width() != 320 || frame.Height() != 240 {
			t.Errorf("%s: frame of %dx%d with %v", name, frame.Width(), frame.Height(), img.SubsampleRatio)
		}
		for i, want := range quadrants {
			x, y := 80+i%2*160, 60+i/2*120
			if name == "JPEG grey" || name == "PNG grey" {
				level := color.GrayModel.Convert(want).(color.Gray).Y
				want = color.RGBA{level, level, level, 255}
			}
			if !near(img, x, y, want) {
				t.Errorf("%s: quadrant %d is %v, want %v", name, i, color.RGBAModel.Convert(img.At(x, y)), want)
			}
		}
	}
}

func TestOpenScalesDown(t *testing.T) {
	t.Parallel()
	config := DefaultGateConfig()
	config.LongSide, config.MinSide = 320, 40
	gate, err := NewGate(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ width, height, wantWidth, wantHeight int }{
		{320, 240, 320, 240},
		{640, 480, 320, 240},
		{375, 750, 160, 320},
		{750, 100, 320, 43},
		{40, 40, 40, 40},
	} {
		for name, data := range map[string][]byte{
			"JPEG": encodeJPEG(t, quadrantPicture(test.width, test.height)),
			"PNG":  encodePNG(t, quadrantPicture(test.width, test.height)),
		} {
			frame, err := gate.Open(context.Background(), data)
			if err != nil {
				t.Errorf("%s of %dx%d: %v", name, test.width, test.height, err)
				continue
			}
			img := frame.Pixels()
			if size := img.Bounds().Size(); size != image.Pt(test.wantWidth, test.wantHeight) || size != image.Pt(frame.Width(), frame.Height()) {
				t.Errorf("%s of %dx%d became %v", name, test.width, test.height, size)
			}
			if !near(img, frame.Width()/4, frame.Height()/4, quadrants[0]) || !near(img, frame.Width()*3/4, frame.Height()*3/4, quadrants[3]) {
				t.Errorf("%s of %dx%d lost its colours", name, test.width, test.height)
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	whole := encodeJPEG(t, quadrantPicture(320, 240))
	patched := bytes.Clone(whole)
	frameHeader := bytes.Index(patched, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint32(patched[frameHeader+5:], 4000<<16|4000)
	twoHeaders := append(bytes.Clone(whole[:frameHeader]), patched[frameHeader:frameHeader+19]...)
	twoHeaders = append(twoHeaders, whole[frameHeader:]...)
	arithmetic := bytes.Clone(whole)
	arithmetic[frameHeader+1] = 0xc9
	for name, test := range map[string]struct {
		data []byte
		want ImageReason
	}{
		"nothing":              {nil, ImageDamaged},
		"text":                 {[]byte("GIF89a and so on"), ImageUnsupported},
		"too many bytes":       {append(whole, make([]byte, 5<<20)...), ImageTooLarge},
		"too small":            {encodeJPEG(t, quadrantPicture(320, 100)), ImageTooSmall},
		"too narrow":           {encodeJPEG(t, quadrantPicture(4000, 200)), ImageTooSmall},
		"cut JPEG":             {whole[:len(whole)-200], ImageDamaged},
		"cut JPEG header":      {whole[:30], ImageDamaged},
		"cut PNG":              {encodePNG(t, quadrantPicture(320, 240))[:200], ImageDamaged},
		"cut WebP":             {fixture(t, "lossless.webp")[:60], ImageDamaged},
		"lying JPEG header":    {patched, ImageDamaged},
		"two JPEG headers":     {twoHeaders, ImageDamaged},
		"arithmetic coding":    {arithmetic, ImageUnsupported},
		"JPEG of many scans":   {manyScans(fixture(t, "progressive.jpg"), maxScans), ImageUnsupported},
		"JPEG of endless scan": {manyScans(fixture(t, "progressive.jpg"), 10_000), ImageUnsupported},
		"scans of a large one": {resized(manyScans(fixture(t, "progressive.jpg"), maxPixelScans), 4096), ImageUnsupported},
	} {
		frame, err := newGate(t).Open(context.Background(), test.data)
		var refused *ImageError
		if !errors.As(err, &refused) || refused.Reason != test.want || !frame.IsZero() {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
}

// manyScans repeats the last scan of a progressive JPEG.
func manyScans(picture []byte, n int) []byte {
	last := bytes.LastIndex(picture, []byte{0xff, markerSOS})
	end := len(picture) - 2
	out := bytes.Clone(picture[:end])
	for range n {
		out = append(out, picture[last:end]...)
	}
	return append(out, 0xff, markerEOI)
}

// resized changes the size in the header of a progressive JPEG.
func resized(picture []byte, side uint32) []byte {
	binary.BigEndian.PutUint32(picture[bytes.Index(picture, []byte{0xff, 0xc2})+5:], side<<16|side)
	return picture
}

// bombs are small files that ask for 144 megapixels and more.
func bombs(t testing.TB) map[string][]byte {
	t.Helper()
	photo := encodeJPEG(t, quadrantPicture(320, 240))
	binary.BigEndian.PutUint32(photo[bytes.Index(photo, []byte{0xff, 0xc0})+5:], 12000<<16|12000)
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 12000), 12000)
	header = append(header, 8, 2, 0, 0, 0)
	drawing := append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", header)...)
	drawing = append(drawing, pngChunk("IDAT", make([]byte, 1000))...)
	lossless := fixture(t, "lossless.webp")
	// 14 bits each of width and height, less one.
	binary.LittleEndian.PutUint32(lossless[bytes.Index(lossless, []byte("VP8L"))+9:], 0x3fff|0x3fff<<14)
	return map[string][]byte{"JPEG": photo, "PNG": drawing, "WebP": lossless}
}

func TestOpenRefusesBombsBeforeDecoding(t *testing.T) {
	// Not parallel: it counts what this process allocates.
	gate := newGate(t)
	for name, data := range bombs(t) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := gate.Open(context.Background(), data)
		runtime.ReadMemStats(&after)
		var refused *ImageError
		if !errors.As(err, &refused) || refused.Reason != ImageTooLarge {
			t.Errorf("%s: got %v, want %s", name, err, ImageTooLarge)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
			t.Errorf("%s: refusing it took %d bytes", name, took)
		}
	}
}

func TestSumIsOfThePicture(t *testing.T) {
	t.Parallel()
	gate := newGate(t)
	open := func(data []byte) Frame {
		f, err := gate.Open(context.Background(), data)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	img := quadrantPicture(320, 240)
	first := open(encodePNG(t, img))
	tagged := open(pngWithEXIF(encodePNG(t, img), exifBlock(binary.BigEndian, 1)))
	var small bytes.Buffer
	err := jpeg.Encode(&small, img, &jpeg.Options{Quality: 30})
	if err != nil {
		t.Fatal(err)
	}
	other := open(small.Bytes())
	if first.Sum() != tagged.Sum() {
		t.Error("the same picture with another tag has another sum")
	}
	if first.Sum() == other.Sum() {
		t.Error("two pictures have one sum")
	}
}

func TestOpenIsSafeAtOnce(t *testing.T) {
	t.Parallel()
	config := DefaultGateConfig()
	config.Parallel = 2
	gate, err := NewGate(config)
	if err != nil {
		t.Fatal(err)
	}
	data := encodeJPEG(t, quadrantPicture(320, 240))
	want, err := gate.Open(context.Background(), data)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			got, err := gate.Open(context.Background(), data)
			if err != nil || got.Sum() != want.Sum() {
				t.Errorf("another frame from the same bytes: %v", err)
			}
		})
	}
	all.Wait()
}

func TestNewGateRefusesLimits(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*GateConfig){
		"no bytes":   func(c *GateConfig) { c.MaxBytes = 0 },
		"no slots":   func(c *GateConfig) { c.Parallel = 0 },
		"no line":    func(c *GateConfig) { c.Queue = 0 },
		"min beyond": func(c *GateConfig) { c.MinSide = c.LongSide + 1 },
	} {
		config := DefaultGateConfig()
		change(&config)
		_, err := NewGate(config)
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// What waits holds its upload: the line is bounded, and nobody waits for longer
// than the request lives.
func TestABusyGateTurnsAway(t *testing.T) {
	t.Parallel()
	config := DefaultGateConfig()
	config.Parallel, config.Queue = 1, 1
	gate, err := NewGate(config)
	if err != nil {
		t.Fatal(err)
	}
	data := encodeJPEG(t, quadrantPicture(320, 240))
	gate.slots <- struct{}{} // somebody's picture takes its time
	gone, leave := context.WithCancel(t.Context())
	waiting := make(chan error, 1)
	go func() {
		_, err := gate.Open(gone, data)
		waiting <- err
	}()
	for gate.waiting.Load() == 0 {
		runtime.Gosched()
	}
	if _, err := gate.Open(t.Context(), data); !errors.Is(err, ErrBusy) {
		t.Errorf("with the line full: %v", err)
	}
	leave()
	if err := <-waiting; !errors.Is(err, ErrBusy) {
		t.Errorf("after its request was over: %v", err)
	}
	<-gate.slots
	if _, err := gate.Open(t.Context(), data); err != nil {
		t.Errorf("with a free place: %v", err)
	}
}
