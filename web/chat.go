package web

import "time"

// ChatPage is the protected sample room.
type ChatPage struct {
	Layout
	// Messages, oldest first.
	Messages []ChatMessage
}

// ChatMessage is one line in the room.
type ChatMessage struct {
	ID, Username, DisplayName, Body string
	At                              time.Time
	Mine                            bool
}

// Author is what the room calls its writer.
func (m ChatMessage) Author() string {
	return User{Username: m.Username, DisplayName: m.DisplayName}.Name()
}

func (ChatPage) page() (name, title string) { return "chat", "The common room" }
