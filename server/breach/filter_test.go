package breach

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// listed is a list of the passwords "leaked 0" and on, as Have I Been Pwned and
// others write them.
func listed(n int) string {
	var list strings.Builder
	for i := range n {
		fmt.Fprintf(&list, "%X", sha1.Sum(fmt.Appendf(nil, "leaked %d", i)))
		if i%2 == 0 {
			fmt.Fprintf(&list, ":%d\r", i+1)
		}
		list.WriteByte('\n')
	}
	return list.String()
}

func build(t *testing.T, b Build, list string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "leaked.filter")
	if err := b.Run(t.Context(), strings.NewReader(list), path); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string) *Filter {
	t.Helper()
	f, err := OpenFilter(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestTheFilterKeepsItsRate: everything on the list is known, and of what isn't no
// more is taken for it than was asked for. Six standard errors either way: fewer
// would mean that the bits aren't looked at.
func TestTheFilterKeepsItsRate(t *testing.T) {
	t.Parallel()
	const entries, strangers = 10_000, 100_000
	for _, rate := range []float64{0.02, 1e-3} {
		f := open(t, build(t, Build{Rate: rate, Memory: 1 << 20}, listed(entries)))
		for i := range entries {
			if known, err := f.Known(t.Context(), fmt.Sprintf("leaked %d", i)); !known || err != nil {
				t.Fatalf("leaked %d: %v %v", i, known, err)
			}
		}
		found := 0
		for i := range strangers {
			known, err := f.Known(t.Context(), fmt.Sprintf("mine %d", i))
			if err != nil {
				t.Fatal(err)
			}
			if known {
				found++
			}
		}
		want := rate * strangers
		if math.Abs(float64(found)-want) > 6*math.Sqrt(want) {
			t.Errorf("at %g %d of %d strangers are taken for leaked, want some %g", rate, found, strangers, want)
		}
		if err := f.Verify(); err != nil {
			t.Error(err)
		}
	}
}

// A filter that is larger than the memory for it comes out the same.
func TestWindowsDoNotShow(t *testing.T) {
	t.Parallel()
	list := listed(1000)
	whole, err := os.ReadFile(build(t, Build{Rate: 1e-4, Memory: 1 << 30}, list))
	if err != nil {
		t.Fatal(err)
	}
	for _, memory := range []int64{97, 1000} {
		windows, err := os.ReadFile(build(t, Build{Rate: 1e-4, Memory: memory}, list))
		if err != nil || !bytes.Equal(whole, windows) {
			t.Errorf("with %d bytes at a time the file is another: %v", memory, err)
		}
	}
}

// A list that is no list of SHA-1 gives no filter, tells its bad lines, and leaves
// the filter that was there and nothing else.
func TestBadLists(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		list, why string
		bad       string
	}{
		"one bad line": {listed(3) + "hunter2\n\n" + listed(1) + "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:many\n", "2 of 7 lines", "[4 7]"},
		"NTLM":         {"8846F7EAEE8FB117AD06BDD830B7586C:3\n", "1 of 1 lines", "[1]"},
		"empty":        {"\n", "the list is empty", "[]"},
		"only padding": {"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:0\n", "the list is empty", "[]"},
		"no lines":     {listed(2) + strings.Repeat("x", 10_000), "line 3 is longer", "[]"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "leaked.filter")
		if err := os.WriteFile(path, []byte("the one before"), 0o600); err != nil {
			t.Fatal(err)
		}
		bad := []int{}
		err := Build{Rate: 1e-3, Bad: func(line int, _ string) { bad = append(bad, line) }}.Run(t.Context(), strings.NewReader(c.list), path)
		if err == nil || !strings.Contains(err.Error(), c.why) || fmt.Sprint(bad) != c.bad {
			t.Errorf("%s: %v, bad lines %v", name, err, bad)
		}
		onlyTheOneBefore(t, name, path)
	}
}

func onlyTheOneBefore(t *testing.T, name, path string) {
	t.Helper()
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 {
		t.Errorf("%s: leaves %v %v", name, files, err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "the one before" {
		t.Errorf("%s: the filter before became %q %v", name, content, err)
	}
}

func TestABuildThatIsStoppedLeavesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "leaked.filter")
	if err := os.WriteFile(path, []byte("the one before"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	lines := 0
	b := Build{Rate: 1e-3, Read: func(n int) { lines += n; cancel() }}
	if err := b.Run(ctx, strings.NewReader(listed(readEvery+5)), path); !errors.Is(err, context.Canceled) || lines != readEvery {
		t.Errorf("%v after %d lines", err, lines)
	}
	onlyTheOneBefore(t, "stopped", path)
}

type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

func TestDamagedFiltersAreTold(t *testing.T) {
	t.Parallel()
	path := build(t, Build{Rate: 1e-3, Memory: 1 << 20}, listed(100))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := func(at int) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 4
		return b
	}
	for name, c := range map[string]struct {
		content []byte
		opens   bool
	}{
		"whole": {whole, true}, "a bit": {changed(headerBytes + 5), true}, "the sum": {changed(len(whole) - 1), true}, "empty": {nil, false},
		"magic": {changed(0), false}, "version": {changed(8), false}, "k": {changed(12), false}, "n": {changed(24), false}, "crc": {changed(40), false},
		"cut off": {whole[:len(whole)-1], false}, "header alone": {whole[:headerBytes], false}, "longer": {append(bytes.Clone(whole), 0), false},
	} {
		f, err := newFilter(inMemory{bytes.NewReader(c.content)}, int64(len(c.content)))
		if (err == nil) != c.opens {
			t.Errorf("%s: opens %v", name, err)
		}
		if err == nil {
			if err := f.Verify(); (err == nil) != (name == "whole") {
				t.Errorf("%s: verifies %v", name, err)
			}
		}
	}
	if _, err := OpenFilter(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("a missing file opens")
	}
}

// nothing is a file of zeros that is as long as one likes and counts questions
// beyond its end.
type nothing struct {
	header []byte
	size   int64
	beyond int
}

func (n *nothing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > n.size {
		n.beyond++
		return 0, io.EOF
	}
	clear(p)
	if off < int64(len(n.header)) {
		copy(p, n.header[off:])
	}
	return len(p), nil
}

func (*nothing) Close() error { return nil }

// FuzzHeader: whatever the header and the size, the file is refused, or the header
// is the one that its parameters are written as, and no question reads beyond the
// file.
func FuzzHeader(f *testing.F) {
	p, err := parametersFor(1000, 1e-6)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.header(), int64(headerBytes+p.m/8+sumBytes))
	f.Add([]byte(magic), int64(100))
	f.Fuzz(func(t *testing.T, header []byte, size int64) {
		file := &nothing{header: header, size: size}
		filter, err := newFilter(file, size)
		if err != nil {
			return
		}
		if again := filter.header(); !bytes.Equal(again, header[:headerBytes]) {
			t.Errorf("%x is written %x", header, again)
		}
		if known, err := filter.Known(t.Context(), string(header)); known || err != nil || file.beyond > 0 {
			t.Errorf("%v %v, %d reads beyond the end", known, err, file.beyond)
		}
	})
}
