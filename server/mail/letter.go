package mail

import (
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"unicode"

	"github.com/mileusna/useragent"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

//go:embed templates
var letterFiles embed.FS

// Letters writes letters: words of the reader's language in one form of text and
// one of HTML, which say the same. It is safe for concurrent use.
type Letters struct {
	site   string
	public *url.URL
	words  map[string]words
	text   *template.Template
	html   *htmltemplate.Template
}

// NewLetters makes letters for a site. Links lead to public and nowhere else.
func NewLetters(site string, public *url.URL) (*Letters, error) {
	all, err := loadWords()
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	text, err := template.ParseFS(letterFiles, "templates/letter.txt")
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	html, err := htmltemplate.ParseFS(letterFiles, "templates/letter.html")
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return &Letters{site: site, public: public, words: all, text: text, html: html}, nil
}

// letter is what both forms are filled with.
type letter struct {
	Language, Subject string
	Paragraphs        []string
	Facts             []fact
	Links             []link
	Account           link
	Footer            string
}

type fact struct{ Label, Value string }

type link struct{ URL, Button, Help string }

// Write makes the message of a notice. tokens holds one for each of its kind's
// links.
func (l *Letters) Write(n models.Notice, tokens map[models.LinkKind]string) (Message, error) {
	language := n.Language
	if _, ok := l.words[language]; !ok {
		language = models.Languages[0]
	}
	w := l.words[language]
	out := letter{Language: language, Account: link{URL: l.public.JoinPath("account", "security").String(), Button: w.Account}}
	own, ok := w.Letters[n.Kind]
	if !ok {
		return Message{}, fmt.Errorf("mail: no words for %q in %q", n.Kind, language)
	}
	if err := l.fill(&out, w, own, n); err != nil {
		return Message{}, fmt.Errorf("mail: %q in %q: %w", n.Kind, language, err)
	}
	for _, kind := range n.Kind.Links() {
		if tokens[kind] == "" {
			return Message{}, fmt.Errorf("mail: %q has no token for %q", n.Kind, kind)
		}
		out.Links = append(out.Links, link{URL: l.link(kind, tokens[kind]), Button: w.Links[kind].Button, Help: w.Links[kind].Help})
	}
	var text, html strings.Builder
	if err := errors.Join(l.text.Execute(&text, out), l.html.Execute(&html, out)); err != nil {
		return Message{}, fmt.Errorf("mail: %w", err)
	}
	return Message{To: n.Address, Subject: out.Subject, Text: text.String(), HTML: html.String()}, nil
}

// link has the token in its fragment, which browsers keep to themselves: it
// comes into no server's log, no Referer and no scanner's request.
func (l *Letters) link(kind models.LinkKind, token string) string {
	u := l.public.JoinPath("link", string(kind))
	u.Fragment = token
	return u.String()
}

func (l *Letters) fill(out *letter, w words, own letterWords, n models.Notice) (err error) {
	with := map[string]string{"Site": l.site, "Address": n.Address}
	if n.Detail.LastUsedAt != nil && n.Detail.ErasedAt != nil {
		if with["LastUsed"], err = w.date(w.Day, *n.Detail.LastUsedAt); err != nil {
			return err
		}
		if with["Erased"], err = w.date(w.Day, *n.Detail.ErasedAt); err != nil {
			return err
		}
	}
	if out.Subject, err = say(own.Subject, with); err != nil {
		return err
	}
	if strings.ContainsFunc(out.Subject, unicode.IsControl) {
		return errors.New("a subject is one line")
	}
	for _, text := range own.Text {
		paragraph, err := say(text, with)
		if err != nil {
			return err
		}
		out.Paragraphs = append(out.Paragraphs, paragraph)
	}
	if out.Footer, err = say(w.Footer, with); err != nil {
		return err
	}
	out.Facts, err = w.facts(n)
	return err
}

// facts are what there is to recognise an event by.
func (w words) facts(n models.Notice) ([]fact, error) {
	if n.Detail.IP == "" {
		return nil, nil // nobody did it: time did
	}
	when, err := w.date(w.Moment, n.CreatedAt)
	if err != nil {
		return nil, err
	}
	browser, err := w.browser(n.Detail.UserAgent)
	if err != nil {
		return nil, err
	}
	list := []fact{{w.Labels["when"], when}, {w.Labels["browser"], browser}, {w.Labels["address"], n.Detail.IP}}
	if what := w.Factors[n.Detail.Factor]; what != "" {
		list = slices.Insert(list, 0, fact{w.Labels["what"], what})
	}
	if n.Detail.Place != "" {
		list = append(list, fact{w.Labels["place"], n.Detail.Place})
	}
	if n.Detail.Left != nil {
		list = append(list, fact{w.Labels["left"], strconv.Itoa(*n.Detail.Left)})
	}
	return list, nil
}

// Browsers and systems that letters name. A user agent is whatever a stranger
// likes to send: an unknown one could say anything in our name.
var (
	knownBrowsers = []string{
		useragent.Chrome, useragent.HeadlessChrome, useragent.Firefox, useragent.Safari, useragent.Edge, useragent.Opera,
		useragent.Vivaldi, useragent.InternetExplorer, useragent.SamsungBrowser,
	}
	knownSystems = []string{
		useragent.Windows, useragent.MacOS, useragent.Linux, useragent.Android, useragent.IOS, useragent.ChromeOS, "iPhone", "iPad",
	}
)

func (w words) browser(userAgent string) (string, error) {
	browser, system := web.Browser(userAgent)
	if !slices.Contains(knownBrowsers, browser) {
		return w.UnknownBrowser, nil
	}
	if !slices.Contains(knownSystems, system) {
		return browser, nil
	}
	return say(w.Browser, map[string]string{"Browser": browser, "System": system})
}
