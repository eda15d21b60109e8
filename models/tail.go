package models

import (
	"context"
	"slices"
	"time"
)

// settled is how long after its time a fact is surely committed, for a reader of the
// audit log: ids are in the order in which transactions began.
const settled = 10 * time.Second

// tailPage is how many facts are read at once.
const tailPage = 200

// ReadEvents reads the published facts of the audit log behind an id, the oldest first.
type ReadEvents func(ctx context.Context, behind ID, limit int) ([]AuditEvent, error)

// Tail follows the audit log as others are told it. It looks back a little each time, for
// facts whose transactions took longer than those of newer ones, and tells nothing twice.
type Tail struct {
	read   ReadEvents
	types  []string
	behind ID
	seen   map[ID]bool // of those behind it
}

// NewTail follows from a time on. types are those that are told, all for none.
func NewTail(read ReadEvents, since time.Time, types []string) *Tail {
	return &Tail{read: read, types: types, behind: MinID(since), seen: map[ID]bool{}}
}

// Resume follows on after an event that was told. What was told shortly before it may be
// told again: a fact among it may have been committed since.
func Resume(read ReadEvents, after ID, types []string) *Tail {
	t := NewTail(read, after.Time().Add(-settled), types)
	t.seen[after] = true
	return t
}

// Next gives what is new, the oldest first, and whether there may be more at once.
func (t *Tail) Next(ctx context.Context) (messages []Message, more bool, err error) {
	events, err := t.read(ctx, t.behind, tailPage)
	if err != nil || len(events) == 0 {
		return nil, false, err
	}
	for _, e := range events {
		if t.seen[e.ID] {
			continue
		}
		t.seen[e.ID] = true
		if m, public := MessageOf(e); public && (len(t.types) == 0 || slices.Contains(t.types, m.Type)) {
			messages = append(messages, m)
		}
	}
	newest := events[len(events)-1].ID
	more = len(events) == tailPage
	if more {
		t.behind = newest
	} else {
		t.behind = max(t.behind, MinID(newest.Time().Add(-settled)))
	}
	for id := range t.seen {
		if id < t.behind {
			delete(t.seen, id)
		}
	}
	return messages, more, nil
}
