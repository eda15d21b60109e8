package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres"
)

// listener is a site's place on the network, once anybody asked for it.
type listener struct {
	once    sync.Once
	address string
}

// live serves a site on a loopback port and hears what the database announces.
func (s *site) live() (address string) {
	s.t.Helper()
	s.listens.once.Do(s.listen)
	return s.listens.address
}

func (s *site) listen() {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.listens.address = listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	served, heard := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(served)
		_ = s.server.Serve(ctx, listener, time.Second)
	}()
	hub := s.server.Hub()
	go func() {
		defer close(heard)
		s.Listen(ctx, postgres.Listener{
			SessionEnded: hub.SessionEnded, ChatPosted: s.server.ChatPosted, CohortChanged: func() { s.cohorts.Reload(ctx) }, Missed: hub.Missed,
		}, slog.New(slog.DiscardHandler))
	}()
	s.t.Cleanup(func() { stop(); <-served; <-heard })
}

func (p *person) dial(address string, header http.Header) (*websocket.Conn, *http.Response, error) {
	p.t.Helper()
	return p.dialPath(address, "/v1/chat/socket", header)
}

func (b *browser) dialPath(address, path string, header http.Header) (*websocket.Conn, *http.Response, error) {
	b.t.Helper()
	if header == nil {
		header = http.Header{"Origin": {origin}}
	}
	if b.token != "" {
		header.Set("Authorization", "Bearer "+b.token)
	} else {
		cookies := []string{}
		for name, value := range b.cookies {
			cookies = append(cookies, name+"="+value)
		}
		header.Set("Cookie", strings.Join(cookies, "; "))
	}
	conn, response, err := websocket.DefaultDialer.Dial("ws://"+address+path, header)
	if err == nil {
		b.t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, response, err
}

// say posts until the socket hears it: the database's announcements are being
// listened to from then on.
func say(t *testing.T, from *person, conn *websocket.Conn) {
	t.Helper()
	heard := make(chan error, 1)
	go func() {
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, text, err := conn.ReadMessage()
		if err == nil && !strings.Contains(string(text), `"body":"hello"`) {
			t.Errorf("heard %s", text)
		}
		heard <- err
	}()
	for {
		from.post("/v1/chat/messages", map[string]any{"body": "hello"}).want(201)
		select {
		case err := <-heard:
			if err != nil {
				t.Fatal(err)
			}
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func TestAChatSocketClosesWithinASecondOfItsSession(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(ada *person){
		"signed out":      func(ada *person) { ada.clone().delete("/v1/session").want(204) },
		"ended elsewhere": func(ada *person) { ada.site.endAllBut(ada) },
		"lowered": func(ada *person) {
			ada.clone().post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			ada := s.withTOTP("ada")
			ada.saveCodes()
			conn, _, err := ada.dial(s.live(), nil)
			if err != nil {
				t.Fatal(err)
			}
			say(t, ada, conn)
			end(ada)
			_ = conn.SetReadDeadline(time.Now().Add(time.Second))
			for err == nil {
				_, _, err = conn.ReadMessage()
			}
			if !websocket.IsCloseError(err, 4401) {
				t.Fatalf("a second later: %v", err)
			}
		})
	}
}

// endAllBut ends the person's session from another one.
func (s *site) endAllBut(p *person) {
	s.t.Helper()
	s.nextStep()
	other := p.elsewhere()
	other.post("/v1/verify/totp", map[string]any{"code": other.code()}).want(200)
	other.delete("/v1/me/sessions").want(204)
}

// No statement ends these, so nothing is announced.
func TestAChatSocketClosesWithinASecondOfATimeout(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*site){
		"idle, whatever the socket hears": func(s *site) { s.Clock.Advance(time.Hour) },
		"a stricter policy": func(s *site) {
			s.Clock.Advance(time.Minute)
			s.force(func(p *models.Policy) { p.Timeouts.Idle = models.Duration(time.Second) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			ada := s.withTOTP("ada")
			conn, _, err := ada.dial(s.live(), nil)
			if err != nil {
				t.Fatal(err)
			}
			say(t, ada, conn)
			end(s)
			_ = conn.SetReadDeadline(time.Now().Add(time.Second))
			for err == nil {
				_, _, err = conn.ReadMessage()
			}
			if !websocket.IsCloseError(err, 4401) {
				t.Fatalf("a second later: %v", err)
			}
			ada.get("/v1/session").want(401)
		})
	}
}

func TestWhoMayOpenASocket(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	half := ada.elsewhere()
	address := s.live()
	for name, c := range map[string]struct {
		who    *person
		header http.Header
		status int
	}{
		"nobody":       {&person{browser: s.browser()}, nil, 401},
		"level 1":      {half, nil, 403},
		"another site": {ada, http.Header{"Origin": {"https://evil.example"}}, 403},
	} {
		_, response, err := c.who.dial(address, c.header)
		if err == nil || response == nil || response.StatusCode != c.status {
			t.Errorf("%s: got %v %v", name, response, err)
		}
	}
	// Any of the 21 may come last to the count: one is turned away.
	refused := make(chan bool, 21)
	for range 21 {
		conn, _, err := ada.dial(address, nil)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second))
			_, _, err := conn.ReadMessage()
			refused <- websocket.IsCloseError(err, websocket.CloseTryAgainLater)
		}()
	}
	turnedAway := 0
	for range 21 {
		if <-refused {
			turnedAway++
		}
	}
	if turnedAway != 1 {
		t.Errorf("%d of 21 sockets were turned away", turnedAway)
	}
}

func TestChatMessages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	for _, bad := range []string{"", "   ", strings.Repeat("x", 1001), "nul\x00"} {
		ada.post("/v1/chat/messages", map[string]any{"body": bad}).want(400, models.CodeInvalidRequest)
	}
	ada.post("/v1/chat/messages", map[string]any{"body": "<b>hi</b>"}).want(201)
	if page := string(ada.get("/chat").want(200).Raw); !strings.Contains(page, "&lt;b&gt;hi&lt;/b&gt;") {
		t.Error("the page does not escape what people write")
	}
	for range 59 {
		ada.post("/v1/chat/messages", map[string]any{"body": "x"}).want(201)
	}
	ada.post("/v1/chat/messages", map[string]any{"body": "x"}).want(429, models.CodeRateLimited)
}

func TestTheChatShowsTheNewestHundred(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	me := ada.get("/v1/me").want(200).Body["user"].(map[string]any)["id"].(string)
	for i := range 102 {
		s.Clock.Advance(time.Second)
		if _, err := s.PostChatMessage(t.Context(), models.User{ID: models.ID(me)}, fmt.Sprintf("hello-%d.", i)); err != nil {
			t.Fatal(err)
		}
	}
	list := ada.get("/v1/chat/messages").want(200).Body["messages"].([]any)
	if n := len(list); n != 100 || list[0].(map[string]any)["body"] != "hello-2." || list[n-1].(map[string]any)["body"] != "hello-101." {
		t.Errorf("%d messages: %v", n, list)
	}
	page := string(ada.get("/chat").want(200).Raw)
	if strings.Count(page, "hello-") != 100 || strings.Contains(page, "hello-1.") || !strings.Contains(page, "hello-2.") {
		t.Errorf("the page has %d lines", strings.Count(page, "hello-"))
	}
}
