package models

import (
	"strings"
	"testing"
)

// What is read as an id has one form, and is read so again.
func FuzzParseID(f *testing.F) {
	f.Add("01a213d3-0430-79af-9eee-e880db9cc7d3")
	f.Add("01A213D3-0430-79AF-9EEE-E880DB9CC7D3")
	f.Add("{01a213d3-0430-79af-9eee-e880db9cc7d}")
	f.Fuzz(func(t *testing.T, typed string) {
		id, err := ParseID(typed)
		if err != nil {
			return
		}
		again, err := ParseID(string(id))
		if err != nil || again != id || string(id) != strings.ToLower(typed) {
			t.Errorf("%q is read as %q, and then as %q, %v", typed, id, again, err)
		}
	})
}
