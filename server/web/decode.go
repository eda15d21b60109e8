package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

// Decode reads a JSON body strictly into v: one object, no unknown field, no
// key twice, no second value, no deep nesting, valid UTF-8. An empty body counts as {}.
func Decode(c *fiber.Ctx, v any) error {
	body, err := body(c)
	if err != nil || len(body) == 0 {
		return err
	}
	if err := jsonType(c); err != nil {
		return err
	}
	if err := wellFormed(body); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return badJSON(err)
	}
	return nil
}

// RefuseEncoded refuses compressed bodies: no client of ours has a reason to
// send one, and nothing here unpacks them. Any such header counts, an empty one
// too, for parsers differ in which of several they take.
func RefuseEncoded(c *fiber.Ctx) error {
	if len(c.Request().Header.PeekAll(fiber.HeaderContentEncoding)) > 0 {
		return models.Invalid("", "content_encoding", "send the body as it is, without Content-Encoding")
	}
	return c.Next()
}

// RawJSON gives a body that another parser reads, as what browsers' toJSON()
// makes.
func RawJSON(c *fiber.Ctx) ([]byte, error) {
	if err := jsonType(c); err != nil {
		return nil, err
	}
	body, err := body(c)
	if err != nil {
		return nil, err
	}
	return body, wellFormed(body)
}

func jsonType(c *fiber.Ctx) error {
	kind, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEApplicationJSON {
		return models.Invalid("", "content_type", "send application/json")
	}
	return nil
}

func badJSON(err error) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return models.Invalid(kind.Field, "type", "this field has the wrong type")
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return models.Invalid(strings.Trim(name, `"`), "unknown_field", "this field is not known here")
	}
	return notAnObject()
}

// StepUpID reads the id of the step-up that a proof is given for; "" for none.
func StepUpID(typed string) (models.ID, error) {
	if typed == "" {
		return "", nil
	}
	id, err := models.ParseID(typed)
	if err != nil {
		return "", models.Invalid("step_up", "malformed", "this is no step-up's id")
	}
	return id, nil
}

// PathID reads an id from the path. What is no id is not found, like an id
// that doesn't exist.
func PathID(c *fiber.Ctx) (models.ID, error) {
	id, err := models.ParseID(c.Params("id"))
	if err != nil {
		return "", models.Refuse(models.CodeNotFound, "there is nothing here")
	}
	return id, nil
}
