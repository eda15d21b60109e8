package models

import (
	"net/url"
	"path"
	"strings"
	"testing"
	"time"
)

func TestForwardRules(t *testing.T) {
	t.Parallel()
	p := ForwardPolicy{Rules: []ForwardRule{
		{Host: "a.example.com", Path: "/x/", ACR: ACRAAL2}, {Host: "a.example.com", Path: "/x/y", ACR: ACRMFA}, {Host: "a.example.com", Path: "/Z", Public: true},
		{Host: "*.example.com", Public: true}, {Host: "b.example.com:8443"},
	}}
	for at, want := range map[string]string{
		"a.example.com/x": "/x/", "a.example.com/x/": "/x/", "a.example.com/X/q": "/x/", "a.example.com/x/y": "/x/y", "a.example.com/x/yy": "/x/",
		"a.example.com/xy": "none", "a.example.com/": "none", "a.example.com/z/1": "/Z", "c.example.com/q": "", "b.example.com/": "", "b.example.com:8443/": "",
		"b.example.com:9000/": "none", "a.c.example.com/": "none", "example.com/": "none", "a.example.com:8443/": "none",
	} {
		host, rest, _ := strings.Cut(at, "/")
		r, ok := p.Rule(host, "/"+rest)
		if got := r.Path; !ok && want != "none" || ok && got != want {
			t.Errorf("%s: got %q %v, want %q", at, got, ok, want)
		}
	}
}

func TestForwardRulesAreValidated(t *testing.T) {
	t.Parallel()
	for key, rule := range map[string]ForwardRule{
		"host:":                                  {},
		"host:https://a.example.com":             {Host: "https://a.example.com"},
		"host:upper":                             {Host: "A.example.com"},
		"host:443":                               {Host: "a.example.com:443"},
		"host:*":                                 {Host: "*"},
		"host:within":                            {Host: "a.*.example.com"},
		"host:userinfo":                          {Host: "a@example.com"},
		"path:relative":                          {Host: "a.example.com", Path: "x"},
		"path:dots":                              {Host: "a.example.com", Path: "/x/../y"},
		"path:encoded":                           {Host: "a.example.com", Path: "/a%20b"},
		"path:empty":                             {Host: "a.example.com", Path: "//"},
		"acr:one":                                {Host: "a.example.com", ACR: ACROne},
		"max_age:short":                          {Host: "a.example.com", MaxAge: Duration(time.Second)},
		"groups:comma":                           {Host: "a.example.com", Groups: []string{"a,b"}},
		"public:acr":                             {Host: "a.example.com", Public: true, ACR: ACRMFA},
		"public:groups":                          {Host: "a.example.com", Public: true, Groups: []string{"a"}},
		"host:" + strings.Repeat("a.", 130) + "": {Host: strings.Repeat("a.", 130) + "b"},
	} {
		field, _, _ := strings.Cut(key, ":")
		p := DefaultPolicy("dlib-v1")
		p.Forward.Rules = []ForwardRule{{Host: "z.example.com"}, rule}
		if problems := p.Validate(); len(problems) != 1 || problems[0].Key != "forward_auth.rules.2."+field {
			t.Errorf("%s: got %v", key, problems)
		}
	}
	p := DefaultPolicy("dlib-v1")
	p.Forward.Rules = []ForwardRule{{Host: "*.example.com", Path: "/a"}, {Host: "*.example.com", Path: "/A/", Public: true}}
	if problems := p.Validate(); len(problems) != 1 || problems[0].Key != "forward_auth.rules.2" {
		t.Errorf("two rules for one path: %v", problems)
	}
}

// A rule that was taken back must not live on in sessions that began under it.
func TestRulesOfAppsAreThoseInForce(t *testing.T) {
	t.Parallel()
	began, now := DefaultPolicy("dlib-v1"), DefaultPolicy("dlib-v1")
	began.Forward.Rules = []ForwardRule{{Host: "a.example.com", Public: true}}
	now.Forward.Rules = []ForwardRule{{Host: "a.example.com", ACR: ACRAAL2}}
	if r, ok := began.Strictest(now).Forward.Rule("a.example.com", "/"); !ok || r.Public {
		t.Errorf("got %+v", r)
	}
}

// Whatever is taken for a path means the same to whoever tidies it up, and to whoever
// decodes it once more.
func FuzzPathOf(f *testing.F) {
	for _, target := range []string{
		"/", "/a/b?c=d", "/a/../b", "/a/%2e%2e/b", "/%252e", "//a", "/a//", "/a%2fb", "/a;b", "/a%3bb", "/a\\b", "/%5c", "/%00", "/caf%C3%A9", "/%c0%ae", "/a%20b", "/...", "/a?%", "*", "",
		"http://a/b", "/a#b", "/a/.", "/%e2%80%ae", "/a%3fb",
	} {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		got, ok := PathOf(target)
		if !ok {
			return
		}
		raw, _, _ := strings.Cut(target, "?")
		if tidy := path.Clean(got); tidy != got && tidy+"/" != got {
			t.Errorf("%q is %q, and tidied up %q", target, got, tidy)
		}
		if again, err := url.PathUnescape(got); err != nil || again != got {
			t.Errorf("%q is %q, and decoded once more %q, %v", target, got, again, err)
		}
		if strings.Count(raw, "/") != strings.Count(got, "/") {
			t.Errorf("%q is %q: a slash was hidden", target, got)
		}
		if strings.ContainsAny(got, "\\;\x00\r\n") || strings.ContainsAny(target, "\r\n \t#") {
			t.Errorf("%q is %q", target, got)
		}
		if u, err := url.Parse("https://app.example.com" + target); err != nil || u.Path != got || u.Host != "app.example.com" || u.User != nil || u.Fragment != "" {
			t.Errorf("%q is %q, and to net/url %v, %v", target, got, u, err)
		}
	})
}

func FuzzForwardHost(f *testing.F) {
	for _, host := range []string{"a.example.com", "A.example.com:443", "a:8443", "[::1]:80", "a@b", "a:", "a:0", "a:080", "a,b", "a.", "-a", ""} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, text string) {
		host, ok := ForwardHost(text)
		if !ok {
			return
		}
		if again, ok := ForwardHost(host); !ok || again != host {
			t.Errorf("%q is %q, and read again %q", text, host, again)
		}
		if u, err := url.Parse("https://" + host + "/"); err != nil || u.Host != host || u.User != nil {
			t.Errorf("%q is %q, and to net/url %v, %v", text, host, u, err)
		}
	})
}
