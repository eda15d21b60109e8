package mail

import (
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

func newLetters(t *testing.T) *Letters {
	t.Helper()
	l, err := NewLetters("Example & Co", &url.URL{Scheme: "https", Host: "login.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// about is a notice with everything in it that a letter could tell.
func about(kind models.NoticeKind, language string) models.Notice {
	at, left := time.Date(2026, 3, 24, 9, 5, 0, 0, time.UTC), 7
	erased := at.AddDate(0, 1, 0)
	return models.Notice{
		ID: models.NewID(at), Kind: kind, Address: "ada@example.com", Language: language, CreatedAt: at,
		Detail: models.NoticeDetail{
			Factor: models.TOTP, Left: &left, IP: "192.0.2.17", UserAgent: firefox, Place: "Vienna, Austria", LastUsedAt: &at, ErasedAt: &erased,
		},
	}
}

// write is the letter of a notice; every token is "token-" and its kind.
func write(t *testing.T, l *Letters, n models.Notice) Message {
	t.Helper()
	tokens := map[models.LinkKind]string{}
	for _, kind := range n.Kind.Links() {
		tokens[kind] = "token-" + string(kind)
	}
	m, err := l.Write(n, tokens)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var (
	address = regexp.MustCompile(`https?://[^\s"<]+`)
	markup  = regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`)
)

func TestEveryLetterSaysTheSameInBothFormsAndEveryLanguage(t *testing.T) {
	t.Parallel()
	l := newLetters(t)
	for _, kind := range models.NoticeKinds {
		var subjects, texts []string
		for _, language := range models.Languages {
			m := write(t, l, about(kind, language))
			if m.To != "ada@example.com" || m.Subject == "" {
				t.Errorf("%s in %s: to %q, subject %q", kind, language, m.To, m.Subject)
			}
			inText, inHTML := address.FindAllString(m.Text, -1), address.FindAllString(m.HTML, -1)
			if !slices.Equal(inText, inHTML) {
				t.Errorf("%s in %s: the text links to %q, the HTML to %q", kind, language, inText, inHTML)
			}
			want := []string{}
			for _, link := range kind.Links() {
				want = append(want, "https://login.example.com/link/"+string(link)+"#token-"+string(link))
			}
			if want = append(want, "https://login.example.com/account/security"); !slices.Equal(inText, want) {
				t.Errorf("%s in %s links to %q, want %q", kind, language, inText, want)
			}
			seen := strings.NewReplacer("&amp;", "&", "&#39;", "'", "&#34;", `"`).Replace(markup.ReplaceAllString(m.HTML, ""))
			for line := range strings.Lines(address.ReplaceAllString(m.Text, "")) {
				for _, part := range strings.Split(strings.TrimSpace(line), ": ") {
					if part = strings.TrimSuffix(part, ":"); part != "--" && !strings.Contains(seen, part) {
						t.Errorf("%s in %s: the HTML doesn't say %q", kind, language, part)
					}
				}
			}
			if strings.Contains(m.Text, "no value") || strings.Contains(m.Text, "{{") {
				t.Errorf("%s in %s has a gap: %s", kind, language, m.Text)
			}
			subjects, texts = append(subjects, m.Subject), append(texts, m.Text)
		}
		slices.Sort(subjects)
		slices.Sort(texts)
		if len(slices.Compact(subjects)) != len(models.Languages) || len(slices.Compact(texts)) != len(models.Languages) {
			t.Errorf("%s is not translated: %q", kind, subjects)
		}
	}
}

// Every language has every word that any has.
func TestNoLanguageLacksAWord(t *testing.T) {
	t.Parallel()
	all, err := loadWords()
	if err != nil {
		t.Fatal(err)
	}
	english := all["en"]
	for language, w := range all {
		lacking(t, language, reflect.ValueOf(english), reflect.ValueOf(w))
	}
	if len(english.Letters) != len(models.NoticeKinds) {
		t.Errorf("words for %d kinds, there are %d", len(english.Letters), len(models.NoticeKinds))
	}
}

// lacking reports what want has and got has not, and what is empty.
func lacking(t *testing.T, at string, want, got reflect.Value) {
	t.Helper()
	switch want.Kind() {
	case reflect.Struct:
		for i := range want.NumField() {
			lacking(t, at+"."+want.Type().Field(i).Name, want.Field(i), got.Field(i))
		}
	case reflect.Map:
		if want.Len() != got.Len() {
			t.Errorf("%s has %d entries, English has %d", at, got.Len(), want.Len())
		}
		for _, key := range want.MapKeys() {
			if !got.MapIndex(key).IsValid() {
				t.Errorf("%s lacks %s", at, key)
				continue
			}
			lacking(t, at+"."+key.String(), want.MapIndex(key), got.MapIndex(key))
		}
	case reflect.Slice, reflect.Array:
		if want.Len() != got.Len() {
			t.Errorf("%s has %d parts, English has %d", at, got.Len(), want.Len())
			return
		}
		for i := range want.Len() {
			lacking(t, at, want.Index(i), got.Index(i))
		}
	default:
		if got.String() == "" {
			t.Errorf("%s is empty", at)
		}
	}
}

func TestLettersSayNothingThatAStrangerChose(t *testing.T) {
	t.Parallel()
	l := newLetters(t)
	for _, agent := range []string{
		"Free-Prize-at-evil.example/1.0", "<b>evil</b>", "evil\r\nBcc: mallory@evil.example", "Mozilla/5.0 (evil.example) evil.example/7",
		"Mozilla/5.0 (X11; Linux x86_64) https://evil.example/", strings.Repeat("evil ", 100), "{{.Site}} evil",
		"Mozilla/5.0 (Linux; Android 14; evil.example) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36",
	} {
		n := about(models.NoticeNewDevice, "en")
		n.Detail.UserAgent, n.Detail.Factor = agent, "evil factor"
		m := write(t, l, n)
		for form, said := range map[string]string{"subject": m.Subject, "text": m.Text, "HTML": m.HTML} {
			if strings.Contains(said, "evil") {
				t.Errorf("%q is quoted in the %s", agent, form)
			}
		}
		if strings.ContainsAny(m.Subject, "\r\n") {
			t.Errorf("the subject %q has several lines", m.Subject)
		}
	}
}

func TestASubjectIsOneLine(t *testing.T) {
	t.Parallel()
	l, err := NewLetters("Example\r\nBcc: mallory@evil.example", &url.URL{Scheme: "https", Host: "login.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := l.Write(about(models.NoticeFacePurge, "en"), nil); err == nil {
		t.Errorf("wrote %q", m.Subject)
	}
}

func TestALetterWithoutItsTokenIsNotWritten(t *testing.T) {
	t.Parallel()
	l := newLetters(t)
	if _, err := l.Write(about(models.NoticeFactorAdded, "en"), nil); err == nil {
		t.Error("a letter has a link that leads nowhere")
	}
}

func TestAnUnknownLanguageFallsBackToEnglish(t *testing.T) {
	t.Parallel()
	l := newLetters(t)
	if m := write(t, l, about(models.NoticeFactorAdded, "tlh")); m != write(t, l, about(models.NoticeFactorAdded, "en")) {
		t.Errorf("got %q", m.Subject)
	}
}
