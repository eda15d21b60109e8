package worker

import (
	"strings"
	"sync"
)

// tailBytes is how much of a worker's standard error is kept.
const tailBytes = 8 << 10

// tail is a writer that keeps the end of what was written. The reason of a crash
// is the last thing a process says.
type tail struct {
	mu   sync.Mutex
	text []byte // guarded by mu
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[max(0, len(p)-tailBytes):]...)
	if extra := len(t.text) - tailBytes; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ToValidUTF8(string(t.text), "?")
}

// lastWords is the line that names the cause, cut to a readable length: the head
// of a crash report where there is one, since those end in registers, else the
// last line with anything in it.
func (t *tail) lastWords() string {
	var words string
	for line := range strings.Lines(t.String()) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		words = line
		if crashHead(line) {
			break
		}
	}
	if len(words) > 300 {
		return strings.ToValidUTF8(words[:300], "") + "…"
	}
	return words
}

func crashHead(line string) bool {
	for _, head := range []string{"SIG", "panic: ", "fatal error: ", "terminate called"} {
		if strings.HasPrefix(line, head) {
			return true
		}
	}
	return false
}
