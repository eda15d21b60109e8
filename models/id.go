package models

import (
	"crypto/rand"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
)

// ID is a UUID in its canonical text form (RFC 9562 section 4): 36 characters,
// lower case.
type ID string

// NewID makes a UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds and 74
// random bits, so that ids of one table sort by age.
func NewID(now time.Time) ID {
	var b [16]byte
	_, _ = rand.Read(b[6:]) // crypto/rand.Read never fails; it ends the process instead
	binary.BigEndian.PutUint16(b[0:], uint16(now.UnixMilli()>>32))
	binary.BigEndian.PutUint32(b[2:], uint32(now.UnixMilli()))
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return formatID(b)
}

// MinID is the least id that NewID makes at a time: what lies at or behind it is no older.
func MinID(at time.Time) ID {
	var b [16]byte
	binary.BigEndian.PutUint16(b[0:], uint16(at.UnixMilli()>>32))
	binary.BigEndian.PutUint32(b[2:], uint32(at.UnixMilli()))
	b[6], b[8] = 0x70, 0x80
	return formatID(b)
}

// Time is when an id was made, by NewID: to the millisecond, cut off.
func (id ID) Time() time.Time {
	raw, err := hex.DecodeString("0000" + string(id[0:8]) + string(id[9:13]))
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(raw)))
}

// ParseID reads a UUID in canonical text form. Anything else is refused, so
// that an id from a URL can go into a query as it stands.
func ParseID(s string) (ID, error) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return "", fmt.Errorf("malformed id %q", s)
	}
	raw, err := hex.DecodeString(s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:36])
	if err != nil {
		return "", fmt.Errorf("malformed id %q", s)
	}
	return formatID([16]byte(raw)), nil
}

func formatID(b [16]byte) ID {
	h := hex.EncodeToString(b[:])
	return ID(h[0:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:])
}

// Value gives the id to a database driver; the zero id is NULL.
func (id ID) Value() (driver.Value, error) {
	if id == "" {
		return nil, nil
	}
	return string(id), nil
}

// Scan reads an id from a database driver; NULL is the zero id.
func (id *ID) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*id = ""
	case string:
		*id = ID(v)
	case [16]byte:
		*id = formatID(v)
	default:
		return fmt.Errorf("can't read an id from %T", src)
	}
	return nil
}
