package server_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/guard"
)

// What a guard costs a request: a signed token is verified each time, of a session the
// answer is a second old at most.
func BenchmarkGuard(b *testing.B) {
	for _, kind := range []string{"RS256", "ES256", "session"} {
		b.Run(kind, func(b *testing.B) {
			s := newSite(b)
			secret := s.chatApp(func(a *models.App) {
				if a.TokenFormat = "jwt"; kind != "session" {
					a.IDTokenAlg = kind
				}
			})
			ada := s.withTOTP("ada")
			header := cookieOf(ada.browser)
			if kind != "session" {
				header = bearer(ada.tokens(secret).text("access_token"))
			}
			g := s.guarded(guard.Options{Audience: "chat", Sessions: true})
			g.ask(guard.Need{}, header...).want(200)
			passed := g.guard.Require(guard.Need{ACR: "aal2", MaxAge: time.Hour})(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			r := httptest.NewRequest(http.MethodGet, "/notes", nil)
			r.Header.Set(header[0], header[1])
			for b.Loop() {
				passed.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}
