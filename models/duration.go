package models

import (
	"fmt"
	"time"
)

// Duration is a time.Duration that reads and writes as text such as "10m".
type Duration time.Duration

// Std gives the standard library's form.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String gives the text form.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes "10m0s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration (write 90s, 10m or 24h)", text)
	}
	*d = Duration(parsed)
	return nil
}
