package worker

import (
	"fmt"
	"strings"
	"testing"
)

func TestTailKeepsTheEnd(t *testing.T) {
	t.Parallel()
	var kept tail
	var all strings.Builder
	for i := range 3000 {
		line := fmt.Sprintf("line %d\n", i)
		all.WriteString(line)
		n, err := kept.Write([]byte(line))
		if n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	if want := all.String()[all.Len()-tailBytes:]; kept.String() != want {
		t.Errorf("kept %d bytes that end in %q", len(kept.String()), kept.lastWords())
	}
	_, _ = kept.Write([]byte(strings.Repeat("x", 3*tailBytes)))
	if kept.String() != strings.Repeat("x", tailBytes) {
		t.Error("one long write was not cut to its end")
	}
}

func TestLastWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                               "",
		"one\ntwo\n\n":                   "two",
		"no models\n":                    "no models",
		"x\nSIGSEGV: bad\nr8 0\ngs 0\n":  "SIGSEGV: bad",
		strings.Repeat("long ", 100):     strings.Repeat("long ", 60) + "…",
		"fatal error: oops\ngoroutine 1": "fatal error: oops",
	} {
		var kept tail
		_, _ = kept.Write([]byte(text))
		if got := kept.lastWords(); got != want {
			t.Errorf("%.20q: got %q, want %q", text, got, want)
		}
	}
}
