package web

// ErrorPage says what went wrong and what to do next.
type ErrorPage struct {
	Layout
	Status int
	// Code is the stable one of problem+json.
	Code string
	// Heading and Message are sentences; empty ones are chosen by Status.
	Heading, Message string
}

func (p ErrorPage) page() (name, title string) {
	return "error", p.Words().Heading
}

// AppErrorPage is an ErrorPage on the host of an app, where nothing of ours is but what
// lies below /.sallyport/.
type AppErrorPage struct {
	ErrorPage
	Origin string // Sallyport's own
}

func (p AppErrorPage) page() (name, title string) { return "app-error", p.Words().Heading }

// errorWords are what an error page says.
type errorWords struct{ Heading, Message string }

// Words are the page's own, else some that fit its status.
func (p ErrorPage) Words() errorWords {
	words := errorWords{"Something went wrong on our side", "Nothing you did caused it. Try again in a moment; if it stays, tell whoever runs this site."}
	switch p.Status {
	case 400:
		words = errorWords{"We couldn’t read that request", "Go back and try again."}
	case 403:
		words = errorWords{"This page isn’t open to you", "Sign in with another account, or go back."}
	case 404:
		words = errorWords{"There’s nothing here", "The address may be mistyped, or the page has moved."}
	case 405:
		words = errorWords{"This page can’t be used like that", "Open it again from the start, and allow scripts: signing in needs them."}
	case 429:
		words = errorWords{"Too many tries", "Wait a few minutes, then try again."}
	case 503:
		words = errorWords{"We’re out of reach for a moment", "You haven’t been signed out. Try again shortly."}
	}
	switch p.Code {
	case "group_required":
		words = errorWords{"This app isn’t open to you", "Your account isn’t in a group that may use it. Ask whoever runs it."}
	case "app_unknown":
		words = errorWords{"This app isn’t set up here", "Whoever runs it has to name it in the policy of this site."}
	case "ambiguous_path":
		words = errorWords{"That address can’t be used", "It can be read in several ways. Go to the app’s front page, and on from there."}
	case "challenge_expired":
		words = errorWords{"That took too long, or began in another browser", "Open the app again."}
	}
	if p.Heading != "" {
		words.Heading = p.Heading
	}
	if p.Message != "" {
		words.Message = p.Message
	}
	return words
}
