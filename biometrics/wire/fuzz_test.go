package wire

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzRead reads a stream of foreign bytes. Property: what is read is within the
// limits of its type and, written again, gives the bytes it came from.
func FuzzRead(f *testing.F) {
	for _, m := range []Message{
		{Type: TypeHello, Payload: []byte("{}")},
		{Type: TypeAnalyze, ID: 1, Payload: []byte("picture")},
		{Type: TypeFaces, ID: 1 << 31, Payload: []byte{0}},
		{Type: TypeFailure, ID: 2},
	} {
		var seed bytes.Buffer
		err := Write(&seed, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append(seed.Bytes(), seed.Bytes()...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		for {
			start := len(data) - r.Len()
			m, err := Read(r, TypeHello, TypeAnalyze, TypeFaces, TypeFailure)
			if err != nil {
				return
			}
			if len(m.Payload) > maxPayload(m.Type) {
				t.Fatalf("type %d with %d bytes", m.Type, len(m.Payload))
			}
			var again bytes.Buffer
			err = Write(&again, m)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(again.Bytes(), data[start:len(data)-r.Len()]) {
				t.Fatal("message changed when written again")
			}
		}
	})
}

// FuzzDecodeFaces is the server's side. Property: what decodes is encoded to the
// very same bytes, so there is one encoding of an answer.
func FuzzDecodeFaces(f *testing.F) {
	for n := range 3 {
		seed, err := EncodeFaces(testFaces(n))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		faces, err := DecodeFaces(data)
		if err != nil {
			return
		}
		again, err := EncodeFaces(faces)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, again) {
			t.Fatal("faces changed when encoded again")
		}
	})
}

// FuzzDecodeHello is the server's side. Property: decode(encode(x)) is x.
func FuzzDecodeHello(f *testing.F) {
	seed, err := EncodeHello(testHello())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		hello, err := DecodeHello(data)
		if err != nil {
			return
		}
		payload, err := EncodeHello(hello)
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodeHello(payload)
		if err != nil || !cmp.Equal(hello, again) {
			t.Fatalf("hello changed when encoded again: %v", err)
		}
	})
}
