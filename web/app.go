package web

import "time"

// AuthorizePage asks a person what an app may know, or whether it is this account that
// they mean.
type AuthorizePage struct {
	Layout
	ID   string // of the request that waits
	App  string
	Host string // where they are sent back to
	// Choosing says that only the account is asked about.
	Choosing bool
	// OtherAccount says that the app meant somebody else than who is signed in.
	OtherAccount bool
	Scopes       []string
}

func (AuthorizePage) page() (name, title string) { return "authorize", "Sign in to an app" }

// DevicePage asks for the code that a device shows.
type DevicePage struct {
	Layout
	Code string // that the address came with; "" for none
}

func (DevicePage) page() (name, title string) { return "device", "Sign a device in" }

// FoundDevicePage asks whether a device may sign in.
type FoundDevicePage struct {
	Layout
	ID     string
	App    string
	Scopes []string
	Machine
	IP        string
	CreatedAt time.Time
}

func (FoundDevicePage) page() (name, title string) { return "device-found", "Sign a device in" }

// ConfirmPage asks for a sign-in once more, within the session.
type ConfirmPage struct {
	Layout
	Next string // where they go on: a path here
}

func (ConfirmPage) page() (name, title string) { return "confirm", "Confirm it’s you" }

// FormField is a field that nobody sees.
type FormField struct{ Name, Value string }

// FormPostPage sends itself to an app (OAuth 2.0 Form Post Response Mode).
type FormPostPage struct {
	Layout
	Action string
	Fields []FormField
}

func (FormPostPage) page() (name, title string) { return "form-post", "Back to the app" }

// EndSessionPage asks whether to sign out, or says that it's done.
type EndSessionPage struct {
	Layout
	Done   bool
	After  string   // where they go on, at the app; "" for nowhere
	Frames []string // pages of apps that are told
}

func (EndSessionPage) page() (name, title string) { return "end-session", "Sign out" }
