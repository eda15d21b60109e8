package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// kill gives a delivery up, as a day of failures does.
func (s *site) kill(delivery string) {
	s.t.Helper()
	tag, err := s.Pool.Exec(context.Background(), `UPDATE webhook_deliveries SET dead_at = next_at, last_error = 'timeout' WHERE id = $1 AND delivered_at IS NULL`, delivery)
	if err != nil || tag.RowsAffected() != 1 {
		s.t.Fatalf("nothing to kill: %v", err)
	}
}

func TestWebhooksAreManagedByAdminsWithAStepUp(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root, eve := s.admin("root"), s.withTOTP("eve")
	hook := map[string]any{"url": "https://app.example.com/hooks", "description": "the app", "types": []string{"session.revoked"}}
	eve.post("/v1/admin/webhooks", hook).want(404, models.CodeNotFound)
	if refused := root.browser.post("/v1/admin/webhooks", hook).want(403, models.CodeStepUpRequired); refused.text("purpose") != "manage_webhooks" || refused.Body["password"] != true {
		t.Errorf("%s", refused.Raw)
	}
	made := root.post("/v1/admin/webhooks", hook).want(201)
	id, secret := made.text("id"), made.text("secret")
	path := "/v1/admin/webhooks/" + id
	listed := root.get("/v1/admin/webhooks").want(200)
	if strings.Contains(string(listed.Raw), secret) || !strings.HasPrefix(secret, "whsec_") {
		t.Errorf("listed %s", listed.Raw)
	}
	for _, guarded := range []*answer{
		root.browser.do("PATCH", path, map[string]any{"disabled": true}), root.browser.post(path+"/secrets", map[string]any{}), root.browser.delete(path),
	} {
		guarded.want(403, models.CodeStepUpRequired)
	}
	// A step-up for one webhook is none for another.
	other := root.post("/v1/admin/webhooks", hook).want(201).text("id")
	root.prove("manage_webhooks", id)
	root.browser.delete("/v1/admin/webhooks/"+other).want(403, models.CodeStepUpRequired)
	root.browser.delete(path).want(204)
	root.delete(path).want(404, models.CodeNotFound)
	for _, fact := range []string{"webhook_added", "webhook_removed"} {
		if s.facts(fact) == 0 {
			t.Errorf("%s is not recorded", fact)
		}
	}
	if strings.Contains(s.log.String(), secret) {
		t.Error("the log tells the secret")
	}
}

func TestWhatNoWebhookMayBe(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root := s.admin("root")
	refuse := func(field string, body map[string]any) {
		t.Helper()
		if a := root.post("/v1/admin/webhooks", body).want(400, models.CodeInvalidRequest); a.text("field") != field {
			t.Errorf("%s", a.Raw)
		}
	}
	for _, url := range []string{"", "http://app.example.com", "https://10.0.0.1/", "https://[::1]/", "https://2130706433/", "https://u:p@app.example.com/", "https://" + strings.Repeat("a", 2048)} {
		refuse("url", map[string]any{"url": url})
	}
	refuse("types", map[string]any{"url": "https://app.example.com", "types": []string{"session.signed_in", "password_passed"}})
	refuse("description", map[string]any{"url": "https://app.example.com", "description": strings.Repeat("a", 201)})
	for range models.MaxWebhooks {
		w := models.Webhook{ID: models.NewID(s.Clock.Now()), URL: "https://app.example.com", Types: []string{}}
		if _, err := s.AddWebhook(t.Context(), models.Ref{}, w, nil); err != nil {
			t.Fatal(err)
		}
	}
	root.post("/v1/admin/webhooks", map[string]any{"url": "https://app.example.com"}).want(409, models.CodeConflict)
}

func TestDeliveriesAreLookedAtAndReplayed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root := s.admin("root")
	id := root.post("/v1/admin/webhooks", map[string]any{"url": "https://app.example.com"}).want(201).text("id")
	path := "/v1/admin/webhooks/" + id
	delivery := root.post(path+"/test", map[string]any{}).want(202).text("id")
	root.post("/v1/admin/deliveries/"+delivery+"/replay", map[string]any{}).want(409, models.CodeConflict)
	s.kill(delivery)
	dead := root.get(path + "/deliveries?state=dead").want(200).Body["deliveries"].([]any)
	if row := dead[0].(map[string]any); len(dead) != 1 || row["id"] != delivery || row["type"] != models.TypeTest || row["last_error"] != "timeout" || row["next_at"] != nil {
		t.Errorf("%v", dead)
	}
	root.post("/v1/admin/deliveries/"+delivery+"/replay", map[string]any{}).want(204)
	root.post("/v1/admin/deliveries/"+id+"/replay", map[string]any{}).want(404, models.CodeNotFound)
	root.get(path+"/deliveries?state=lost").want(400, models.CodeInvalidRequest)
	root.get(path+"/deliveries?before=x").want(400, models.CodeInvalidRequest)
	root.get("/v1/admin/webhooks/"+delivery+"/deliveries").want(404, models.CodeNotFound)

	off := root.do("PATCH", path, map[string]any{"disabled": true}).want(200)
	if off.Body["dead"] != 1.0 && off.Body["waiting"] != 0.0 || off.Body["disabled_at"] == nil {
		t.Errorf("%s", off.Raw)
	}
	root.post(path+"/test", map[string]any{}).want(409, models.CodeConflict)
	root.post("/v1/admin/deliveries/"+delivery+"/replay", map[string]any{}).want(409, models.CodeConflict)
	if on := root.do("PATCH", path, map[string]any{"disabled": false}).want(200); on.Body["disabled_at"] != nil {
		t.Errorf("%s", on.Raw)
	}
	// By pages.
	for range 60 {
		root.post(path+"/test", map[string]any{}).want(202)
	}
	page := root.get(path + "/deliveries?state=waiting").want(200)
	first := page.Body["deliveries"].([]any)
	rest := root.get(path + "/deliveries?state=waiting&before=" + first[49].(map[string]any)["id"].(string)).want(200)
	if page.Body["more"] != true || rest.Body["more"] != false || len(first)+len(rest.Body["deliveries"].([]any)) != 60 {
		t.Errorf("%d, %s", len(first), rest.Raw)
	}
}

// told are the messages that wait for an endpoint, in the order of its lanes.
func (s *site) told() (list []models.Message) {
	s.t.Helper()
	rows, err := s.Pool.Query(context.Background(), `SELECT payload FROM webhook_deliveries ORDER BY number`)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var payload []byte
		var m models.Message
		if err := rows.Scan(&payload); err != nil {
			s.t.Fatal(err)
		}
		for _, secret := range []string{"@example.com", "203.0.113.9", "Firefox", `"ada`} {
			if strings.Contains(string(payload), secret) {
				s.t.Errorf("told: %s", payload)
			}
		}
		if err := json.Unmarshal(payload, &m); err != nil {
			s.t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

// Whatever ends sessions, their ids are told.
func TestEveryEndOfASessionIsTold(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(by *person, id string){
		"signing out": func(by *person, _ string) { by.delete("/v1/session").want(204) },
		"this one":    func(by *person, id string) { by.delete("/v1/me/sessions/" + id).want(204) },
		"all others":  func(by *person, _ string) { by.delete("/v1/me/sessions").want(204) },
		"all":         func(by *person, _ string) { by.delete("/v1/me/sessions?scope=all").want(204) },
		"a password": func(by *person, _ string) {
			by.post("/v1/me/password", map[string]any{"current": password, "new": "a brand new password"}).want(204)
		},
		"a factor":   func(by *person, _ string) { by.delete("/v1/me/totp").want(204) },
		"a deletion": func(by *person, _ string) { by.delete("/v1/me").want(200) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			ada := s.ready("ada")
			ada.header["User-Agent"], ada.header["X-Forwarded-For"] = "Firefox", "203.0.113.9"
			var ids []string
			rows := func() map[string]bool {
				open := map[string]bool{}
				for _, row := range ada.get("/v1/me/sessions").want(200).Body["sessions"].([]any) {
					open[row.(map[string]any)["id"].(string)] = true
				}
				return open
			}
			before := rows()
			other := ada.again()
			for id := range rows() {
				if !before[id] {
					ids = append(ids, id)
				}
			}
			if _, err := s.AddWebhook(t.Context(), models.Ref{}, models.Webhook{ID: models.NewID(s.Clock.Now()), URL: "https://app.example.com", Types: []string{}}, nil); err != nil {
				t.Fatal(err)
			}
			by := ada
			if name == "signing out" {
				by = other
			}
			end(by, ids[0])
			told := s.told()
			if !slices.ContainsFunc(told, func(m models.Message) bool {
				return m.Type == "session.revoked" && slices.Contains(m.Data.Sessions, models.About{ID: models.ID(ids[0])})
			}) {
				t.Errorf("%s is not told: %+v", ids[0], told)
			}
		})
	}
}

// An account that has to prove its address begins with the proof.
func TestARegistrationThatWaitsIsNotTold(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	s.posts(true)
	if _, err := s.AddWebhook(t.Context(), models.Ref{}, models.Webhook{ID: models.NewID(s.Clock.Now()), URL: "https://app.example.com", Types: []string{"account.created"}}, nil); err != nil {
		t.Fatal(err)
	}
	s.browser().post("/v1/accounts", map[string]any{"email": "bob@example.org", "username": "bob", "password": password})
	if told := s.told(); len(told) != 0 {
		t.Errorf("told %+v", told)
	}
	s.joins("hal")
	if told := s.told(); len(told) != 1 || told[0].Type != "account.created" {
		t.Errorf("told %+v", told)
	}
}

// stream opens a stream of events over TCP.
func (b *browser) stream(address, path, last string) *bufio.Scanner {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	if last != "" {
		request.Header.Set("Last-Event-ID", last)
	}
	for name, value := range b.cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if b.token != "" {
		request.Header.Set("Authorization", "Bearer "+b.token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		b.t.Fatalf("%s: %d %v", path, response.StatusCode, response.Header)
	}
	return bufio.NewScanner(response.Body)
}

// lines gives a stream's next lines that begin so, as many as asked, or until it ends.
func lines(t *testing.T, s *bufio.Scanner, begin string, n int) (list []string) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for len(list) < n && s.Scan() {
			if text, ok := strings.CutPrefix(s.Text(), begin); ok {
				list = append(list, text)
			}
		}
	}()
	select {
	case <-done:
		return list
	case <-time.After(20 * time.Second):
		t.Fatalf("no more than %v", list)
		panic("not reached")
	}
}

func TestAdminsWatchWhatHappens(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root := s.admin("root")
	address := s.live()
	s.Clock.Advance(time.Hour / 2)
	all, few := root.stream(address, "/v1/admin/events", ""), root.stream(address, "/v1/admin/events?type=factor.added&type=session.revoked", "")
	ada := s.withTOTP("ada")
	if got := lines(t, all, "event: ", 3); !slices.Contains(got, "account.created") || !slices.Contains(got, "factor.added") || !slices.Contains(got, "session.signed_in") {
		t.Errorf("told %v", got)
	}
	id := lines(t, few, "id: ", 1)[0]
	if got := lines(t, few, "data: ", 1); !strings.Contains(got[0], id) || strings.Contains(got[0], "ada") {
		t.Errorf("told %v", got)
	}
	// Cut off, it goes on behind the last event.
	s.Clock.Advance(time.Minute)
	ada.addPasskey(newKey(true), "").want(201)
	again := root.stream(address, "/v1/admin/events?type=factor.added", id)
	if got := lines(t, again, "data: ", 1); !strings.Contains(got[0], `"factor":"passkey"`) {
		t.Errorf("told %v", got)
	}
	root.get("/v1/admin/events?type=password_passed").want(400, models.CodeInvalidRequest)
	ada.get("/v1/admin/events").want(404, models.CodeNotFound)

	// It ends when its owner is no admin any more, and with the session.
	second := s.admin("second")
	watched := second.stream(address, "/v1/admin/events", "")
	if err := s.SetAdmin(t.Context(), "second", false); err != nil {
		t.Fatal(err)
	}
	lines(t, watched, "never", 1)
	root.clone().delete("/v1/session").want(204)
	lines(t, again, "never", 1)
}

func TestTheEndOfASessionIsStreamed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	address := s.live()
	app := &person{browser: s.app(), name: "ada", secret: ada.secret}
	app.post("/v1/login", map[string]any{"identifier": "ada", "password": password, "transport": "bearer"}).want(200)
	s.nextStep()
	app.post("/v1/verify/totp", map[string]any{"code": app.code()}).want(200)
	again := ada.again()
	for _, name := range []string{"cookie", "bearer"} { // in turn: each end is of all others
		who := map[string]*person{"cookie": again, "bearer": app}[name]
		stream := who.stream(address, events, "")
		lines(t, stream, "retry: ", 1)
		ada.browser.delete("/v1/me/sessions").want(204)
		if got := lines(t, stream, "event: ", 2); len(got) != 1 || got[0] != "session.revoked" {
			t.Errorf("%s: told %v", name, got)
		}
		if name == "cookie" {
			app.browser.post("/v1/login", map[string]any{"identifier": "ada", "password": password, "transport": "bearer"}).want(200)
		}
	}
	if got := lines(t, s.browser().stream(address, events, ""), "event: ", 2); len(got) != 1 {
		t.Errorf("nobody is told %v", got)
	}
	other := ada.clone()
	other.header["Accept"], other.header["Origin"] = "text/event-stream", "https://evil.example"
	other.get(events).want(403, models.CodeCrossSite)
}

// Open streams don't hold the shutdown up, and there are only so many.
func TestStreamsAreBoundedAndEndWithTheServer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root := s.withTOTP("root")
	if err := s.SetAdmin(t.Context(), "root", true); err != nil {
		t.Fatal(err)
	}
	address := s.live()
	var open []*bufio.Scanner
	for range 20 {
		stream := root.stream(address, "/v1/admin/events", "")
		lines(t, stream, "retry: ", 1)
		open = append(open, stream)
	}
	root.get("/v1/admin/events").want(503, models.CodeOverloaded)
	s.server.Hub().Close()
	for _, stream := range open {
		lines(t, stream, "never", 1)
	}
}
