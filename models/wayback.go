package models

import "time"

// RecoveryKind is how somebody comes back who holds no factor any more.
type RecoveryKind string

// The kinds of recovery.
const (
	// WaitingRecovery takes the password or one address, a letter's link, and time
	// in which its owner is told and may stop it.
	WaitingRecovery RecoveryKind = "waiting"
	// AssistedRecovery takes two admins and a letter's link.
	AssistedRecovery RecoveryKind = "assisted"
)

// RecoveryLinkFor is how long the link of a recovery that came to its end works; with
// it the recovery is over.
const RecoveryLinkFor = 72 * time.Hour

// WayBack is a recovery that is under way. An account has one at the most.
type WayBack struct {
	ID      ID
	Kind    RecoveryKind
	BegunAt time.Time
	// ByMail says that a waiting recovery began by both addresses of the account, without
	// its password: the letters that lead on go to the second one.
	ByMail bool
	// ReadyAt is when the letter was made that ends it; zero before.
	ReadyAt time.Time
}

// OverAt is when a waiting recovery that stands under this policy has waited long
// enough.
func (w WayBack) OverAt(p RecoveryPolicy) time.Time { return w.BegunAt.Add(p.Wait.Std()) }

// AssistedFor is how long an assisted recovery waits for the second admin.
const AssistedFor = 72 * time.Hour

// Past tells whether a recovery is over unused at a time: nobody came by the link that
// ends it, or no second admin agreed.
func (w WayBack) Past(now time.Time) bool {
	switch {
	case !w.ReadyAt.IsZero():
		return !now.Before(w.ReadyAt.Add(RecoveryLinkFor))
	default:
		return w.Kind == AssistedRecovery && !now.Before(w.BegunAt.Add(AssistedFor))
	}
}

// RecoveryPolicy is about coming back without any factor.
type RecoveryPolicy struct {
	// Waiting lets people come back by a letter's link after a time of waiting.
	Waiting bool     `yaml:"waiting" json:"waiting"`
	Wait    Duration `yaml:"wait" json:"wait"`
}

func (p RecoveryPolicy) strictest(q RecoveryPolicy) RecoveryPolicy {
	return RecoveryPolicy{Waiting: p.Waiting && q.Waiting, Wait: max(p.Wait, q.Wait)}
}

// AssistedRequest is an assisted recovery as admins see it.
type AssistedRequest struct {
	ID         ID
	Username   string // of the account that is to come back
	OpenedBy   string // user name of an admin
	OpenedByID ID
	ApprovedBy string // "" until another admin agreed
	BegunAt    time.Time
	ApprovedAt *time.Time
}
