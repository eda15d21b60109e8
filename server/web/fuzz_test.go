package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

// What passes is one JSON object for encoding/json too, and writing down what was
// read loses no key: none was there twice.
func FuzzWellFormed(f *testing.F) {
	for _, seed := range []string{`{}`, `{"code":"123456"}`, `{"a":1,"A":2}`, `{"k":[{"a":{}},[]]}`, `{"a":1}{}`, `null`, `{"a":`, strings.Repeat(`{"a":`, 20), "{\"\xff\":1}", `{"\u0061":1,"a":2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if wellFormed(body) != nil {
			return
		}
		var read map[string]any
		if err := json.Unmarshal(body, &read); err != nil {
			t.Fatalf("%q passed and can't be read: %v", body, err)
		}
		written, err := json.Marshal(read)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := colons(t, written), colons(t, body); got != want {
			t.Errorf("%q has %d keys, %d are left", body, want, got)
		}
	})
}

// colons counts the keys of a document: the colons outside its strings.
func colons(t *testing.T, doc []byte) (n int) {
	t.Helper()
	within := false
	for i := 0; i < len(doc); i++ {
		switch {
		case within && doc[i] == '\\':
			i++
		case doc[i] == '"':
			within = !within
		case !within && doc[i] == ':':
			n++
		}
	}
	return n
}

// Whatever a browser sends as cookie and header, reading them takes few markers and
// one token, and the token is a part of what was sent.
func FuzzCookies(f *testing.F) {
	f.Add("sallyport=abc; sallyport-device=a.b.c", "", "")
	f.Add("=sallyport=abc", "Bearer x", "m")
	f.Add("sallyport-device=......a", "bearer", "a.b.c.d.e.f")
	f.Fuzz(func(t *testing.T, cookie, authorization, device string) {
		if strings.ContainsAny(cookie+authorization+device, "\r\n\x00") {
			return // would be other headers
		}
		request := httptest.NewRequest(fiber.MethodGet, "/", nil)
		request.Header = http.Header{"Cookie": {cookie}, "Authorization": {authorization}, HeaderDevice: {device}}
		app := fiber.New(fiber.Config{Immutable: true})
		app.Get("/", func(c *fiber.Ctx) error {
			d := &Door{}
			if markers := d.markers(c); len(markers) > maxMarkers {
				t.Errorf("%d markers", len(markers))
			}
			token, transport, err := d.token(c)
			from := cookie
			if transport == models.Bearer {
				from = authorization
			}
			if err != nil || !strings.Contains(from, token) {
				t.Errorf("%q as %s is not in %q, %v", token, transport, from, err)
			}
			return nil
		})
		response, err := app.Test(request, -1)
		if err != nil {
			return // no HTTP that fasthttp reads
		}
		_ = response.Body.Close()
	})
}

// A step-up's id is refused as bad input, or one of ours in its one form.
func FuzzStepUpID(f *testing.F) {
	f.Add("")
	f.Add("01a213d3-0430-79af-9eee-e880db9cc7d3")
	f.Add("01A213D3-0430-79AF-9EEE-E880DB9CC7D3")
	f.Fuzz(func(t *testing.T, typed string) {
		id, err := StepUpID(typed)
		switch {
		case err != nil && models.CodeOf(err) != models.CodeInvalidRequest:
			t.Errorf("%q: %v", typed, err)
		case err == nil && typed != "" && string(id) != strings.ToLower(typed):
			t.Errorf("%q is read as %q", typed, id)
		}
	})
}
