package biometrics

import (
	"bytes"
	"encoding/binary"
)

// The orientation tag is all that is read of EXIF: everything else is metadata
// of a person's picture, and is dropped unread. A block that is not exactly as
// the TIFF text wants it counts as upright.

const (
	tagOrientation = 0x0112
	typeShort      = 3
)

// exifOrientation reads the orientation, 1 to 8, from a TIFF structure. It is 1
// for none, nil and anything malformed.
func exifOrientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	start := uint64(order.Uint32(tiff[4:]))
	if start < 8 || start+2 > uint64(len(tiff)) {
		return 1
	}
	count := int(order.Uint16(tiff[start:]))
	entries := tiff[start+2:]
	for i := 0; i < count && len(entries) >= 12; i++ {
		entry := entries[:12]
		entries = entries[12:]
		if order.Uint16(entry) != tagOrientation {
			continue
		}
		value := int(order.Uint16(entry[8:]))
		if order.Uint16(entry[2:]) != typeShort || order.Uint32(entry[4:]) != 1 || value < 1 || value > 8 {
			return 1
		}
		return value
	}
	return 1
}

// jpegEXIF returns the TIFF structure of the first Exif segment before the first
// scan, or nil.
func jpegEXIF(data []byte) []byte {
	for marker, payload := range jpegSegments(data) {
		if marker == markerSOS {
			return nil
		}
		if marker == markerAPP1 && bytes.HasPrefix(payload, []byte("Exif\x00\x00")) {
			return payload[6:]
		}
	}
	return nil
}

// pngEXIF returns the payload of the eXIf chunk, or nil.
func pngEXIF(data []byte) []byte {
	for rest := data[8:]; len(rest) >= 12; {
		length := uint64(binary.BigEndian.Uint32(rest))
		if length+12 > uint64(len(rest)) {
			return nil
		}
		if string(rest[4:8]) == "eXIf" {
			return rest[8 : 8+length]
		}
		rest = rest[12+length:]
	}
	return nil
}

// webpEXIF returns the payload of the EXIF chunk, or nil. Some writers put the
// JPEG prefix in front of it.
func webpEXIF(data []byte) []byte {
	for rest := data[12:]; len(rest) >= 8; {
		length := uint64(binary.LittleEndian.Uint32(rest[4:]))
		if length+8 > uint64(len(rest)) {
			return nil
		}
		if string(rest[:4]) == "EXIF" {
			return bytes.TrimPrefix(rest[8:8+length], []byte("Exif\x00\x00"))
		}
		padded := min(8+length+length%2, uint64(len(rest)))
		rest = rest[padded:]
	}
	return nil
}
