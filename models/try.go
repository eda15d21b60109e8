package models

import "time"

// Limit allows Max tries at once, refilled evenly over Window (GCRA, the
// generic cell rate algorithm).
type Limit struct {
	Max    int      `yaml:"max" json:"max"`
	Window Duration `yaml:"window" json:"window"`
}

// Each is how long one try takes to drain, to the microsecond that Postgres
// keeps.
func (l Limit) Each() time.Duration {
	return (l.Window.Std() / time.Duration(l.Max)).Truncate(time.Microsecond)
}

// Half is what one network may use of a limit that all strangers share.
func (l Limit) Half() Limit { return Limit{Max: (l.Max + 1) / 2, Window: l.Window} }

func (l Limit) strictest(m Limit) Limit {
	return Limit{Max: min(l.Max, m.Max), Window: max(l.Window, m.Window)}
}

// Bucket is one thing that tries are counted in.
type Bucket struct {
	Subject string // whose: see AccountSubject and its like
	Kind    string // of what
	Limit   Limit
	Cost    int  // tries that this one counts for; 0 is one
	Work    bool // counts requests, not failures: a success gives nothing back
	// EmptyAt is when the bucket has drained, this try included. The store fills
	// it in: what has drained by itself is not given back.
	EmptyAt time.Time
}

// Takes is how long this try takes to drain. One try never takes more than
// the whole bucket, or none would ever pass.
func (b Bucket) Takes() time.Duration {
	return b.Limit.Each() * time.Duration(min(max(b.Cost, 1), b.Limit.Max))
}

// Streak counts failures in a row of one factor in one lane. A try counts as a
// failure until it has succeeded.
type Streak struct {
	Subject    string
	Kind       string
	CloseAfter int // failures that close the lane; 0 never does
}

// Try is what one check is counted in, before it is made: all of it, or nothing
// where anything refuses.
type Try struct {
	Factor  Factor // what is checked; "" where it is only work
	Buckets []Bucket
	Streaks []Streak
	Waits   FailureWaits
	// DisableAfter are the failures in a row of By's account's Factor, in all lanes
	// together, that disable it; 0 counts none.
	DisableAfter int
	// Reopens are the subjects whose lanes a success opens again where they were
	// closed: a known device does so for strangers.
	Reopens []string
	By      Session // whose; the zero session where no account is known
}

// Everybody is the subject of what all of them have together.
const Everybody = "all"

// AccountSubject is an account, signed in as far as its password.
func AccountSubject(id ID) string { return "account:" + string(id) }

// DeviceSubject is a known device: a lane of its own.
func DeviceSubject(id ID) string { return "device:" + string(id) }

// NetworkSubject is a network, as coarse as a household or an office.
func NetworkSubject(network string) string { return "network:" + network }

// NameSubject is a name that somebody typed, by the hex of its keyed digest.
// Known and unknown names are counted alike, and two names of one account
// apart: neither must show.
func NameSubject(digest string) string { return "name:" + digest }

// AppSubject is everything that one app asks for.
func AppSubject(id string) string { return "app:" + id }

// From narrows a subject to what comes from one network.
func From(subject, network string) string { return subject + " " + NetworkSubject(network) }
