package server_test

import (
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
)

const events = "/v1/session/events"

// watch opens the socket that tells of the session's end.
func (b *browser) watch(address string) *websocket.Conn {
	b.t.Helper()
	conn, _, err := b.dialPath(address, events, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return conn
}

// closesWithin checks that a socket says that its session is over.
func closesWithin(t *testing.T, conn *websocket.Conn, wait time.Duration, what string) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(wait))
	var err error
	for err == nil {
		_, _, err = conn.ReadMessage()
	}
	if !websocket.IsCloseError(err, 4401) {
		t.Errorf("%s: after %s: %v", what, wait, err)
	}
}

// Two instances on one database: whatever is open for a session at either closes
// when the other ends it, and nothing else does.
func TestAnEndedSessionIsToldOnEveryInstance(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(by *person, id string){
		"this one":   func(by *person, id string) { by.delete("/v1/me/sessions/" + id).want(204) },
		"all others": func(by *person, _ string) { by.delete("/v1/me/sessions").want(204) },
		"all":        func(by *person, _ string) { by.delete("/v1/me/sessions?scope=all").want(204) },
		"a change":   func(by *person, _ string) { by.delete("/v1/me/totp").want(204) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := newSite(t)
			two := *one
			two.listens = &listener{}
			two.server = one.newServer(slog.New(slog.DiscardHandler), func(*server.Deps) {})

			ada, eve := one.withTOTP("ada"), one.withTOTP("eve")
			ada.key = newKey(true)
			ada.addPasskey(ada.key, "Phone").want(201)
			var id string
			for _, entry := range ada.get("/v1/me/sessions").want(200).Body["sessions"].([]any) {
				id = entry.(map[string]any)["id"].(string)
			}
			elsewhere := *ada
			elsewhere.site, elsewhere.browser = &two, two.browser()
			elsewhere.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
			elsewhere.verifyPasskey(ada.key).want(200)

			var open []*websocket.Conn
			for _, address := range []string{one.live(), two.live()} {
				room, _, err := ada.dial(address, nil)
				if err != nil {
					t.Fatal(err)
				}
				say(t, ada, room) // whoever hears this hears announcements
				open = append(open, room, ada.watch(address))
			}
			others := eve.watch(one.live())
			end(&elsewhere, id)
			deadline := time.Now().Add(time.Second)
			for _, conn := range open {
				closesWithin(t, conn, time.Until(deadline), "ada's")
			}
			_ = others.SetReadDeadline(time.Now().Add(600 * time.Millisecond))
			if _, _, err := others.ReadMessage(); websocket.IsCloseError(err, 4401) {
				t.Error("somebody else's socket was closed")
			}
		})
	}
}

// Every state has its pages, so every session has its socket. Only what is lost closes it.
func TestTheSocketOfASessionFollowsItsState(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	ada.saveCodes()
	address := s.live()

	closesWithin(t, s.browser().watch(address), time.Second, "nobody's")
	_, response, err := ada.dialPath(address, events, http.Header{"Origin": {"https://evil.example"}})
	if err == nil || response == nil || response.StatusCode != http.StatusForbidden {
		t.Errorf("another site: %v %v", response, err)
	}

	half := ada.elsewhere()
	conn := half.watch(address)
	s.nextStep()
	half.post("/v1/verify/totp", map[string]any{"code": half.code()}).want(200)
	_ = conn.SetReadDeadline(time.Now().Add(1100 * time.Millisecond)) // two looks
	if _, _, err := conn.ReadMessage(); websocket.IsCloseError(err, 4401) {
		t.Error("it was closed when its session came further")
	}

	third := ada.elsewhere()
	conn = third.watch(address)
	third.clone().delete("/v1/session").want(204)
	closesWithin(t, conn, time.Second, "before the second door")

	conn = ada.watch(address)
	ada.clone().post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200).state(models.Recovering, models.ACRRecovery)
	closesWithin(t, conn, time.Second, "lowered")

	conn = half.watch(address)
	s.Clock.Advance(time.Hour)
	closesWithin(t, conn, time.Second, "idle")
}

func TestASocketIsNoUseOfItsSession(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	seen := func() (at time.Time) {
		t.Helper()
		if err := s.Pool.QueryRow(t.Context(), `SELECT last_seen_at FROM sessions`).Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	before := seen()
	s.Clock.Advance(5 * time.Minute)
	ada.watch(s.live())
	room, _, err := ada.dial(s.live(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = room.Close()
	if !seen().Equal(before) {
		t.Error("opening a socket moved the idle end")
	}
	ada.get("/v1/session").want(200).state(models.Authenticated, models.ACRAAL2)
	if seen().Equal(before) {
		t.Error("nothing moves the idle end")
	}
}
