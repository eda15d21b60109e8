package web

import (
	"errors"
	"io"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

const keyUpload local = "upload"

// upload is the body of a request on its way in. Nothing of it is held before
// the guard has let the request through, and then no more than its route takes.
type upload struct {
	stream io.Reader // nil without a body
	length int       // as announced; negative where it is not
	most   int       // bytes that the route takes
	read   int
	end    error // why there is no more
}

// Read gives the body as far as the route takes it; too_large beyond.
func (u *upload) Read(p []byte) (int, error) {
	if u.end != nil {
		return 0, u.end
	}
	n, err := u.stream.Read(p)
	u.read += n
	// The framework would read on into the next request after the last chunk.
	u.end = err
	if u.read > u.most {
		return 0, tooLarge()
	}
	return n, err
}

// discard reads what is left away. It tells whether the end was reached: if it
// was not, the rest would be taken for the connection's next request.
func (u *upload) discard(most int) bool {
	u.most = most
	_, err := io.Copy(io.Discard, u)
	return err == nil
}

func tooLarge() error { return models.Refuse(models.CodeTooLarge, "this is more than we take") }

// Uploads lets bodies be read from the connection as handlers ask for them. It
// wraps everything else: what is left unread in the end is read away, so that
// a client that is refused early still hears why; of a body beyond most bytes
// the connection is closed instead.
func Uploads(most int) fiber.Handler {
	return func(c *fiber.Ctx) error {
		u := &upload{stream: c.Context().RequestBodyStream(), length: c.Request().Header.ContentLength()}
		if u.stream == nil {
			u.end = io.EOF
		}
		c.Locals(keyUpload, u)
		err := c.Next()
		if u.length > most || !u.discard(most) {
			c.Context().SetConnectionClose()
		}
		return err
	}
}

// AllowBody lets a handler read at most so many bytes of the request's body.
// too_large for a body that says that it is longer, and for any body where the
// route takes none.
func AllowBody(c *fiber.Ctx, most int) error {
	u := uploadOf(c)
	if u.length > most || most == 0 && u.end == nil && u.length != 0 {
		return tooLarge()
	}
	u.most = most
	return nil
}

// BodyReader gives the request's body; reading it gives too_large beyond what
// the route takes.
func BodyReader(c *fiber.Ctx) io.Reader { return uploadOf(c) }

// body reads the whole body into memory.
func body(c *fiber.Ctx) ([]byte, error) {
	data, err := io.ReadAll(uploadOf(c))
	var refusal *models.Error
	if err != nil && !errors.As(err, &refusal) {
		return nil, models.Invalid("", "incomplete", "the body broke off")
	}
	return data, err
}

func uploadOf(c *fiber.Ctx) *upload { return c.Locals(keyUpload).(*upload) }
