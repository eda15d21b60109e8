package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/biometrics"
)

// Hello is a worker's first message.
type Hello struct {
	Model biometrics.Model `json:"model"`
	BLAS  biometrics.BLAS  `json:"blas"`
}

// EncodeHello returns the payload of a TypeHello.
func EncodeHello(h Hello) ([]byte, error) {
	err := checkHello(h)
	if err != nil {
		return nil, err
	}
	return json.Marshal(h)
}

// DecodeHello reads the payload of a TypeHello and checks that the model is fully
// named and the BLAS in short.
func DecodeHello(payload []byte) (Hello, error) {
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.DisallowUnknownFields()
	var h Hello
	err := decoder.Decode(&h)
	if err != nil {
		return Hello{}, fmt.Errorf("hello: %v", err)
	}
	if decoder.InputOffset() != int64(len(payload)) {
		return Hello{}, errors.New("hello: bytes behind the object")
	}
	err = checkHello(h)
	if err != nil {
		return Hello{}, err
	}
	return h, nil
}

func checkHello(h Hello) error {
	m := h.Model
	if m.Name == "" || len(m.Name) > 100 || !utf8.ValidString(m.Name) {
		return fmt.Errorf("hello: model name %q", m.Name)
	}
	if m.Detector != biometrics.DetectorHOG && m.Detector != biometrics.DetectorCNN {
		return fmt.Errorf("hello: detector %q", m.Detector)
	}
	if m.Landmarks != 5 && m.Landmarks != 68 {
		return fmt.Errorf("hello: %d landmarks, neither 5 nor 68", m.Landmarks)
	}
	for _, sum := range []string{m.DescriptorSHA256, m.LandmarksSHA256, m.DetectorSHA256} {
		digest, err := hex.DecodeString(sum)
		if err != nil || len(digest) != 32 {
			return fmt.Errorf("hello: %q is not a SHA-256", sum)
		}
	}
	if len(h.BLAS.Name) > 300 || !utf8.ValidString(h.BLAS.Name) || h.BLAS.Threads < 0 {
		return fmt.Errorf("hello: BLAS %.300q with %d threads", h.BLAS.Name, h.BLAS.Threads)
	}
	return nil
}

// The payload of a TypeFaces: a count, then per face four int32 of the box (left,
// top, right, bottom), a count of landmarks, their int32 x and y, and the
// descriptor.
const (
	maxLandmarks   = 68
	maxFacesLength = 1 + MaxFaces*(4*4+1+maxLandmarks*2*4+biometrics.DescriptorBytes)
	maxCoordinate  = 1 << 20 // pixels; far beyond any frame
)

// EncodeFaces returns the payload of a TypeFaces. It refuses what DecodeFaces
// would not read back as the same.
func EncodeFaces(faces []biometrics.Face) ([]byte, error) {
	if len(faces) > MaxFaces {
		return nil, fmt.Errorf("%d faces, limit %d", len(faces), MaxFaces)
	}
	out := []byte{byte(len(faces))}
	for _, f := range faces {
		if len(f.Landmarks) > maxLandmarks {
			return nil, fmt.Errorf("%d landmarks, limit %d", len(f.Landmarks), maxLandmarks)
		}
		err := checkFace(f)
		if err != nil {
			return nil, err
		}
		out = appendPoint(appendPoint(out, f.Box.Min), f.Box.Max)
		out = append(out, byte(len(f.Landmarks)))
		for _, p := range f.Landmarks {
			out = appendPoint(out, p)
		}
		descriptor, err := f.Descriptor.MarshalBinary()
		if err != nil {
			return nil, err
		}
		out = append(out, descriptor...)
	}
	return out, nil
}

// DecodeFaces reads the payload of a TypeFaces. Every coordinate is bounded, every
// descriptor finite.
func DecodeFaces(payload []byte) ([]biometrics.Face, error) {
	in := reader{rest: payload}
	count := int(in.byte())
	if count > MaxFaces {
		return nil, fmt.Errorf("%d faces, limit %d", count, MaxFaces)
	}
	var faces []biometrics.Face
	for range count {
		f := biometrics.Face{Box: image.Rectangle{Min: in.point(), Max: in.point()}}
		landmarks := int(in.byte())
		if landmarks > maxLandmarks {
			return nil, fmt.Errorf("%d landmarks, limit %d", landmarks, maxLandmarks)
		}
		for range landmarks {
			f.Landmarks = append(f.Landmarks, in.point())
		}
		descriptor := in.take(biometrics.DescriptorBytes)
		if in.short {
			break
		}
		err := f.Descriptor.UnmarshalBinary(descriptor)
		if err != nil {
			return nil, err
		}
		err = checkFace(f)
		if err != nil {
			return nil, err
		}
		faces = append(faces, f)
	}
	if in.short {
		return nil, errors.New("faces end too early")
	}
	if len(in.rest) != 0 {
		return nil, fmt.Errorf("%d bytes behind the faces", len(in.rest))
	}
	return faces, nil
}

func checkFace(f biometrics.Face) error {
	if f.Box.Empty() {
		return fmt.Errorf("face box %v is empty", f.Box)
	}
	for _, p := range append([]image.Point{f.Box.Min, f.Box.Max}, f.Landmarks...) {
		if p.X < -maxCoordinate || p.X > maxCoordinate || p.Y < -maxCoordinate || p.Y > maxCoordinate {
			return fmt.Errorf("point %v is far outside of any frame", p)
		}
	}
	if !f.Descriptor.Finite() {
		return errors.New("descriptor is not finite")
	}
	return nil
}

// appendPoint relies on checkFace for the range.
func appendPoint(out []byte, p image.Point) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(int32(p.X)))
	return binary.BigEndian.AppendUint32(out, uint32(int32(p.Y)))
}

// reader takes from the front and remembers when there was too little.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if len(r.rest) < n {
		r.short = true
		r.rest = nil
		return make([]byte, n)
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) byte() byte { return r.take(1)[0] }

func (r *reader) point() image.Point {
	x := int32(binary.BigEndian.Uint32(r.take(4)))
	y := int32(binary.BigEndian.Uint32(r.take(4)))
	return image.Pt(int(x), int(y))
}

// EncodeFailure returns the payload of a TypeFailure: one line of text, cut to
// what the message holds.
func EncodeFailure(text string) []byte {
	text = strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "?")
	for len(text) > maxFailure {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return []byte(text)
}

// DecodeFailure reads the payload of a TypeFailure.
func DecodeFailure(payload []byte) (string, error) {
	if !utf8.Valid(payload) {
		return "", errors.New("failure text is not UTF-8")
	}
	return string(payload), nil
}
