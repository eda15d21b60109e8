package web

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
)

func newPages(t *testing.T) *Pages {
	t.Helper()
	p, err := New("Test Site")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func render(t *testing.T, p *Pages, page Page) string {
	t.Helper()
	var out bytes.Buffer
	if err := p.Render(&out, page); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// element is a start tag with the little context that the checks below need.
type element struct {
	name  string
	attrs map[string]string
}

func elements(t *testing.T, page string) []element {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var found []element
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatalf("page is not well-formed: %v", err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		e := element{name: strings.ToLower(start.Name.Local), attrs: map[string]string{}}
		for _, a := range start.Attr {
			e.attrs[strings.ToLower(a.Name.Local)] = a.Value
		}
		found = append(found, e)
	}
}

// Each page, in each of its states, is well-formed HTML with nothing in it that the Content-Security-Policy forbids.
func TestPagesHoldTheirPolicy(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for _, e := range elements(t, render(t, p, s.page)) {
				if e.name == "style" {
					t.Error("inline <style>")
				}
				if e.name == "script" && (e.attrs["src"] == "" || e.attrs["type"] != "module") {
					t.Errorf("script that is not a module of ours: %v", e.attrs)
				}
				for name, value := range e.attrs {
					if name == "style" || strings.HasPrefix(name, "on") {
						t.Errorf("<%s> has a %s attribute", e.name, name)
					}
					if strings.HasPrefix(value, "data:") || strings.HasPrefix(value, "javascript:") || strings.HasPrefix(value, "http") {
						t.Errorf("<%s %s=%q> leaves this site", e.name, name, value)
					}
				}
				// Should scripts fail, nothing that was typed may end up in an address.
				if e.name == "form" && e.attrs["method"] != "post" {
					t.Errorf("form sends itself with method %q", e.attrs["method"])
				}
			}
		})
	}
}

func TestPagesNameOnlyAssetsThatExist(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for _, s := range samples() {
		for _, e := range elements(t, render(t, p, s.page)) {
			for _, name := range []string{"src", "href"} {
				if url := e.attrs[name]; strings.HasPrefix(url, "/static/") {
					if _, _, ok := p.Asset(url); !ok {
						t.Errorf("%s: %s does not exist", s.name, url)
					}
				}
			}
		}
	}
}

// Whoever can't see the page hears a name for every control, and every reference to another element finds it.
func TestPagesLabelTheirControls(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			found := elements(t, render(t, p, s.page))
			ids, labelled, headings := map[string]bool{}, map[string]bool{}, 0
			for _, e := range found {
				if id := e.attrs["id"]; id != "" {
					if ids[id] {
						t.Errorf("id %q is used twice", id)
					}
					ids[id] = true
				}
				if e.name == "label" {
					labelled[e.attrs["for"]] = true
				}
				if e.name == "h1" {
					headings++
				}
			}
			if headings == 0 {
				t.Error("page has no h1")
			}
			for _, e := range found {
				switch e.name {
				case "input", "select", "textarea":
					if !labelled[e.attrs["id"]] && e.attrs["aria-label"] == "" && e.attrs["type"] != "hidden" {
						t.Errorf("<%s id=%q> has no label", e.name, e.attrs["id"])
					}
				case "button":
					if e.attrs["type"] == "" {
						t.Errorf("button without a type would send the form around it: %v", e.attrs)
					}
				}
				for _, name := range []string{"for", "aria-describedby", "aria-labelledby", "aria-controls"} {
					for _, id := range strings.Fields(e.attrs[name]) {
						if !ids[id] {
							t.Errorf("<%s %s=%q> points at nothing", e.name, name, id)
						}
					}
				}
				if e.name == "use" && !ids[strings.TrimPrefix(e.attrs["href"], "#")] {
					t.Errorf("icon %s does not exist", e.attrs["href"])
				}
			}
		})
	}
}

func TestPagesEscapeWhatPeopleWrote(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for _, s := range samples() {
		if page := render(t, p, s.page); strings.Contains(page, "<script>") {
			t.Errorf("%s: somebody's words became a script", s.name)
		}
	}
}

// workerLine is where a module starts another in a thread of its own.
var workerLine = regexp.MustCompile(`new Worker\(new URL\("\./([^"]+)", import\.meta\.url\)`)

// Every module is loaded by some page, with all that it imports announced, or started by a module that is; a name that
// is mistyped would fail in the browser only.
func TestModulesAreAllUsed(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	announced := map[string]bool{}
	for _, s := range samples() {
		for _, e := range elements(t, render(t, p, s.page)) {
			if e.name == "script" || e.attrs["rel"] == "modulepreload" {
				announced[strings.TrimPrefix(e.attrs["src"]+e.attrs["href"], p.assets.prefix)] = true
			}
		}
	}
	for _, file := range p.assets.files {
		for _, started := range workerLine.FindAllSubmatch(file.body, -1) {
			announced["js/"+string(started[1])] = true
		}
	}
	for name, file := range p.assets.files {
		if !strings.HasSuffix(name, ".js") {
			continue
		}
		if !announced[name] {
			t.Errorf("%s is loaded by no page", name)
		}
		if got, want := strings.Count(string(file.body), "\nimport "), len(importLine.FindAll(file.body, -1)); got != want {
			t.Errorf("%s has %d imports of which %d are read: keep each on one line, with double quotes", name, got, want)
		}
	}
	if _, err := p.assets.modules("js/nothing.js"); err == nil {
		t.Error("a module that does not exist was found")
	}
}

func TestAssetIsFoundOnlyUnderItsBuild(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	body, contentType, ok := p.Asset(p.assets.prefix + "js/api.js")
	if !ok || contentType != "text/javascript; charset=utf-8" || len(body) == 0 {
		t.Errorf("Asset(api.js) = %d bytes, %q, %v", len(body), contentType, ok)
	}
	for _, path := range []string{"/static/js/api.js", "/static/000000000000/js/api.js", p.assets.prefix, p.assets.prefix + "js/../js/api.js", ""} {
		if _, _, ok := p.Asset(path); ok {
			t.Errorf("Asset(%q) found something", path)
		}
	}
}

func TestRenderTitles(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for _, tt := range []struct {
		page Page
		want string
	}{
		{LoginPage{}, "<title>Sign in · Test Site</title>"},
		{LoginPage{Layout: Layout{Title: "Come in"}}, "<title>Come in · Test Site</title>"},
		{ErrorPage{Status: 404, Heading: "No such room"}, "<title>No such room · Test Site</title>"},
	} {
		if page := render(t, p, tt.page); !strings.Contains(page, tt.want) {
			t.Errorf("page lacks %s", tt.want)
		}
	}
}

// The navigation is for those who passed both doors; an address they came for travels along for the rest.
func TestNavigationFollowsTheState(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for _, s := range samples() {
		page := render(t, p, s.page)
		want := s.page.layout().State == stateAuthenticated
		if got := strings.Contains(page, `aria-label="Your account"`); got != want {
			t.Errorf("%s: navigation shown: %v, want %v", s.name, got, want)
		}
	}
	if page := render(t, p, samples()[0].page); !strings.Contains(page, `data-next="/chat?room=1&amp;x=&#34;&gt;&lt;script&gt;"`) {
		t.Error("login page lost where the person was going")
	}
}

// While the face engine is out of order nobody is led to a camera, and only those who would have used it hear why.
func TestVerifyPageWithoutFaceEngine(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	const reason = "it's out of order"
	for _, tt := range []struct {
		factors   []string
		available bool
		camera    bool
		says      bool
	}{
		{[]string{"face", "totp"}, true, true, false},
		{[]string{"face", "totp"}, false, false, true},
		{[]string{"totp"}, false, false, false},
		{[]string{"face"}, false, false, true},
	} {
		page := render(t, p, VerifyPage{Factors: tt.factors, FaceAvailable: tt.available, FaceReason: reason})
		if got := strings.Contains(page, `data-factor="face"`); got != tt.camera {
			t.Errorf("%v, available %v: camera offered: %v, want %v", tt.factors, tt.available, got, tt.camera)
		}
		if got := strings.Contains(page, "It’s out of order."); got != tt.says {
			t.Errorf("%v, available %v: reason told: %v, want %v", tt.factors, tt.available, got, tt.says)
		}
	}
}
