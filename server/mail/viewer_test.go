package mail

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func show(t *testing.T, v *Viewer, path, host string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = host
	w := httptest.NewRecorder()
	v.Handler().ServeHTTP(w, r)
	return w
}

func TestTheViewerShowsTheLastLettersAndRunsNothing(t *testing.T) {
	t.Parallel()
	v, err := NewViewer("login@example.com", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for i := range keptMessages + 1 {
		m := Message{To: "ada@example.com", Subject: fmt.Sprintf("Letter %d <script>", i+1), Text: "<b>text</b>", HTML: "<head></head><script>alert(1)</script>"}
		if err := v.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	var list []viewed
	if err := json.Unmarshal(show(t, v, "/letters.json", "127.0.0.1:8025").Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != keptMessages || list[0].Subject != "Letter 201 <script>" || list[keptMessages-1].ID != 2 {
		t.Errorf("%d letters, from %+v to %+v", len(list), list[0], list[len(list)-1])
	}
	page := show(t, v, "/", "localhost:8025")
	if body := page.Body.String(); !strings.Contains(body, "Letter 201 &lt;script&gt;") || strings.Contains(body, "<script>") {
		t.Errorf("the list: %s", body)
	}
	one := show(t, v, "/201", "[::1]:8025")
	if body := one.Body.String(); !strings.Contains(body, "&lt;b&gt;text&lt;/b&gt;") || !strings.Contains(body, `src="/201/html"`) {
		t.Errorf("one letter: %s", body)
	}
	csp := show(t, v, "/201/html", "localhost").Header().Get("Content-Security-Policy")
	if !strings.HasPrefix(csp, "sandbox") || strings.Contains(csp, "allow-scripts") || !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("the HTML of a letter has the policy %q", csp)
	}
	for path, want := range map[string]int{"/1": 404, "/0": 404, "/x": 404, "/1/html": 404, "/2": 200} {
		if got := show(t, v, path, "localhost").Code; got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

// A page elsewhere whose name was given this machine's address gets nothing.
func TestTheViewerAnswersForThisMachineAlone(t *testing.T) {
	t.Parallel()
	v, err := NewViewer("login@example.com", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"evil.example", "evil.example:8025", "localhost.evil.example", "192.0.2.1", ""} {
		if code := show(t, v, "/letters.json", host).Code; code != http.StatusForbidden {
			t.Errorf("%q: %d", host, code)
		}
	}
	for address, works := range map[string]bool{
		"127.0.0.1:8025": true, "localhost:8025": true, "[::1]:8025": true, "0.0.0.0:8025": false, ":8025": false, "192.0.2.1:8025": false,
		"127.0.0.1": false, "127.0.0.1:x": false, "mail.example.com:8025": false,
	} {
		if err := CheckViewer(address); (err == nil) != works {
			t.Errorf("%q: %v", address, err)
		}
	}
}
