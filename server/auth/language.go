package auth

import (
	"github.com/sallyport/sallyport/models"
	"golang.org/x/text/language"
)

var languages = func() language.Matcher {
	tags := make([]language.Tag, 0, len(models.Languages))
	for _, l := range models.Languages {
		tags = append(tags, language.MustParse(l))
	}
	return language.NewMatcher(tags)
}()

// maxAcceptLanguage is more than any browser sends; parsing costs by length.
const maxAcceptLanguage = 256

// languageOf is the one of our languages that suits an Accept-Language header best
// (RFC 9110 section 12.5.4), the first where none does.
func languageOf(header string) string {
	if len(header) > maxAcceptLanguage {
		return models.Languages[0]
	}
	wanted, _, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return models.Languages[0]
	}
	_, i, _ := languages.Match(wanted...)
	return models.Languages[i]
}
