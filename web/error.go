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
	if p.Heading != "" {
		words.Heading = p.Heading
	}
	if p.Message != "" {
		words.Message = p.Message
	}
	return words
}
