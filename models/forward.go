package models

import (
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// HostCode lets a browser that has a session with Sallyport into an app's host, once.
type HostCode struct {
	Code      TokenHash
	Host      string
	Binding   TokenHash // of the browser's cookie on the app's host
	To        string    // path and query on that host
	ExpiresAt time.Time
}

// HostCodeWithin is how long a code lives: the browser comes with it at once.
const HostCodeWithin = time.Minute

// PathOf gives the path of a request target, decoded once. ok is false where proxies and
// apps could take it for different paths: where it is not written plainly.
func PathOf(target string) (path string, ok bool) {
	raw, _, _ := strings.Cut(target, "?")
	for i := range len(target) {
		if target[i] <= ' ' || target[i] >= 0x7f || target[i] == '#' {
			return "", false
		}
	}
	// What an encoding may not hide: what parts a path, and what would be decoded again.
	for i := 0; i+2 < len(raw); i++ {
		if raw[i] != '%' {
			continue
		}
		switch strings.ToLower(raw[i+1 : i+3]) {
		case "2f", "5c", "2e", "25", "3b":
			return "", false
		}
	}
	path, err := url.PathUnescape(raw)
	return path, err == nil && PlainPath(path)
}

// PlainPath tells whether a decoded path has one meaning alone: no empty or dotted
// segment, nothing that some programs take for a slash or cut off.
func PlainPath(path string) bool {
	if !strings.HasPrefix(path, "/") || !utf8.ValidString(path) || strings.ContainsAny(path, "\\;%") || strings.ContainsFunc(path, control) {
		return false
	}
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		if s == "." || s == ".." || s == "" && i < len(segments)-1 {
			return false
		}
	}
	return true
}

func control(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }
