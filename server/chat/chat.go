package chat

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/contrib/websocket"
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
	Hub   *Hub
}

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

// Socket answers GET /v1/chat/socket. A page of another site is refused: a
// browser sends it the cookie, but not to a fetch that could be checked.
func (h *Handlers) Socket(c *fiber.Ctx) error {
	if !websocket.IsWebSocketUpgrade(c) {
		return models.Invalid("", "upgrade", "this address speaks WebSocket")
	}
	if origin := c.Get(fiber.HeaderOrigin); origin != "" && origin != h.Origin {
		return models.Refuse(models.CodeCrossSite, "this request came from another site")
	}
	session := web.Session(c).ID
	return websocket.New(func(conn *websocket.Conn) { h.Hub.serve(conn, session) })(c)
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
