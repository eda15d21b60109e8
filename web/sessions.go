package web

import "time"

// SessionsPage lists where the person is signed in.
type SessionsPage struct {
	Layout
	Sessions []SessionRow
}

// SessionRow is one of them.
type SessionRow struct {
	ID      string
	Current bool
	// Browser and Device are guesses from the user agent, such as "Firefox" and "Android"; empty when unknown.
	// Place is in words; empty when unknown.
	Browser, Device, IP, Place, ACR  string
	Methods                          []string
	CreatedAt, LastSeenAt, ExpiresAt time.Time
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

// Name is what the list calls the session.
func (s SessionRow) Name() string {
	switch {
	case s.Browser != "" && s.Device != "":
		return s.Browser + " on " + s.Device
	case s.Browser != "":
		return s.Browser
	case s.Device != "":
		return "A browser on " + s.Device
	}
	return "An app or unknown browser"
}

// OnPhone picks the row's picture.
func (s SessionRow) OnPhone() bool {
	return s.Device == "Android" || s.Device == "iPhone" || s.Device == "iPad"
}
