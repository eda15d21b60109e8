package live

import (
	"bufio"
	"context"
	"net"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

const (
	eventStream = "text/event-stream" // HTML, "Server-sent events"
	// comeBack is how soon a client opens a stream again that was cut, in milliseconds.
	comeBack = "retry: 1000\n\n"
	revoked  = "event: session.revoked\ndata: {}\n\n"
)

// asksForStream tells whether a client wants events rather than a socket.
func asksForStream(c *fiber.Ctx) bool {
	return strings.Contains(c.Get(fiber.HeaderAccept), eventStream)
}

// sessionStream answers with a stream that says one thing: that the session is over. Where
// there is none, it says so at once.
func (h *Handlers) sessionStream(c *fiber.Ctx) error {
	if web.Session(c).State == models.Anonymous {
		c.Set(fiber.HeaderContentType, eventStream)
		return c.SendString(revoked)
	}
	return h.stream(c, revoked, nil)
}

// Stream answers with what more gives, asked twice a second, until the session ends, the
// client leaves, this server stops or more refuses; "" is nothing yet. What more can't read is asked for again.
func (h *Handlers) Stream(c *fiber.Ctx, more func(context.Context) (string, error)) error {
	return h.stream(c, "", more)
}

func (h *Handlers) stream(c *fiber.Ctx, last string, more func(context.Context) (string, error)) error {
	if err := h.sameSite(c); err != nil {
		return err
	}
	l := newLine("", web.Session(c))
	if !h.Hub.add(l) {
		return &models.Error{Code: models.CodeOverloaded, Message: "there are too many open streams", RetryAfter: writeWithin}
	}
	c.Set(fiber.HeaderContentType, eventStream)
	c.Set("X-Accel-Buffering", "no") // a proxy that waits for more would hold it all back
	conn := c.Context().Conn()
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		defer h.Hub.remove(l)
		l.stream(&pen{conn, w}, last, more)
	})
	return nil
}

// stream writes until the line ends. It runs beside the connection's own goroutine, which
// a panic here would take along: it does nothing that could.
func (l *line) stream(p *pen, last string, more func(context.Context) (string, error)) {
	ping, look := time.NewTicker(pingEvery), time.NewTicker(lookEvery)
	defer ping.Stop()
	defer look.Stop()
	for ok := p.write(comeBack); ok; {
		select {
		case code := <-l.end:
			if code == closeSessionEnded && last != "" {
				p.write(last)
			}
			return
		case <-ping.C:
			ok = p.write(": still here\n\n")
		case <-look.C:
			if more == nil {
				continue
			}
			ctx, cancel := context.WithTimeout(context.Background(), writeWithin)
			text, err := more(ctx)
			cancel()
			switch {
			case models.CodeOf(err) == models.CodeUnavailable: // asked for again
			case err != nil:
				return
			case text != "":
				ok = p.write(text)
			}
		}
	}
}

// pen writes to a connection that outlives what the server allows one answer.
type pen struct {
	conn net.Conn
	w    *bufio.Writer
}

// write tells whether the client still reads. Each text has its own time: the server's
// limit is for whole answers, and would cut a stream off.
func (p *pen) write(text string) bool {
	_ = p.conn.SetWriteDeadline(time.Now().Add(writeWithin))
	_, err := p.w.WriteString(text)
	return err == nil && p.w.Flush() == nil
}
