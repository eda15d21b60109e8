package models

import (
	"maps"
	"slices"
	"time"
)

// published maps the facts that leave the server to the public type of their event.
// Every other fact is nobody's business but its account's.
var published = map[string]string{
	"account_created":           "account.created",
	"account_erased":            TypeAccountDeleted,
	"deletion_requested":        "account.deletion_requested",
	"deletion_taken_back":       "account.deletion_taken_back",
	"denied":                    "account.denied",
	"freeze_lifted":             "account.freeze_lifted",
	"admin_granted":             "admin.granted",
	"admin_revoked":             "admin.revoked",
	"new_device":                "device.new",
	"device_remembered":         "device.remembered",
	"remembered_device_removed": "device.forgotten",
	"email_changed":             "email.changed",
	"email_confirmed":           "email.verified",
	"email_lost":                "email.lost",
	"email_restored":            "email.restored",
	"factor_added":              "factor.added",
	"factor_disabled":           "factor.disabled",
	"factor_removed":            "factor.removed",
	"face_purged":               "factor.removed",
	"passkey_counter_regressed": "factor.counter_regressed",
	"password_changed":          "password.changed",
	"codes_issued":              "recovery_codes.issued",
	"recovery_code_used":        "recovery_codes.used",
	"recovery_begun":            "recovery.begun",
	"recovery_requested":        "recovery.requested",
	"recovery_approved":         "recovery.approved",
	"recovery_entered":          "recovery.entered",
	"recovery_stopped":          "recovery.stopped",
	"signed_in":                 "session.signed_in",
	"session_ended":             typeRevoked,
	"other_sessions_ended":      typeRevoked,
	"all_sessions_ended":        typeRevoked,
	"sessions_revoked":          typeRevoked,
	"second_factor_failed":      "sign_in.second_factor_failed",
	"sign_in_unfinished":        "sign_in.unfinished",
}

const (
	typeRevoked = "session.revoked"
	// TypeAccountDeleted is told when there is no account any more.
	TypeAccountDeleted = "account.deleted"
	// TypeTest is of no fact: an admin tries an endpoint.
	TypeTest = "webhook.test"
)

// EventTypes lists the public types, sorted.
func EventTypes() []string {
	return slices.Compact(slices.Sorted(maps.Values(published)))
}

// PublishedFacts lists the facts that leave the server.
func PublishedFacts() []string { return slices.Collect(maps.Keys(published)) }

// Message is an event as others are told it. It holds ids and kinds alone: nothing that
// anybody typed, no address, no place, no measure of a face.
type Message struct {
	Type      string      `json:"type"`
	Timestamp time.Time   `json:"timestamp"` // of the fact
	Data      MessageData `json:"data"`
}

// MessageData is what an event is about.
type MessageData struct {
	ID       ID      `json:"id"` // of the event: its fact's row in the audit log
	User     *About  `json:"user,omitempty"`
	Session  *About  `json:"session,omitempty"`  // that did it
	Sessions []About `json:"sessions,omitempty"` // that are over
	Factor   Factor  `json:"factor,omitempty"`
}

// About names something by its id.
type About struct {
	ID ID `json:"id"`
}

// MessageOf is what others are told of a fact; false where that is nothing.
func MessageOf(e AuditEvent) (Message, bool) {
	m := Message{Type: published[e.Fact], Timestamp: e.At, Data: MessageData{ID: e.ID, User: about(e.UserID), Session: about(e.SessionID)}}
	if factor, ok := e.Detail["factor"].(string); ok {
		m.Data.Factor = Factor(factor)
	}
	switch {
	case m.Type == typeRevoked:
		m.Data.Session, m.Data.Sessions = nil, ended(e.Detail["ended"])
		return m, len(m.Data.Sessions) > 0
	// Where addresses are proven, an account begins with the proof.
	case e.Fact == "account_created" && e.Detail["waits"] == true:
		return m, false
	case e.Fact == "email_confirmed" && e.Detail["registration"] == true:
		m.Type = published["account_created"]
	}
	return m, m.Type != ""
}

func about(id ID) *About {
	if id == "" {
		return nil
	}
	return &About{id}
}

// ended reads which sessions a fact ended: one, or a list.
func ended(detail any) (list []About) {
	switch v := detail.(type) {
	case string:
		list = append(list, About{ID(v)})
	case []any:
		for _, id := range v {
			list = append(list, ended(id)...)
		}
	}
	return list
}
