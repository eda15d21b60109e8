package web

// PrivacyPage says to everybody what is kept of a face, why and for how long, and how to withdraw.
type PrivacyPage struct {
	Layout
	// Version, Language (BCP 47), Text and Cohort (paragraphs) are what people agree to.
	Version, Language string
	Text, Cohort      []string
	// UnusedDays is after how many days without use the numbers are erased.
	UnusedDays int
	// Statement says what a face can't do.
	Statement string
}

func (PrivacyPage) page() (name, title string) { return "privacy", "Your face and your data" }
