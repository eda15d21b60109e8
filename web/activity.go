package web

import "time"

// ActivityPage is what happened at the account, newest first.
type ActivityPage struct {
	Layout
	Days []ActivityDay
	// More is where the next, older page begins; "" when this is the last.
	More string
	// Older says that this is not the first page.
	Older bool
}

// ActivityDay is a day (UTC) and what happened on it.
type ActivityDay struct {
	Date time.Time
	Rows []ActivityRow
}

// ActivityRow is one event.
type ActivityRow struct {
	At                  time.Time
	Title, Words        string
	Browser, Device, IP string
	Current             bool // done by the session that looks at it
}

func (ActivityPage) page() (name, title string) { return "activity", "What happened" }

// Add puts an event, which is older than those before it, under its day.
func (p *ActivityPage) Add(row ActivityRow) {
	day := row.At.UTC().Truncate(24 * time.Hour)
	if n := len(p.Days); n == 0 || !p.Days[n-1].Date.Equal(day) {
		p.Days = append(p.Days, ActivityDay{Date: day})
	}
	last := &p.Days[len(p.Days)-1]
	last.Rows = append(last.Rows, row)
}

// Where is what did it, for people to recognise: "" when nothing is known of it.
func (r ActivityRow) Where() string {
	if r.Browser == "" && r.Device == "" {
		return ""
	}
	return Machine{r.Browser, r.Device}.Name()
}
