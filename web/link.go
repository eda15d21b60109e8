package web

// NotMePage asks once more before "this wasn't me" is taken for an answer.
type NotMePage struct {
	Layout
}

func (NotMePage) page() (name, title string) { return "not-me", "This wasn’t me" }
