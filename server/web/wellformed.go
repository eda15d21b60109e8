package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/models"
)

// maxDepth is far deeper than any body of ours or any WebAuthn extension goes.
const maxDepth = 16

// wellFormed checks what encoding/json lets pass before it reads a body: that the
// body is one object and valid UTF-8, that nothing in it is nested beyond maxDepth,
// and that no object names a key twice (RFC 8259 section 4). Of two equal keys
// encoding/json takes the last and others the first, so a proxy that looked at the
// body could have seen another one. Keys are compared as encoding/json matches them,
// without regard to case.
func wellFormed(body []byte) error {
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return notAnObject() // null would pass for {}
	}
	if !utf8.Valid(body) {
		return models.Invalid("", "encoding", "the body must be UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := walk(dec, 0); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return notAnObject()
	}
	return nil
}

// walk reads one value with all that is in it.
func walk(dec *json.Decoder, depth int) error {
	token, err := dec.Token()
	if err != nil {
		return notAnObject()
	}
	open, nested := token.(json.Delim)
	if !nested {
		return nil
	}
	if depth == maxDepth {
		return models.Invalid("", "nesting", "the body is nested too deeply")
	}
	seen := map[string]bool{}
	for dec.More() {
		if open == '{' {
			token, err := dec.Token()
			if err != nil {
				return notAnObject()
			}
			key, _ := token.(string)
			folded := strings.ToLower(strings.ToUpper(key))
			if seen[folded] {
				return models.Invalid(key, "duplicate", "this field is there twice")
			}
			seen[folded] = true
		}
		if err := walk(dec, depth+1); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil { // its end
		return notAnObject()
	}
	return nil
}

func notAnObject() error {
	return models.Invalid("", "syntax", "the body must be one JSON object")
}
