package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

// progress is a bar on a terminal, or a count where nobody knows how many there
// are, and nothing anywhere else. It is safe for concurrent use.
type progress struct {
	out  *os.File // nil where there is no terminal
	what string
	all  int // 0 where nobody knows

	mu   sync.Mutex
	done int // guarded by mu
}

func newProgress(out *os.File, what string, all int) *progress {
	p := &progress{what: what, all: all}
	if info, err := out.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		p.out = out
	}
	return p
}

// Add counts n more.
func (p *progress) Add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	switch {
	case p.out == nil:
	case p.all == 0:
		fmt.Fprintf(p.out, "\r%d %s", p.done, p.what)
	default:
		const columns = 30
		filled := columns * min(p.done, p.all) / p.all
		fmt.Fprintf(p.out, "\r[%s%s] %d of %d %s", strings.Repeat("#", filled), strings.Repeat(".", columns-filled), p.done, p.all, p.what)
	}
}

// Close ends the line.
func (p *progress) Close() {
	if p.out != nil {
		fmt.Fprintln(p.out)
	}
}
