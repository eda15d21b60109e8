package web

// The states a session can be in, as models spells them. An empty State means nobody is signed in.
const (
	stateEnrolmentRequired = "enrolment_required"
	stateRecovering        = "recovering"
	stateAuthenticated     = "authenticated"
)

// Layout is what every page needs around its own content.
type Layout struct {
	// Title replaces the page's own words in the title bar; usually empty.
	Title string
	// State of the session ("" when there is none): it decides what the navigation offers.
	State string
	// Path of this request without its query: it marks the current place in the navigation.
	Path string
	// Transaction is what a page confirms for an app: its requests name it. "" for every other page.
	Transaction string
	// User is nil until the session may show who it belongs to.
	User *User
	// Demo adds the sample chat.
	Demo bool
	// Mails says that letters can be sent.
	Mails bool
	// FaceReady says whether the face engine is running on this installation.
	FaceReady bool
	// FaceColours says that the screen shows colours while the camera looks, unless the person asks for none.
	FaceColours bool
}

// User is the person a page speaks to.
type User struct {
	Username    string
	DisplayName string
}

// Name is what the page calls the person.
func (u User) Name() string {
	if u.DisplayName != "" {
		return u.DisplayName
	}
	return u.Username
}

func (l Layout) layout() Layout { return l }

// HasSession says whether there is something to sign out of.
func (l Layout) HasSession() bool { return l.State != "" }

// Authenticated says whether the whole navigation is open.
func (l Layout) Authenticated() bool { return l.State == stateAuthenticated }

// Enrolling says whether the person has yet to choose a first second factor.
func (l Layout) Enrolling() bool { return l.State == stateEnrolmentRequired }

// Recovering says whether the session was opened by a recovery code.
func (l Layout) Recovering() bool { return l.State == stateRecovering }

// Home is where a finished sign-in goes when nothing else was asked for.
func (l Layout) Home() string {
	if l.Demo {
		return "/chat"
	}
	return "/account"
}
