package web

// RecoveryLinkPage asks once more before a link about a way back is used up.
type RecoveryLinkPage struct {
	Layout
	// Kind is the link's: "begin-recovery", "stop-recovery", "finish-recovery" or "assisted-recovery".
	Kind string
	// ByPassword says that the person has typed their password in this browser a moment ago.
	ByPassword bool
}

func (RecoveryLinkPage) page() (name, title string) { return "recovery-link", "Your way back" }
