package models

import (
	"crypto/rand"
	"strings"
	"time"
)

// DeviceAuthorization is an app on a device without a browser that waits for its person to
// type a code elsewhere (RFC 8628).
type DeviceAuthorization struct {
	ID        ID
	AppID     string
	Scopes    []string
	Client    Client // the device
	Every     time.Duration
	CreatedAt time.Time
	ExpiresAt time.Time
}

// DevicePoll is what a device hears that asks whether its person has agreed.
type DevicePoll string

// The answers (RFC 8628 section 3.5). DeviceUnknown is a code that never was one of the
// app's, was used, or whose session ended.
const (
	DevicePending DevicePoll = "authorization_pending"
	DeviceTooSoon DevicePoll = "slow_down"
	DeviceDenied  DevicePoll = "access_denied"
	DeviceExpired DevicePoll = "expired_token"
	DeviceUnknown DevicePoll = "invalid_grant"
	DeviceAllowed DevicePoll = "allowed"
)

// userCodeLetters are consonants that can't be taken for one another or make up a word
// (RFC 8628 section 6.1): 20 to the 8th codes.
const userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"

// UserCode makes a code for a person to type, such as "WDJB-MJHT".
func UserCode() string {
	var code strings.Builder
	var b [1]byte
	for n := 0; n < 8; {
		_, _ = rand.Read(b[:]) // never fails: crypto/rand crashes the program first
		if int(b[0]) >= 256-256%len(userCodeLetters) {
			continue // or the first letters would come more often
		}
		if n == 4 {
			code.WriteByte('-')
		}
		code.WriteByte(userCodeLetters[int(b[0])%len(userCodeLetters)])
		n++
	}
	return code.String()
}

// ReadUserCode reads a code as people type it: in any case, with or without the dash.
// "" for what can't be one.
func ReadUserCode(typed string) string {
	var letters strings.Builder
	for _, r := range strings.ToUpper(typed) {
		switch {
		case strings.ContainsRune(userCodeLetters, r):
			letters.WriteRune(r)
		case r == '-' || r == ' ' || r == '–' || r == '‐':
		default:
			return ""
		}
	}
	if letters.Len() != 8 {
		return ""
	}
	code := letters.String()
	return code[:4] + "-" + code[4:]
}
