package mail

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"
	"time"

	"github.com/sallyport/sallyport/models"
)

//go:embed words/*.json
var wordFiles embed.FS

// words are everything that letters say in one language. Each text is a template
// of its own; what is filled in is escaped later, by the form of the letter.
type words struct {
	Letters        map[models.NoticeKind]letterWords `json:"letters"`
	Links          map[models.LinkKind]linkWords     `json:"links"`
	Factors        map[models.Factor]string          `json:"factors"`
	Labels         map[string]string                 `json:"labels"`
	Browser        string                            `json:"browser"`
	UnknownBrowser string                            `json:"unknown_browser"`
	Months         [12]string                        `json:"months"`
	Day            string                            `json:"day"`
	Moment         string                            `json:"moment"`
	Account        string                            `json:"account"`
	Footer         string                            `json:"footer"`
}

type letterWords struct {
	Subject string   `json:"subject"`
	Text    []string `json:"text"`
}

type linkWords struct {
	Button string `json:"button"`
	Help   string `json:"help"`
}

// loadWords reads the words of every language.
func loadWords() (map[string]words, error) {
	all := map[string]words{}
	for _, language := range models.Languages {
		file := "words/" + language + ".json"
		doc, err := wordFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var w words
		dec := json.NewDecoder(bytes.NewReader(doc))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&w); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all[language] = w
	}
	return all, nil
}

// say fills a text in.
func say(text string, with any) (string, error) {
	t, err := template.New("").Option("missingkey=error").Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = t.Execute(&out, with)
	return out.String(), err
}

// date writes a time by one of the language's patterns.
func (w words) date(pattern string, t time.Time) (string, error) {
	t = t.UTC()
	return say(pattern, map[string]any{"Day": t.Day(), "Month": w.Months[t.Month()-1], "Year": t.Year(), "Clock": t.Format("15:04")})
}
