package web

import (
	"fmt"
	"html/template"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

func (p *Pages) funcs() template.FuncMap {
	return template.FuncMap{
		"asset":  p.assets.url,
		"module": p.module,
		"factor": describeFactor,
		"date":   func(t time.Time) string { return t.UTC().Format("2 January 2006") },
		"moment": func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
		"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"methods": func(methods []string) string {
			names := make([]string, len(methods))
			for i, m := range methods {
				names[i] = strings.ToLower(describeFactor(m).Name)
			}
			return strings.Join(names, ", then ")
		},
		"sentence": sentence,
		"place": func(l Layout, path, name string) place {
			return place{Path: path, Name: name, Here: l.Path == path}
		},
		"capture": func(id, open string) capture { return capture{ID: id, Open: open} },
		"factors": func(verb string, kinds []string) factorList { return factorList{Verb: verb, Kinds: kinds} },
		"kinds":   func() []string { return []string{"passkey", "totp", "face", "recovery"} },
		"newPassword": func(id, label string, least, most int) newPassword {
			return newPassword{ID: id, Label: label, Min: least, Max: most}
		},
	}
}

// module loads a script and announces what it imports.
func (p *Pages) module(name string) (template.HTML, error) {
	list, err := p.assets.modules(name)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	fmt.Fprintf(&out, `<script type="module" src="%s"></script>`, template.HTMLEscapeString(p.assets.prefix+list[0]))
	for _, imported := range list[1:] {
		fmt.Fprintf(&out, "\n"+`<link rel="modulepreload" href="%s">`, template.HTMLEscapeString(p.assets.prefix+imported))
	}
	return template.HTML(out.String()), nil //nolint:gosec // names of our own files only
}

// factorWords are how pages speak of one way to prove who you are.
type factorWords struct {
	Kind, Icon, Name, Line string
}

// describeFactor has words for every method a session can record; an unknown one is shown by its own name, because a
// page that cannot name something must still not hide it.
func describeFactor(kind string) factorWords {
	words := map[string]factorWords{
		"pwd":      {Icon: "password", Name: "Password", Line: "Something you know."},
		"mail":     {Icon: "password", Name: "Letter", Line: "The link that was sent to your address."},
		"passkey":  {Icon: "passkey", Name: "Passkey", Line: "Unlock with this device or a security key."},
		"totp":     {Icon: "totp", Name: "Authenticator app", Line: "Type the six digits your app shows."},
		"device":   {Icon: "desktop", Name: "Remembered device", Line: "A device that you asked us not to ask on."},
		"face":     {Icon: "face", Name: "Your face", Line: "Look and turn your head before your camera."},
		"recovery": {Icon: "recovery", Name: "Recovery code", Line: "Use one of the codes you saved."},
	}
	found, ok := words[kind]
	if !ok {
		found = factorWords{Icon: "shield", Name: kind}
	}
	found.Kind = kind
	return found
}

// sentence makes a refusal fit for a page: the server writes them as errors are written, in lower case and without a
// full stop.
func sentence(words string) string {
	words = strings.ReplaceAll(strings.TrimSpace(words), "'", "’")
	first, size := utf8.DecodeRuneInString(words)
	if size == 0 {
		return ""
	}
	words = string(unicode.ToUpper(first)) + words[size:]
	if !strings.ContainsAny(words[len(words)-1:], ".!?") {
		words += "."
	}
	return words
}

// place is one link of the navigation.
type place struct {
	Path, Name string
	Here       bool
}

// capture is a camera: what sets its ids apart, and the words on its button.
type capture struct{ ID, Open string }

// factorList are the panels to offer, and what passing one does: "Sign in" or "Confirm".
type factorList struct {
	Verb  string
	Kinds []string
}

// newPassword is a field for choosing a password.
type newPassword struct {
	ID, Label string
	Min, Max  int
}
