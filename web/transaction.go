package web

import (
	"slices"
	"strings"
	"time"
)

// TransactionStep is what the page of a transaction shows.
type TransactionStep string

// The steps.
const (
	TransactionOpening   TransactionStep = "opening"   // the script has yet to bring the secret
	TransactionElsewhere TransactionStep = "elsewhere" // another browser has it
	TransactionOver      TransactionStep = "over"
	TransactionConfirm   TransactionStep = "confirm"
	TransactionChoose    TransactionStep = "choose"   // a first factor to set up
	TransactionEnrolled  TransactionStep = "enrolled" // it is set up, and passed with that
	TransactionDone      TransactionStep = "done"     // passed, and on the way back
)

// TransactionPage is where somebody confirms something for an app that asks for a second
// factor alone.
type TransactionPage struct {
	Layout
	ID, App string
	Step    TransactionStep
	// Display is "page", "popup" or "frame".
	Display string
	// Name is the person's at the app. Action and Details (lines) are the app's words for what is
	// confirmed.
	Name, Action string
	Details      []string
	// Factors to confirm by, or to choose a first one from.
	Factors []string
	// FaceReason says why a face can't be used now, "" where it can.
	FaceReason string
	// Face is what setting one up takes, beside a first factor; nil where it can't be.
	Face   *FaceState
	EndsAt time.Time
}

func (TransactionPage) page() (name, title string) { return "transaction", "Confirm it’s you" }

// Open says whether what is to be confirmed may be shown.
func (p TransactionPage) Open() bool {
	return p.Step == TransactionConfirm || p.Step == TransactionChoose || p.Step == TransactionEnrolled || p.Step == TransactionDone
}

// Usable are the factors that work now.
func (p TransactionPage) Usable() []string {
	return slices.DeleteFunc(slices.Clone(p.Factors), func(kind string) bool { return kind == "face" && p.FaceReason != "" })
}

// FaceTrouble is why a face that would do can't be used now, or "".
func (p TransactionPage) FaceTrouble() string {
	if !slices.Contains(p.Factors, "face") {
		return ""
	}
	return p.FaceReason
}

// HasDetails says whether the app said more than what is done.
func (p TransactionPage) HasDetails() bool {
	return strings.TrimSpace(strings.Join(p.Details, "")) != ""
}
