package models

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What may be shown is short enough to be read.
const (
	maxAction      = 80
	maxDetails     = 500
	maxDetailLines = 8
	maxPurpose     = 64
	maxName        = 64
	minState       = 16
	maxState       = 512
)

// subjectName has what stands in addresses as it is: no name that two systems could read
// in two ways.
var subjectName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~@:+-]{0,127}$`)

// SubjectName tells whether a name can be a subject's: 1 to 128 of letters, digits and
// ._~@:+-, the first a letter or a digit.
func SubjectName(name string) bool { return subjectName.MatchString(name) }

// Check refuses a context that a person could read as something else.
func (c Context) Check() error {
	if !SubjectName(c.Subject) {
		return Invalid("subject", "characters", "a subject is 1 to 128 of letters, digits and ._~@:+-, and begins with a letter or a digit")
	}
	if strings.TrimSpace(c.Action) == "" {
		return Invalid("context.action", "too_short", "say what is to be confirmed")
	}
	if err := shown("context.action", c.Action, maxAction, 1); err != nil {
		return err
	}
	if err := shown("context.details", c.Details, maxDetails, maxDetailLines); err != nil {
		return err
	}
	return shown("purpose", c.Purpose, maxPurpose, 1)
}

// CheckDisplayName refuses what can't stand on a page as a person's name.
func CheckDisplayName(name string) error { return shown("display_name", name, maxName, 1) }

// shown refuses text that is not shown as it is written: controls, marks that turn the
// direction of writing or can't be seen, lines that break where none is.
func shown(field, text string, most, lines int) error {
	if utf8.RuneCountInString(text) > most {
		return Invalid(field, "too_long", fmt.Sprintf("write at most %d characters", most))
	}
	if strings.Count(text, "\n") >= lines {
		return Invalid(field, "control_character", fmt.Sprintf("write at most %d lines", lines))
	}
	for _, r := range text {
		joiner := r == '\u200c' || r == '\u200d' // scripts and emoji need them
		if r != '\n' && unicode.IsControl(r) || !joiner && unicode.Is(unicode.Cf, r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Co) || r == utf8.RuneError {
			return Invalid(field, "control_character", "write plain text: no controls, no marks that can't be seen")
		}
	}
	return nil
}

// Check refuses what the app may not ask for, whoever the subject is.
func (a Asked) Check(app App) error {
	settings := app.Transactions
	if !slices.Contains(settings.ReturnTo, a.ReturnTo) {
		return Invalid("return_to", "unknown", "this address is not registered for the app")
	}
	if len(a.State) < minState || len(a.State) > maxState || strings.ContainsFunc(a.State, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Invalid("state", "length", fmt.Sprintf("send %d to %d printable ASCII characters that nobody can guess, and keep them in the browser", minState, maxState))
	}
	for _, f := range a.Factors {
		if !(Asked{}).Takes(f) {
			return Invalid("factors", "unknown", "factors are passkey, totp and face")
		}
	}
	if a.ACR != "" && a.ACR != ACRAAL2 {
		return Invalid("acr", "unknown", "acr is aal2, or left out")
	}
	if a.Enrols && !settings.Enrols {
		return Invalid("enrol", "not_allowed", "the app is not registered to vouch for its subjects")
	}
	switch a.Display {
	case DisplayPage, DisplayPopup:
	case DisplayFrame:
		if len(settings.FrameAncestors) == 0 {
			return Invalid("display", "not_allowed", "no origin is registered that may show the page in a frame")
		}
	default:
		return Invalid("display", "unknown", "display is page, popup or frame")
	}
	return a.Context.Check()
}
