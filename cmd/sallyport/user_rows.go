package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/server/auth"
)

// userRow is one account of a file: its columns by name, or why they can't be
// read.
type userRow struct {
	line    int // where it begins, from 1
	columns map[string]string
	err     error
}

// userRows reads a file one account at a time. io.EOF at its end; any other error
// means that the rest can't be read.
type userRows interface {
	next() (userRow, error)
}

// maxRow bounds one account, in bytes: a quote that is not closed must not take
// the rest of the file into memory.
const maxRow = 64 << 10

// newUserRows reads CSV or JSONL, without the mark that some programs put before
// UTF-8.
func newUserRows(format string, in io.Reader) (userRows, error) {
	buffered := bufio.NewReader(in)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3) // it was peeked at
	}
	if format == "jsonl" {
		lines := bufio.NewScanner(buffered)
		lines.Buffer(nil, maxRow)
		return &jsonRows{lines: lines}, nil
	}
	return newCSVRows(buffered)
}

// csvRows reads CSV (RFC 4180) whose first row names the columns, in any order.
type csvRows struct {
	csv    *csv.Reader
	ration *ration
	header []string
	last   int
}

// ration gives at most left bytes.
type ration struct {
	from io.Reader
	left int
}

var errLongRow = fmt.Errorf("a row is longer than %d bytes: is a quote not closed?", maxRow)

func (r *ration) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errLongRow
	}
	n, err := r.from.Read(p[:min(len(p), r.left)])
	r.left -= n
	return n, err
}

func newCSVRows(in io.Reader) (*csvRows, error) {
	ration := &ration{from: in, left: maxRow}
	r := &csvRows{csv: csv.NewReader(ration), ration: ration, last: 1}
	header, err := r.csv.Read()
	if err == io.EOF {
		return nil, errors.New("the file is empty: its first line must name the columns")
	}
	if err != nil {
		return nil, fmt.Errorf("the names of the columns can't be read: %w", err)
	}
	seen := map[string]bool{}
	var unknown []string
	for i, name := range header {
		header[i] = strings.TrimSpace(name)
		if seen[header[i]] {
			return nil, fmt.Errorf("the column %s is there twice", header[i])
		}
		seen[header[i]] = true
		if !slices.Contains(auth.ImportColumns, header[i]) {
			unknown = append(unknown, strconv.Quote(header[i]))
		}
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("columns that are not known here: %s; known are %s", strings.Join(unknown, ", "), strings.Join(auth.ImportColumns, ", "))
	}
	for _, name := range auth.ImportColumns[:auth.RequiredColumns] {
		if !seen[name] {
			return nil, fmt.Errorf("the column %s is missing", name)
		}
	}
	r.header = header
	return r, nil
}

func (r *csvRows) next() (userRow, error) {
	r.ration.left = maxRow
	record, err := r.csv.Read()
	var bad *csv.ParseError
	switch {
	case errors.As(err, &bad):
		r.last = bad.Line
		if bad.Line > bad.StartLine { // a quote that took the lines between in
			return userRow{line: bad.StartLine, err: fmt.Errorf("with all lines to %d: %w", bad.Line, bad.Err)}, nil
		}
		return userRow{line: bad.StartLine, err: bad.Err}, nil
	case err == io.EOF:
		return userRow{}, io.EOF
	case err != nil:
		return userRow{}, fmt.Errorf("after line %d: %w", r.last, err)
	}
	row := userRow{columns: make(map[string]string, len(record))}
	for i, name := range r.header {
		row.columns[name] = record[i]
	}
	row.line, _ = r.csv.FieldPos(0)
	r.last, _ = r.csv.FieldPos(len(record) - 1)
	return row, nil
}

// jsonRows reads one JSON object a line. Empty lines are skipped.
type jsonRows struct {
	lines *bufio.Scanner
	line  int
}

func (r *jsonRows) next() (userRow, error) {
	for r.lines.Scan() {
		r.line++
		if text := bytes.TrimSpace(r.lines.Bytes()); len(text) > 0 {
			columns, err := readObject(text)
			return userRow{line: r.line, columns: columns, err: err}, nil
		}
	}
	if errors.Is(r.lines.Err(), bufio.ErrTooLong) {
		return userRow{}, fmt.Errorf("line %d is longer than %d bytes", r.line+1, maxRow)
	}
	if err := r.lines.Err(); err != nil {
		return userRow{}, fmt.Errorf("after line %d: %w", r.line, err)
	}
	return userRow{}, io.EOF
}

var errNoObject = errors.New("is not one JSON object of texts, numbers and true or false")

// readObject reads a flat object strictly: no name twice, nothing behind it. null
// counts as missing.
func readObject(line []byte) (map[string]string, error) {
	if !utf8.Valid(line) {
		return nil, errors.New("is not UTF-8") // the decoder would write something else in its place
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errNoObject
	}
	columns := map[string]string{}
	for dec.More() {
		key, err := dec.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return nil, errNoObject
		}
		if _, twice := columns[name]; twice {
			return nil, fmt.Errorf("%q is there twice", name)
		}
		value, err := dec.Token()
		if err != nil {
			return nil, errNoObject
		}
		switch v := value.(type) {
		case nil:
			columns[name] = ""
		case string:
			columns[name] = v
		case bool, json.Number:
			columns[name] = fmt.Sprint(v)
		default:
			return nil, errNoObject
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, errNoObject
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errNoObject
	}
	return columns, nil
}
