package models

import (
	"slices"
	"strings"
	"time"
)

// NoticeKind names what a letter is about; server/mail has words for each.
type NoticeKind string

// The kinds of letter.
const (
	NoticeNewDevice        NoticeKind = "new_device"
	NoticePasswordChanged  NoticeKind = "password_changed"
	NoticeFactorAdded      NoticeKind = "factor_added"
	NoticeFactorRemoved    NoticeKind = "factor_removed"
	NoticeFactorDisabled   NoticeKind = "factor_disabled"
	NoticeDeviceKeyAdded   NoticeKind = "device_key_added"
	NoticeDeviceRemembered NoticeKind = "device_remembered"
	NoticeCodesIssued      NoticeKind = "codes_issued"
	NoticeRecoveryCodeUsed NoticeKind = "recovery_code_used"
	// NoticeRecoveryAsked has the link by which waiting begins; NoticeRecoveryBegun and
	// NoticeRecoveryWaiting that by which it is stopped, NoticeRecoveryReady both.
	NoticeRecoveryAsked   NoticeKind = "recovery_asked"
	NoticeRecoveryBegun   NoticeKind = "recovery_begun"
	NoticeRecoveryWaiting NoticeKind = "recovery_waiting"
	NoticeRecoveryReady   NoticeKind = "recovery_ready"
	NoticeRecoveryStopped NoticeKind = "recovery_stopped"
	NoticeRecoveryEntered NoticeKind = "recovery_entered"
	// NoticeRecoveryRequested says that an admin began to help, NoticeRecoveryApproved
	// that another agreed.
	NoticeRecoveryRequested NoticeKind = "recovery_requested"
	NoticeRecoveryApproved  NoticeKind = "recovery_approved"
	// NoticeEmailChanged goes to the address that the account had before, and
	// NoticeEmailConfirmed to the new one, which may be a stranger's: it lets do nothing.
	NoticeEmailChanged       NoticeKind = "email_changed"
	NoticeEmailConfirmed     NoticeKind = "email_confirmed"
	NoticeSecondEmailAdded   NoticeKind = "second_email_added"
	NoticeSecondEmailRemoved NoticeKind = "second_email_removed"
	// NoticeEmailTaken tells an account that somebody gave its address for theirs.
	NoticeEmailTaken NoticeKind = "email_taken"
	// These carry the link that proves an address, to that address.
	NoticeConfirmEmail NoticeKind = "confirm_email"
	NoticeVerifyEmail  NoticeKind = "verify_email"
	NoticeChangeEmail  NoticeKind = "change_email"
	NoticeSecondEmail  NoticeKind = "second_email"
	// NoticePasswordKnown is the alarm that somebody knows the password: it was
	// right, and the second factor was not, or never came.
	NoticePasswordKnown     NoticeKind = "password_known"
	NoticePasswordReset     NoticeKind = "password_reset"
	NoticeFacePurge         NoticeKind = "face_purge"
	NoticeDeletion          NoticeKind = "deletion"
	NoticeDeletionTakenBack NoticeKind = "deletion_taken_back"
	// NoticeAccountDeleted is the last letter: it leaves before its address is erased.
	NoticeAccountDeleted NoticeKind = "account_deleted"
)

// NoticeKinds lists every kind.
var NoticeKinds = []NoticeKind{
	NoticeNewDevice, NoticePasswordChanged, NoticeFactorAdded, NoticeFactorRemoved, NoticeFactorDisabled, NoticeDeviceKeyAdded, NoticeDeviceRemembered,
	NoticeCodesIssued, NoticeRecoveryCodeUsed, NoticeRecoveryAsked, NoticeRecoveryBegun, NoticeRecoveryWaiting, NoticeRecoveryReady,
	NoticeRecoveryStopped, NoticeRecoveryEntered, NoticeRecoveryRequested, NoticeRecoveryApproved, NoticeEmailChanged, NoticePasswordKnown, NoticePasswordReset,
	NoticeFacePurge, NoticeDeletion, NoticeDeletionTakenBack, NoticeAccountDeleted,
	NoticeEmailConfirmed, NoticeSecondEmailAdded, NoticeSecondEmailRemoved, NoticeEmailTaken,
	NoticeConfirmEmail, NoticeVerifyEmail, NoticeChangeEmail, NoticeSecondEmail,
}

// told maps the facts that their account is told of to the letter.
var told = map[string]NoticeKind{
	"new_device":             NoticeNewDevice,
	"password_changed":       NoticePasswordChanged,
	"factor_added":           NoticeFactorAdded,
	"factor_removed":         NoticeFactorRemoved,
	"factor_disabled":        NoticeFactorDisabled,
	"device_key_added":       NoticeDeviceKeyAdded,
	"device_remembered":      NoticeDeviceRemembered,
	"codes_issued":           NoticeCodesIssued,
	"recovery_code_used":     NoticeRecoveryCodeUsed,
	"recovery_asked":         NoticeRecoveryAsked,
	"recovery_begun":         NoticeRecoveryBegun,
	"recovery_waiting":       NoticeRecoveryWaiting,
	"recovery_ready":         NoticeRecoveryReady,
	"recovery_stopped":       NoticeRecoveryStopped,
	"recovery_entered":       NoticeRecoveryEntered,
	"recovery_requested":     NoticeRecoveryRequested,
	"recovery_approved":      NoticeRecoveryApproved,
	"email_changed":          NoticeEmailChanged,
	"second_factor_failed":   NoticePasswordKnown,
	"sign_in_unfinished":     NoticePasswordKnown,
	"password_reset_offered": NoticePasswordReset,
	"face_purge_ahead":       NoticeFacePurge,
	"deletion_requested":     NoticeDeletion,
	"deletion_taken_back":    NoticeDeletionTakenBack,
	"deletion_begun":         NoticeAccountDeleted,
	"second_email_added":     NoticeSecondEmailAdded,
	"second_email_removed":   NoticeSecondEmailRemoved,
	"email_claimed":          NoticeEmailTaken,
}

// NoticeOf is the letter that tells an account of a fact, "" for none.
func NoticeOf(fact string) NoticeKind { return told[fact] }

// PerDay is how many letters of the kind an account gets in 24 hours at the most,
// beside what mail.per_hour says; 0 sets no bound. What strangers can bring about
// comes once: they could fill the mailbox of its owner.
func (k NoticeKind) PerDay() int {
	if k == NoticePasswordKnown || k == NoticeEmailTaken {
		return 1
	}
	return 0
}

// Links are what a letter of the kind lets its reader do.
func (k NoticeKind) Links() []LinkKind {
	switch k {
	case NoticePasswordReset:
		return []LinkKind{LinkPasswordReset}
	case NoticeRecoveryAsked:
		return []LinkKind{LinkBeginRecovery}
	case NoticeRecoveryBegun, NoticeRecoveryWaiting, NoticeRecoveryRequested:
		return []LinkKind{LinkStopRecovery}
	case NoticeRecoveryReady:
		return []LinkKind{LinkFinishRecovery, LinkStopRecovery}
	case NoticeRecoveryApproved:
		return []LinkKind{LinkAssistedRecovery, LinkStopRecovery}
	case NoticeEmailChanged:
		return []LinkKind{LinkUndoEmail}
	case NoticeConfirmEmail:
		return []LinkKind{LinkConfirmEmail}
	case NoticeVerifyEmail:
		return []LinkKind{LinkVerifyEmail}
	case NoticeChangeEmail:
		return []LinkKind{LinkChangeEmail}
	case NoticeSecondEmail:
		return []LinkKind{LinkSecondEmail}
	case NoticeFacePurge, NoticeAccountDeleted, NoticeEmailConfirmed, NoticeEmailTaken:
		return nil
	default:
		return []LinkKind{LinkNotMe}
	}
}

// Everywhere tells whether a letter of the kind goes to every address of its
// account: those do whose fact its owner can deny.
func (k NoticeKind) Everywhere() bool {
	// Whoever asked for a way back reads one of the mailboxes.
	wayBack := k == NoticeRecoveryBegun || k == NoticeRecoveryWaiting || k == NoticeRecoveryRequested
	return wayBack || slices.ContainsFunc(k.Links(), func(l LinkKind) bool { return l == LinkNotMe || l == LinkUndoEmail })
}

// Notice is a letter on its way: what about, to whom, in which language.
type Notice struct {
	ID        ID
	UserID    ID
	Kind      NoticeKind
	EventID   ID
	Address   string
	Language  string
	Detail    NoticeDetail
	CreatedAt time.Time
}

// NoticeDetail is what a letter says of its fact. It holds nothing that was named
// by whoever caused the fact, but for the user agent, which is only ever shown as
// one of the browsers that are known.
type NoticeDetail struct {
	Factor     Factor     `json:"factor,omitempty"`
	Left       *int       `json:"left,omitempty"` // recovery codes
	IP         string     `json:"ip,omitempty"`
	UserAgent  string     `json:"user_agent,omitempty"`
	Place      string     `json:"-"` // in words, where it is known; found when the letter is made
	LastUsedAt *time.Time `json:"last_used_at,omitempty"`
	ErasedAt   *time.Time `json:"erased_at,omitempty"`
}

// LinkKind is what a link in a letter is for. It is also the page's name:
// /link/<kind>.
type LinkKind string

// The kinds of link.
const (
	LinkNotMe         LinkKind = "not-me"
	LinkPasswordReset LinkKind = "password-reset"
	// LinkBeginRecovery begins the waiting of somebody who holds no factor any more,
	// LinkFinishRecovery ends it, LinkAssistedRecovery ends what two admins agreed to.
	LinkBeginRecovery    LinkKind = "begin-recovery"
	LinkStopRecovery     LinkKind = "stop-recovery"
	LinkFinishRecovery   LinkKind = "finish-recovery"
	LinkAssistedRecovery LinkKind = "assisted-recovery"
	LinkConfirmEmail     LinkKind = "confirm-email" // of a registration, with its password
	LinkVerifyEmail      LinkKind = "verify-email"  // of an account that has the address unproven
	LinkChangeEmail      LinkKind = "change-email"
	LinkSecondEmail      LinkKind = "second-email"
	LinkUndoEmail        LinkKind = "undo-email"
)

// Lifetime is how long a link of the kind works.
func (k LinkKind) Lifetime() time.Duration {
	switch k {
	case LinkNotMe:
		return 14 * 24 * time.Hour
	case LinkStopRecovery: // longer than any recovery
		return 40 * 24 * time.Hour
	case LinkFinishRecovery, LinkAssistedRecovery:
		return RecoveryLinkFor
	case LinkUndoEmail:
		return UndoWithin
	case LinkConfirmEmail, LinkVerifyEmail, LinkChangeEmail, LinkSecondEmail:
		return ConfirmWithin
	default:
		return 30 * time.Minute
	}
}

// Notice is the letter that carries a link that proves an address.
func (k LinkKind) Notice() NoticeKind { return NoticeKind(strings.ReplaceAll(string(k), "-", "_")) }

// Bound tells whether a new password voids links of the kind: also those that a thief
// asked for.
func (k LinkKind) Bound() bool {
	return k == LinkPasswordReset || k == LinkBeginRecovery || k == LinkFinishRecovery || k == LinkChangeEmail || k == LinkSecondEmail
}

// MailLink is a link of a letter as it was taken, once.
type MailLink struct {
	ID       ID
	Kind     LinkKind
	UserID   ID
	NoticeID ID
	// Bound is the SHA-256 of the password hash when the letter was made, for
	// kinds that are bound to it.
	Bound   []byte
	Address string
}

// Languages are those that letters are written in (BCP 47), the default first.
var Languages = []string{"en", "de"}
