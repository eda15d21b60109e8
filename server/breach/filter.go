package breach

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // the name by which leaked passwords are listed
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
)

// The file of a Bloom filter, all numbers little-endian:
//
//	 0  8 bytes  "SALLYBLM"
//	 8  uint32   version: 1
//	12  uint32   k, the bits that each entry sets
//	16  uint64   m, the bits in all, a multiple of 64
//	24  uint64   n, the entries
//	32  float64  the rate of false positives it was made for
//	40  uint32   CRC-32 (IEEE) of the 40 bytes before
//	44  m/8      the bits, lowest first
//	    32 bytes SHA-256 of everything before
const (
	magic       = "SALLYBLM"
	version     = 1
	headerBytes = 44
	sumBytes    = sha256.Size
	maxK        = 64
	maxBits     = 1 << 43 // a terabyte
)

// parameters of a filter.
type parameters struct {
	k    uint32
	m, n uint64
	rate float64
}

// parametersFor gives the smallest filter for n entries at a rate of false
// positives: m = -n ln(rate) / ln(2)^2 and k = m/n ln(2).
func parametersFor(n uint64, rate float64) (parameters, error) {
	m := math.Ceil(-float64(n) * math.Log(rate) / (math.Ln2 * math.Ln2) / 64)
	p := parameters{k: max(uint32(math.Round(-math.Log2(rate))), 1), m: uint64(m) * 64, n: n, rate: rate}
	return p, p.check()
}

func (p parameters) check() error {
	if p.k < 1 || p.k > maxK || p.m < 64 || p.m > maxBits || p.m%64 != 0 || p.n < 1 || !(p.rate > 0 && p.rate < 1) {
		return fmt.Errorf("a filter can't have k %d, m %d, n %d and rate %g", p.k, p.m, p.n, p.rate)
	}
	return nil
}

func (p parameters) header() []byte {
	b := append(make([]byte, 0, headerBytes), magic...)
	b = binary.LittleEndian.AppendUint32(b, version)
	b = binary.LittleEndian.AppendUint32(b, p.k)
	b = binary.LittleEndian.AppendUint64(b, p.m)
	b = binary.LittleEndian.AppendUint64(b, p.n)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(p.rate))
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

func readHeader(b []byte) (parameters, error) {
	switch {
	case len(b) != headerBytes || string(b[:8]) != magic:
		return parameters{}, errors.New("is no filter of leaked passwords")
	case binary.LittleEndian.Uint32(b[8:]) != version:
		return parameters{}, fmt.Errorf("has version %d, this program reads %d", binary.LittleEndian.Uint32(b[8:]), version)
	case binary.LittleEndian.Uint32(b[40:]) != crc32.ChecksumIEEE(b[:40]):
		return parameters{}, errors.New("is damaged: its header doesn't sum up")
	}
	p := parameters{
		k: binary.LittleEndian.Uint32(b[12:]), m: binary.LittleEndian.Uint64(b[16:]), n: binary.LittleEndian.Uint64(b[24:]),
		rate: math.Float64frombits(binary.LittleEndian.Uint64(b[32:])),
	}
	return p, p.check()
}

// bits calls do with each of the k bits of an entry until it says false. Enhanced
// double hashing (Dillinger and Manolios 2004) over halves of the SHA-1, which is
// as even as any hash that could be made of it.
func (p parameters) bits(digest [sha1.Size]byte, do func(bit uint64) bool) {
	a, b := binary.LittleEndian.Uint64(digest[:8]), binary.LittleEndian.Uint64(digest[8:16])
	for i := range uint64(p.k) {
		if !do(a % p.m) {
			return
		}
		a += b
		b += i + 1
	}
}

type file interface {
	io.ReaderAt
	io.Closer
}

// Filter is a Bloom filter in a file. It is read where it lies, k bytes a
// question, and the operating system keeps in memory what there is room for. It
// is safe for concurrent use.
type Filter struct {
	parameters
	file file
	size int64
}

// OpenFilter opens a filter and checks that its header is whole and its length
// right. Verify reads the rest.
func OpenFilter(path string) (*Filter, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	f, err := newFilter(file, info.Size())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s %w", path, err), file.Close())
	}
	return f, nil
}

func newFilter(file file, size int64) (*Filter, error) {
	header := make([]byte, headerBytes)
	if n, err := file.ReadAt(header, 0); n < headerBytes && err != io.EOF {
		return nil, fmt.Errorf("can't be read: %w", err)
	}
	p, err := readHeader(header)
	if err != nil {
		return nil, err
	}
	if want := headerBytes + int64(p.m/8) + sumBytes; size != want {
		return nil, fmt.Errorf("is damaged: it has %d bytes, and should have %d", size, want)
	}
	return &Filter{parameters: p, file: file, size: size}, nil
}

// Known tells whether a password is on the list that the filter was made of; of
// those that are not, the filter's rate are taken for it.
func (f *Filter) Known(_ context.Context, password string) (bool, error) {
	return f.has(sha1.Sum([]byte(password))) //nolint:gosec // see above
}

func (f *Filter) has(digest [sha1.Size]byte) (known bool, err error) {
	known = true
	var one [1]byte
	f.bits(digest, func(bit uint64) bool {
		if _, err = f.file.ReadAt(one[:], headerBytes+int64(bit/8)); err != nil {
			err = fmt.Errorf("the filter can't be read: %w", err)
		}
		known = err == nil && one[0]>>(bit%8)&1 == 1
		return known
	})
	return known, err
}

// Verify reads the whole file and holds it to its SHA-256.
func (f *Filter) Verify() error {
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f.file, 0, f.size-sumBytes)); err != nil {
		return fmt.Errorf("can't be read: %w", err)
	}
	var want [sumBytes]byte
	if _, err := f.file.ReadAt(want[:], f.size-sumBytes); err != nil {
		return fmt.Errorf("can't be read: %w", err)
	}
	if !bytes.Equal(sum.Sum(nil), want[:]) {
		return errors.New("is damaged: its content doesn't sum up")
	}
	return nil
}

// Close closes the file.
func (f *Filter) Close() error { return f.file.Close() }

// String says what the filter holds.
func (f *Filter) String() string {
	return fmt.Sprintf("%d leaked passwords, made for a false positive rate of %g", f.n, f.rate)
}
