// Package chat is the demo: one room that only a level-2 session can open or
// post to. It shows apps how a socket follows the session it was opened for.
package chat

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
	pages "github.com/sallyport/sallyport/web"
)

// Store is what this part needs of the records.
type Store interface {
	PostChatMessage(ctx context.Context, by models.User, body string) (models.ChatMessage, error)
	ChatMessages(ctx context.Context, newest int) ([]models.ChatMessage, error)
	ChatMessage(ctx context.Context, id models.ID) (models.ChatMessage, error)
}

// Handlers answers the requests of this part.
type Handlers struct {
	*web.Door
	Store Store
	// Tell hands a text to whoever listens to a topic.
	Tell func(topic string, text []byte)
}

// Topic is what the sockets of the room listen to.
const Topic = "chat"

const (
	newest  = 100
	maxBody = 1000 // code points
)

// postLimit keeps one person from flooding the room.
var postLimit = models.Limit{Max: 60, Window: models.Duration(time.Minute)}

type messageBody struct {
	ID          models.ID `json:"id"`
	Username    string    `json:"username"`
	DisplayName string    `json:"display_name"`
	Body        string    `json:"body"`
	At          time.Time `json:"at"`
}

func describe(m models.ChatMessage) messageBody {
	return messageBody{ID: m.ID, Username: m.Username, DisplayName: m.DisplayName, Body: m.Body, At: m.At}
}

// Messages answers GET /v1/chat/messages: the newest, oldest first.
func (h *Handlers) Messages(c *fiber.Ctx) error {
	found, err := h.Store.ChatMessages(c.UserContext(), newest)
	if err != nil {
		return err
	}
	list := []messageBody{}
	for _, m := range found {
		list = append(list, describe(m))
	}
	return c.JSON(fiber.Map{"messages": list})
}

type postRequest struct {
	Body string `json:"body"`
}

// Post answers POST /v1/chat/messages.
func (h *Handlers) Post(c *fiber.Ctx) error {
	var r postRequest
	if err := web.Decode(c, &r); err != nil {
		return err
	}
	body := strings.TrimSpace(r.Body)
	if body == "" || utf8.RuneCountInString(body) > maxBody || strings.ContainsRune(body, 0) {
		return models.Invalid("body", "length", "write something, of at most 1000 characters")
	}
	user := web.Session(c).User
	if err := h.CountAccount(c, "chat", postLimit); err != nil {
		return err
	}
	m, err := h.Store.PostChatMessage(c.UserContext(), user, body)
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(describe(m))
}

// tellWithin is how long a posted message may take to be looked up.
const tellWithin = 5 * time.Second

// Posted hands a new message to everybody in the room.
func (h *Handlers) Posted(id models.ID) {
	ctx, cancel := context.WithTimeout(context.Background(), tellWithin)
	defer cancel()
	message, err := h.Store.ChatMessage(ctx, id)
	if err != nil {
		if models.CodeOf(err) != models.CodeNotFound {
			h.Log.Warn("a posted message was not handed on", "error", err)
		}
		return
	}
	text, err := json.Marshal(describe(message))
	if err != nil {
		h.Log.Error("a posted message was not handed on", "error", err)
		return
	}
	h.Tell(Topic, text)
}

// Page shows the room.
func (h *Handlers) Page(c *fiber.Ctx) error {
	found, err := h.Store.ChatMessages(c.UserContext(), newest)
	if err != nil {
		return err
	}
	page := pages.ChatPage{Layout: h.Layout(c)}
	me := web.Session(c).User.ID
	for _, m := range found {
		page.Messages = append(page.Messages, pages.ChatMessage{
			ID: string(m.ID), Username: m.Username, DisplayName: m.DisplayName, Body: m.Body, At: m.At, Mine: m.UserID == me,
		})
	}
	return h.Render(c, page)
}
