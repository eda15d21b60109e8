package wire

import (
	"bytes"
	"errors"
	"image"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/biometrics"
)

var digest = strings.Repeat("ab", 32)

func testHello() Hello {
	return Hello{Model: biometrics.Model{
		Name: "dlib-v1", Detector: biometrics.DetectorHOG,
		Landmarks: 68, DescriptorSHA256: digest, LandmarksSHA256: digest, DetectorSHA256: digest,
	}, BLAS: biometrics.BLAS{Name: biometrics.BLASOpen, Threads: 1}}
}

func testFaces(n int) []biometrics.Face {
	faces := make([]biometrics.Face, n)
	for i := range faces {
		faces[i] = biometrics.Face{
			Box:       image.Rect(-3, i, 100, 200+i),
			Landmarks: []image.Point{{X: -1, Y: 2}, {X: 30, Y: 40 + i}},
		}
		for j := range faces[i].Descriptor {
			faces[i].Descriptor[j] = float32(j) / 512
		}
	}
	return faces
}

func TestMessageRoundTrip(t *testing.T) {
	t.Parallel()
	want := Message{Type: TypeAnalyze, ID: 7, Payload: []byte("a picture")}
	var stream bytes.Buffer
	for range 2 {
		err := Write(&stream, want)
		if err != nil {
			t.Fatal(err)
		}
	}
	r := iotest.OneByteReader(&stream)
	for range 2 {
		got, err := Read(r, TypeAnalyze)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	_, err := Read(r, TypeAnalyze)
	if err != io.EOF {
		t.Errorf("behind the last message: %v, want io.EOF", err)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	var stream bytes.Buffer
	err := Write(&stream, Message{Type: TypeFailure, ID: 1, Payload: []byte("text")})
	if err != nil {
		t.Fatal(err)
	}
	good := stream.Bytes()
	change := func(at int, b ...byte) []byte {
		return append(append(slices.Clone(good[:at]), b...), good[at+len(b):]...)
	}
	for name, data := range map[string][]byte{
		"magic":      change(0, 'X'),
		"version":    change(4, 9),
		"type":       change(5, byte(TypeHello)),
		"no type":    change(5, 99),
		"reserved":   change(6, 1),
		"length":     change(12, 0xff, 0xff, 0xff, 0xff),
		"cut":        good[:len(good)-1],
		"cut header": good[:9],
		"just text":  []byte("Segmentation fault (core dumped)\n"),
	} {
		_, err := Read(bytes.NewReader(data), TypeFailure)
		if err == nil || err == io.EOF {
			t.Errorf("%s: got %v, want an error", name, err)
		}
	}
}

func TestReadTakesMemoryAsBytesArrive(t *testing.T) {
	// Not parallel: it counts this process's allocations.
	header := append([]byte(magic), Version, byte(TypeAnalyze), 0, 0, 0, 0, 0, 1, 0, 0x3f, 0xff, 0xff)
	got := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			_, err := Read(bytes.NewReader(header), TypeAnalyze)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				b.Fatalf("got %v", err)
			}
		}
	})
	if got.AllocedBytesPerOp() > 64<<10 {
		t.Errorf("a header alone took %d bytes", got.AllocedBytesPerOp())
	}
}

func TestFacesRoundTrip(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, MaxFaces} {
		payload, err := EncodeFaces(testFaces(n))
		if err != nil {
			t.Fatal(err)
		}
		if len(payload) > maxFacesLength {
			t.Errorf("%d faces take %d bytes, limit %d", n, len(payload), maxFacesLength)
		}
		got, err := DecodeFaces(payload)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != n || n > 0 && !cmp.Equal(got, testFaces(n)) {
			t.Errorf("%d faces changed on the way", n)
		}
	}
}

func TestFacesRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(f *biometrics.Face){
		"not a number": func(f *biometrics.Face) { f.Descriptor[5] = float32(math.NaN()) },
		"infinite":     func(f *biometrics.Face) { f.Descriptor[5] = float32(math.Inf(1)) },
		"inverted box": func(f *biometrics.Face) { f.Box.Min, f.Box.Max = f.Box.Max, f.Box.Min },
		"far away":     func(f *biometrics.Face) { f.Landmarks[0].X = math.MinInt },
		"landmarks":    func(f *biometrics.Face) { f.Landmarks = make([]image.Point, maxLandmarks+1) },
	} {
		faces := testFaces(1)
		spoil(&faces[0])
		_, err := EncodeFaces(faces)
		if err == nil {
			t.Errorf("%s: encoded", name)
		}
	}
	_, err := EncodeFaces(testFaces(MaxFaces + 1))
	if err == nil {
		t.Error("too many faces: encoded")
	}
}

func TestHelloRoundTrip(t *testing.T) {
	t.Parallel()
	payload, err := EncodeHello(testHello())
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeHello(payload)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(testHello(), got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{``, `null`, `{}`, string(payload) + `x`, `{"model":{},"more":1}`, strings.Replace(string(payload), "hog", "eye", 1), strings.Replace(string(payload), "abab", "ab", 1),
		strings.Replace(string(payload), `"threads":1`, `"threads":-1`, 1), strings.Replace(string(payload), "openblas", strings.Repeat("b", 301), 1)} {
		_, err := DecodeHello([]byte(bad))
		if err == nil {
			t.Errorf("hello %q was taken", bad)
		}
	}
}

func TestFailureFits(t *testing.T) {
	t.Parallel()
	got := EncodeFailure("two\nlines \xff and " + strings.Repeat("ä", maxFailure))
	if len(got) > maxFailure || !bytes.HasPrefix(got, []byte("two lines ? and ä")) {
		t.Errorf("got %d bytes, %.30q", len(got), got)
	}
	_, err := DecodeFailure(got)
	if err != nil {
		t.Error(err)
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	var in, out bytes.Buffer
	for i, width := range []int{1, 2, 3, 0} {
		payload := []byte{0, 1, 0, 1}
		if width > 0 {
			var err error
			payload, err = EncodeFrame(testPicture(width, 5))
			if err != nil {
				t.Fatal(err)
			}
		}
		err := Write(&in, Message{Type: TypeAnalyze, ID: uint32(i + 1), Payload: payload})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := Serve(&in, &out, testHello(), func(img *image.YCbCr) ([]biometrics.Face, error) {
		switch img.Rect.Dx() {
		case 1:
			return testFaces(1), nil
		case 2:
			return testFaces(MaxFaces + 9), nil
		}
		return nil, errors.New("no picture")
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Read(&out, TypeHello)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, MaxFaces} {
		m, err := Read(&out, TypeFaces)
		if err != nil {
			t.Fatal(err)
		}
		faces, err := DecodeFaces(m.Payload)
		if err != nil || len(faces) != want || m.ID != uint32(i+1) {
			t.Errorf("answer %d: id %d, %d faces, %v; want %d faces", i+1, m.ID, len(faces), err, want)
		}
	}
	for i, want := range []string{"no picture", "frame of 1x1 with 0 bytes"} {
		m, err := Read(&out, TypeFailure)
		if err != nil || string(m.Payload) != want || m.ID != uint32(i+3) {
			t.Errorf("failure: id %d %q, %v; want %q", m.ID, m.Payload, err, want)
		}
	}
}

func TestServeEndsOnNonsense(t *testing.T) {
	t.Parallel()
	err := Serve(strings.NewReader("this is no protocol"), io.Discard, testHello(), nil)
	if err == nil {
		t.Error("nonsense was taken for a request")
	}
}
