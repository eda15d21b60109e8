package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"
)

const (
	mostName = 60   // characters
	mostText = 2000 // characters
	mostBody = 16 << 10
)

func (c *chat) me(w http.ResponseWriter, _ *http.Request, s session) {
	answer(w, http.StatusOK, map[string]any{"sub": s.Sub, "name": s.Name, "acr": s.ACR, "moderator": s.Moderator})
}

func (c *chat) listRooms(w http.ResponseWriter, r *http.Request, _ session) {
	rooms, err := c.records.rooms(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"rooms": rooms})
}

// read reads one text out of a body, of 1 to most characters.
func read(w http.ResponseWriter, r *http.Request, name string, most int) (string, bool) {
	var body map[string]string
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostBody)).Decode(&body)
	text := strings.TrimSpace(body[name])
	if err != nil || text == "" || utf8.RuneCountInString(text) > most {
		problem(w, http.StatusBadRequest, "invalid_request", "write 1 to "+map[int]string{mostName: "60", mostText: "2000"}[most]+" characters", "")
		return "", false
	}
	return text, true
}

func (c *chat) makeRoom(w http.ResponseWriter, r *http.Request, s session) {
	name, ok := read(w, r, "name", mostName)
	if !ok {
		return
	}
	made, err := c.records.makeRoom(r.Context(), name, s.Sub)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	answer(w, http.StatusCreated, made)
}

func (c *chat) listMessages(w http.ResponseWriter, r *http.Request, _ session) {
	found, err := c.records.room(r.Context(), r.PathValue("id"))
	if c.refused(w, r, err) {
		return
	}
	list, err := c.records.messages(r.Context(), found.ID)
	if c.refused(w, r, err) {
		return
	}
	answer(w, http.StatusOK, map[string]any{"room": found, "messages": list})
}

func (c *chat) say(w http.ResponseWriter, r *http.Request, s session) {
	text, ok := read(w, r, "text", mostText)
	if !ok {
		return
	}
	said, err := c.records.say(r.Context(), r.PathValue("id"), s, text)
	if c.refused(w, r, err) {
		return
	}
	c.lines.tell(r.PathValue("id"), map[string]any{"message": said})
	answer(w, http.StatusCreated, said)
}

// deleteRoom takes a sign-in for just that (see routes), and whoever made the room or moderates.
func (c *chat) deleteRoom(w http.ResponseWriter, r *http.Request, s session) {
	found, err := c.records.room(r.Context(), r.PathValue("id"))
	if c.refused(w, r, err) {
		return
	}
	if found.MadeBy != s.Sub && !s.Moderator {
		problem(w, http.StatusForbidden, "forbidden", "only who made a room deletes it", "")
		return
	}
	if c.refused(w, r, c.records.deleteRoom(r.Context(), found.ID, s, c.now())) {
		return
	}
	c.lines.tell(found.ID, map[string]any{"deleted": true})
	w.WriteHeader(http.StatusNoContent)
}

func (c *chat) refused(w http.ResponseWriter, r *http.Request, err error) bool {
	switch {
	case err == nil:
		return false
	case errors.Is(err, errGone):
		problem(w, http.StatusNotFound, "not_found", "this room is gone", "")
	default:
		c.fail(w, r, err)
	}
	return true
}
