package breach

import (
	"bufio"
	"context"
	"crypto/sha1" //nolint:gosec // the name by which leaked passwords are listed
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Build says how a filter is made.
type Build struct {
	Rate   float64                    // of false positives, between 0 and 1
	Memory int64                      // bytes for bits at a time; what doesn't fit takes another pass
	Bad    func(line int, why string) // told of each line that is no hash; may be nil
	Read   func(lines int)            // told now and then how many more lines were read; may be nil
}

// readEvery is how many lines are read between two calls of Build.Read.
const readEvery = 100_000

// maxListLine is the longest line of a list, in bytes.
const maxListLine = 256

// Run makes a filter of a list of SHA-1 hashes in hex, one a line, each alone or
// with a colon and how often it was seen, as Have I Been Pwned lists them. Lists
// of NTLM hashes can't be used.
//
// Memory is bounded: the hashes go to a file beside path first, 20 bytes each, so
// that they are counted before the filter is sized, also where the list can be
// read once. The filter takes its place by a rename when it is whole. A list with
// a bad line gives no filter.
func (b Build) Run(ctx context.Context, list io.Reader, path string) error {
	spool, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*.spool")
	if err != nil {
		return err
	}
	defer func() { _ = errors.Join(spool.Close(), os.Remove(spool.Name())) }()
	entries, err := b.spool(ctx, list, spool)
	if err != nil {
		return err
	}
	p, err := parametersFor(entries, b.Rate)
	if err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*.new")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(out.Name()) }() // gone already when all went well
	err = b.write(ctx, p, spool, out)
	// The server may run as another user, and the list is no secret.
	if err := errors.Join(err, out.Chmod(0o644), out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), path)
}

// spool writes the hashes of a list one after another.
func (b Build) spool(ctx context.Context, list io.Reader, spool io.Writer) (entries uint64, err error) {
	lines := bufio.NewScanner(bufio.NewReaderSize(list, 1<<20))
	lines.Buffer(make([]byte, 0, maxListLine), maxListLine)
	w := bufio.NewWriterSize(spool, 1<<20)
	line, bad := 0, 0
	for lines.Scan() {
		if line++; line%readEvery == 0 && b.Read != nil {
			b.Read(readEvery)
		}
		if line%readEvery == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		digest, ok, why := readEntry(lines.Text())
		if why != "" {
			if bad++; b.Bad != nil {
				b.Bad(line, why)
			}
		}
		if !ok {
			continue
		}
		entries++
		if _, err := w.Write(digest[:]); err != nil {
			return 0, err
		}
	}
	switch {
	case errors.Is(lines.Err(), bufio.ErrTooLong):
		return 0, fmt.Errorf("line %d is longer than %d bytes: this is no list of hashes", line+1, maxListLine)
	case lines.Err() != nil:
		return 0, fmt.Errorf("after line %d: %w", line, lines.Err())
	case bad > 0:
		return 0, fmt.Errorf("%d of %d lines are no SHA-1 hashes: no filter was made", bad, line)
	case entries == 0:
		return 0, errors.New("the list is empty")
	}
	return entries, w.Flush()
}

// readEntry reads a line. Empty lines and hashes that were never seen, which are
// padding, are no entries.
func readEntry(line string) (digest [sha1.Size]byte, ok bool, why string) {
	line = strings.TrimSpace(line)
	if line == "" {
		return digest, false, ""
	}
	hash, count, counted := strings.Cut(line, ":")
	switch {
	case len(hash) == 32 && isHex(hash):
		return digest, false, "has 32 digits, as NTLM has; only SHA-1 is of use"
	case len(hash) != 2*sha1.Size || !isHex(hash):
		return digest, false, "is no SHA-1 in 40 hex digits"
	case counted && (count == "" || strings.Trim(count, "0123456789") != ""):
		return digest, false, "has something else than a number behind the colon"
	case counted && strings.Trim(count, "0") == "":
		return digest, false, ""
	}
	_, err := hex.Decode(digest[:], []byte(hash))
	return digest, err == nil, ""
}

// write fills the bits window by window, each in one pass over the hashes, so that
// a filter may be larger than the memory.
func (b Build) write(ctx context.Context, p parameters, spool io.ReadSeeker, out io.Writer) error {
	sum := sha256.New()
	w := io.MultiWriter(out, sum)
	if _, err := w.Write(p.header()); err != nil {
		return err
	}
	window := make([]byte, min(max(b.Memory, 1), int64(p.m/8)))
	for from := uint64(0); from < p.m/8; from += uint64(len(window)) {
		window = window[:min(uint64(len(window)), p.m/8-from)]
		clear(window)
		if err := fill(ctx, p, spool, window, from); err != nil {
			return err
		}
		if _, err := w.Write(window); err != nil {
			return err
		}
	}
	_, err := out.Write(sum.Sum(nil))
	return err
}

// fill sets the bits of all hashes that fall into a window of the filter, which
// begins at byte from.
func fill(ctx context.Context, p parameters, spool io.ReadSeeker, window []byte, from uint64) error {
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r := bufio.NewReaderSize(spool, 1<<20)
	var digest [sha1.Size]byte
	for i := uint64(0); i < p.n; i++ {
		if i%readEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if _, err := io.ReadFull(r, digest[:]); err != nil {
			return err
		}
		p.bits(digest, func(bit uint64) bool {
			if at := bit/8 - from; bit/8 >= from && at < uint64(len(window)) {
				window[at] |= 1 << (bit % 8)
			}
			return true
		})
	}
	return nil
}
