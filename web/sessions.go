package web

import "time"

// SessionsPage lists where the person is signed in.
type SessionsPage struct {
	Layout
	Sessions []SessionRow
	// Remembered are the devices that are not asked for the second step.
	Remembered []RememberedRow
	// Apps of others are those that the person let know about them.
	Apps []AppRow
}

// AppRow is one of them.
type AppRow struct {
	ID, Name string
	Scopes   []string
	GivenAt  time.Time
}

// Machine is what a user agent tells, such as "Firefox" and "Android": guesses, empty when unknown.
type Machine struct{ Browser, Device string }

// SessionRow is one of them.
type SessionRow struct {
	Machine
	ID      string
	Current bool
	// Place is in words; empty when unknown.
	IP, Place, ACR                   string
	Methods                          []string
	CreatedAt, LastSeenAt, ExpiresAt time.Time
}

// RememberedRow is one of the devices that are remembered.
type RememberedRow struct {
	Machine
	ID      string
	Current bool
	// Place is in words; empty when unknown.
	IP, Place          string
	LastUsedAt, EndsAt time.Time
}

func (SessionsPage) page() (name, title string) { return "sessions", "Where you’re signed in" }

// Current is the session that asks, nil when it is not in the list.
func (p SessionsPage) Current() *SessionRow {
	for i := range p.Sessions {
		if p.Sessions[i].Current {
			return &p.Sessions[i]
		}
	}
	return nil
}

// Others are all sessions but the one that asks.
func (p SessionsPage) Others() []SessionRow {
	var others []SessionRow
	for _, row := range p.Sessions {
		if !row.Current {
			others = append(others, row)
		}
	}
	return others
}

// Name is what the lists call it.
func (m Machine) Name() string {
	switch {
	case m.Browser != "" && m.Device != "":
		return m.Browser + " on " + m.Device
	case m.Browser != "":
		return m.Browser
	case m.Device != "":
		return "A browser on " + m.Device
	}
	return "An app or unknown browser"
}

// OnPhone picks the row's picture.
func (m Machine) OnPhone() bool {
	return m.Device == "Android" || m.Device == "iPhone" || m.Device == "iPad"
}
