// Package wire is the language between the server and its face workers: framed
// messages over a worker's standard input and output.
//
// A worker says hello once, naming the models it loaded, then answers each
// analyze message with faces or a failure of the same id, one at a time, until
// its input ends. Every message is a 16-byte header and a payload:
//
//	0   4  magic "SPFW"
//	4   1  protocol version
//	5   1  type
//	6   2  zero
//	8   4  request id, 0 in a hello
//	12  4  payload length
//
// Numbers are big-endian. There is no checksum: a pipe loses nothing, and what a
// confused worker writes is caught by the checks on every field. Both sides treat
// anything unexpected as the end of the conversation.
package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// Version is the protocol version. Both sides are built from one commit, so any
// other version is an error, not a negotiation.
const Version = 3

const (
	magic        = "SPFW"
	headerLength = 16
)

// Type is the kind of a message.
type Type uint8

// The message types.
const (
	TypeHello   Type = 1 // worker: a Hello, once
	TypeAnalyze Type = 2 // server: one frame, see EncodeFrame
	TypeFaces   Type = 3 // worker: the faces in it
	TypeFailure Type = 4 // worker: why there is no answer
)

// Limits of what a message may carry.
const (
	MaxSide    = 4096 // pixels of a frame's long side; the gate keeps far below it
	MaxFaces   = 32   // faces of an answer; a worker leaves out what is beyond
	maxHello   = 4 << 10
	maxFailure = 1 << 10
)

// maxPayload returns the longest payload of a type, -1 for a type there is not.
func maxPayload(t Type) int {
	switch t {
	case TypeHello:
		return maxHello
	case TypeAnalyze:
		return maxFrame
	case TypeFaces:
		return maxFacesLength
	case TypeFailure:
		return maxFailure
	}
	return -1
}

// Message is one message, its payload not yet interpreted.
type Message struct {
	Type    Type
	ID      uint32
	Payload []byte
}

// Write sends a message in a single call of w's Write. It refuses a type or a
// length that Read would not take.
func Write(w io.Writer, m Message) error {
	limit := maxPayload(m.Type)
	if len(m.Payload) > limit {
		return fmt.Errorf("message type %d with %d bytes, limit %d", m.Type, len(m.Payload), limit)
	}
	out := make([]byte, 0, headerLength+len(m.Payload))
	out = append(out, magic...)
	out = append(out, Version, byte(m.Type), 0, 0)
	out = binary.BigEndian.AppendUint32(out, m.ID)
	out = binary.BigEndian.AppendUint32(out, uint32(len(m.Payload)))
	out = append(out, m.Payload...)
	_, err := w.Write(out)
	clear(out) // it may hold a picture
	if err != nil {
		return fmt.Errorf("writing message: %w", err)
	}
	return nil
}

// Read receives the next message, which must be of one of the accepted types.
// The error is io.EOF itself only where the stream ends between two messages.
// Memory is taken as bytes arrive, at most twice the limit of the type.
func Read(r io.Reader, accept ...Type) (Message, error) {
	var header [headerLength]byte
	_, err := io.ReadFull(r, header[:])
	if err == io.EOF {
		return Message{}, io.EOF
	}
	if err != nil {
		return Message{}, fmt.Errorf("reading message header: %w", err)
	}
	if string(header[:4]) != magic {
		return Message{}, fmt.Errorf("message begins with %q", header[:4])
	}
	if header[4] != Version {
		return Message{}, fmt.Errorf("protocol version %d, want %d", header[4], Version)
	}
	if header[6] != 0 || header[7] != 0 {
		return Message{}, fmt.Errorf("reserved bytes are %x", header[6:8])
	}
	m := Message{Type: Type(header[5]), ID: binary.BigEndian.Uint32(header[8:])}
	if !slices.Contains(accept, m.Type) {
		return Message{}, fmt.Errorf("unexpected message type %d", m.Type)
	}
	length := int64(binary.BigEndian.Uint32(header[12:]))
	if length > int64(maxPayload(m.Type)) {
		return Message{}, fmt.Errorf("message type %d with %d bytes, limit %d", m.Type, length, maxPayload(m.Type))
	}
	// A buffer that grows with what has arrived: a header alone buys nothing.
	var payload bytes.Buffer
	_, err = io.CopyN(&payload, r, length)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return Message{}, fmt.Errorf("reading message of %d bytes: %w", length, err)
	}
	m.Payload = payload.Bytes()
	return m, nil
}
