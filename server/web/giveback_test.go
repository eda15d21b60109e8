package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
)

// lender is a store that notes what was given back while it still could.
type lender struct {
	Store
	given int
}

func (l *lender) Count(_ context.Context, try models.Try) (models.Try, error) { return try, nil }

func (l *lender) GiveBack(ctx context.Context, _ models.Try) error {
	if ctx.Err() == nil {
		l.given++
	}
	return ctx.Err()
}

// The end of a request's time is a reason for giving its try back, not one for
// keeping it.
func TestATryIsGivenBackAfterItsRequestRanOut(t *testing.T) {
	t.Parallel()
	store := &lender{}
	d := &Door{Store: store}
	app := fiber.New()
	app.Get("/", func(c *fiber.Ctx) error {
		if err := d.Count(c, models.Try{Factor: models.Password}); err != nil {
			t.Error(err)
		}
		over, cancel := context.WithCancel(c.UserContext())
		cancel()
		c.SetUserContext(over)
		for _, code := range []models.Code{models.CodeOverloaded, models.CodeFactorRejected} {
			if err := d.GiveBackShed(c, models.Refuse(code, "")); models.CodeOf(err) != code {
				t.Errorf("%s became %v", code, err)
			}
		}
		return nil
	})
	if _, err := app.Test(httptest.NewRequest(http.MethodGet, "/", nil)); err != nil {
		t.Fatal(err)
	}
	if store.given != 1 {
		t.Errorf("%d tries were given back, want the one that was shed", store.given)
	}
}
