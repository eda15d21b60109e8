package server_test

import (
	"encoding/base32"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/biometricstest"
)

// keepsake is every secret of a site's people that a test came across.
type keepsake []string

// of keeps the session's token: it changes with every step.
func (k *keepsake) of(p *person) *person {
	*k = append(*k, p.cookies["sallyport"])
	return p
}

// What is kept for the auditors and for the operators must let nobody in, nor
// tell how close a face came: whoever knows that can climb to a match.
func TestEventsAndLogsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secrets := &keepsake{}
	ada := secrets.of(s.withFace("ada", 1))
	ada.saveCodes()
	s.nextStep()

	tab := secrets.of(ada.elsewhere())
	wrong, right := tab.codeAt(-time.Hour), tab.code()
	tab.post("/v1/verify/totp", map[string]any{"code": wrong}).want(422)
	tab.post("/v1/verify/totp", map[string]any{"code": right}).want(200)
	secrets.of(tab)

	tab = secrets.of(ada.elsewhere())
	tab.showFace(someone(2)).want(422)
	tab.showFace(someone(1)).want(200)
	secrets.of(tab)

	tab = secrets.of(ada.elsewhere())
	reissued := tab.post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200).text("recovery_code")
	secrets.of(tab)

	fresh := "a brand new password"
	s.browser().post("/v1/login", map[string]any{"identifier": "ada", "password": "a wrong password"}).want(401)
	ada.post("/v1/me/password", map[string]any{"current": password, "new": fresh}).want(204)
	secrets.of(ada)

	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(ada.secret)
	if err != nil {
		t.Fatal(err)
	}
	*secrets = append(*secrets, ada.secret, strings.Trim(fmt.Sprintf("%q", raw), `"`))
	*secrets = append(*secrets, password, fresh, "a wrong password", "$argon2id$", distance(t, 1, 1), distance(t, 1, 2))
	*secrets = append(*secrets, fmt.Sprint(biometricstest.Descriptor(1, 0)[0]), fmt.Sprint(biometricstest.Descriptor(1, 10)[0]))
	for _, code := range append([]string{reissued}, ada.codes...) {
		*secrets = append(*secrets, code[3:], strings.ReplaceAll(code[3:], "-", ""))
	}
	for where, text := range map[string]string{"the log": s.log.String(), "events": s.events()} {
		for _, secret := range *secrets {
			if secret == "" || strings.Contains(text, secret) {
				t.Errorf("%s: holds %q", where, secret)
			}
		}
		// Six digits stand in many a number; what stands alone is a code.
		if code := regexp.MustCompile(`\b(` + wrong + `|` + right + `)\b`).FindString(text); code != "" {
			t.Errorf("%s: holds the code %s", where, code)
		}
		for _, word := range []string{"distance", "descriptor", "score", "token"} {
			if strings.Contains(strings.ToLower(text), word) {
				t.Errorf("%s: speaks of a %s", where, word)
			}
		}
	}
}

// events are all facts that were recorded, a line each.
func (s *site) events() string {
	s.t.Helper()
	var count int
	var text string
	err := s.Pool.QueryRow(s.t.Context(), `
		SELECT count(*), string_agg(concat_ws(' ', fact, detail, policy_version, ip), E'\n')
		FROM events`).Scan(&count, &text)
	if err != nil || count < 10 {
		s.t.Fatalf("%d events, %v", count, err)
	}
	return text
}

// distance is how far the captures of two people lie apart, in as many digits
// as no other number here begins with.
func distance(t *testing.T, enrolled, shown int) string {
	t.Helper()
	var templates, probes []biometrics.Descriptor
	for i := range 3 {
		templates = append(templates, biometricstest.Descriptor(enrolled, i))
		probes = append(probes, biometricstest.Descriptor(shown, 10+i))
	}
	yardstick := biometrics.Yardstick{Metric: biometrics.MetricEuclidean, Fusion: biometrics.FusionMean, Threshold: 0.45}
	d, err := yardstick.Score("", templates, probes)
	if err != nil || (d.Distance <= 0.45) != (enrolled == shown) {
		t.Fatalf("%v %v", d, err)
	}
	return fmt.Sprintf("%.9f", d.Distance)[:7]
}
