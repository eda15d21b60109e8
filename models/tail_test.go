package models

import (
	"context"
	"slices"
	"testing"
	"time"
)

// log is an audit log in memory, into which facts come late.
type log []AuditEvent

func (l *log) read(_ context.Context, behind ID, limit int) (found []AuditEvent, err error) {
	slices.SortFunc(*l, func(a, b AuditEvent) int {
		return map[bool]int{true: -1, false: 1}[a.ID < b.ID]
	})
	for _, e := range *l {
		if e.ID > behind && len(found) < limit {
			found = append(found, e)
		}
	}
	return found, nil
}

func (l *log) add(at time.Time, facts ...string) {
	for _, fact := range facts {
		*l = append(*l, AuditEvent{ID: NewID(at), At: at, Fact: fact})
	}
}

func types(t *testing.T, tail *Tail) (list []string) {
	t.Helper()
	for {
		messages, more, err := tail.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			list = append(list, m.Type)
		}
		if !more {
			return list
		}
	}
}

func TestATailTellsEachFactOnceAlsoThoseThatComeLate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	var l log
	l.add(now.Add(-time.Minute), "signed_in")
	tail := NewTail(l.read, now, nil)
	l.add(now, "factor_added", "password_passed")
	l.add(now.Add(8*time.Second), "password_changed")
	if got := types(t, tail); !slices.Equal(got, []string{"factor.added", "password.changed"}) {
		t.Errorf("first %v", got)
	}
	l.add(now.Add(3*time.Second), "email_changed") // its transaction took longer
	if got := types(t, tail); !slices.Equal(got, []string{"email.changed"}) {
		t.Errorf("then %v", got)
	}
	if got := types(t, tail); len(got) != 0 {
		t.Errorf("twice %v", got)
	}
	// Behind an event all that is newer comes, and itself does not.
	last := l[slices.IndexFunc(l, func(e AuditEvent) bool { return e.Fact == "password_changed" })].ID
	l.add(now.Add(9*time.Second), "admin_granted")
	if got := types(t, Resume(l.read, last, []string{"admin.granted", "password.changed"})); !slices.Equal(got, []string{"admin.granted"}) {
		t.Errorf("resumed %v", got)
	}
	// Many pages come whole.
	for i := range 5 * tailPage {
		l.add(now.Add(time.Hour+time.Duration(i)*time.Millisecond), "signed_in")
	}
	if got := types(t, tail); len(got) != 5*tailPage+1 {
		t.Errorf("%d of %d", len(got), 5*tailPage+1)
	}
	if n := len(tail.seen); n > 5*tailPage+5 {
		t.Errorf("remembers %d", n)
	}
}

func TestMessagesHoldIDsAlone(t *testing.T) {
	t.Parallel()
	e := AuditEvent{
		ID: "e", UserID: "u", SessionID: "s", Fact: "factor_removed", Client: Client{IP: "203.0.113.7", UserAgent: "Firefox"},
		Detail: map[string]any{"factor": "totp", "id": "x", "distance": 0.4, "ended": []any{"a"}},
	}
	if m, ok := MessageOf(e); !ok || m.Data.Factor != TOTP || m.Data.User.ID != "u" || m.Data.Session.ID != "s" || m.Data.Sessions != nil {
		t.Errorf("%+v", m)
	}
	e.Fact = "sessions_revoked"
	e.Detail["ended"] = []any{"a", "b"}
	if m, ok := MessageOf(e); !ok || m.Data.Session != nil || !slices.Equal(m.Data.Sessions, []About{{"a"}, {"b"}}) {
		t.Errorf("%+v", m)
	}
	e.Detail["ended"] = []any{}
	if _, ok := MessageOf(e); ok {
		t.Error("the end of no session is told")
	}
	e.Fact = "password_passed"
	if _, ok := MessageOf(e); ok {
		t.Error("what is withheld is told")
	}
}

func TestIDsTellTheirTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 27, 9, 0, 0, 123_456_000, time.UTC)
	id := NewID(at)
	if !id.Time().Equal(at.Truncate(time.Millisecond)) || MinID(at) > id || MinID(at.Add(time.Millisecond)) <= id {
		t.Errorf("%s: %s", id, id.Time())
	}
	if _, err := ParseID(string(MinID(at))); err != nil {
		t.Error(err)
	}
}
