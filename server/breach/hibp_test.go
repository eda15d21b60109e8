package breach

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The SHA-1 of "password" is 5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8.
const (
	passwordPrefix = "5BAA6"
	passwordSuffix = "1E4C9B93F3F0682250B6CF8331B7EE68FD8"
	otherSuffix    = "1D72CD07550416C216D8AD296BF5C0AE8E0"
)

// ranges is a range API that answers alike for every range.
func ranges(t *testing.T, status int, body string) (*HIBP, *http.Request) {
	t.Helper()
	asked := &http.Request{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = *r
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(s.Close)
	return NewHIBP(s.URL + "/range"), asked
}

func TestHIBPKnowsLeakedPasswords(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		otherSuffix + ":3\r\n" + passwordSuffix + ":10434004\r\n":          true,
		strings.ToLower(passwordSuffix) + ":1":                             true,
		otherSuffix + ":10434004\r\n":                                      false,
		otherSuffix + ":2\r\n" + passwordSuffix + ":0\r\n":                 false, // padding
		passwordSuffix + ":0\r\n" + passwordSuffix + ":00012\r\n":          true,
		strings.Repeat(otherSuffix+":2\r\n", 2000) + passwordSuffix + ":2": true,
	} {
		h, _ := ranges(t, 200, body)
		if known, err := h.Known(t.Context(), "password"); known != want || err != nil {
			t.Errorf("%.80q: %v %v, want %v", body, known, err, want)
		}
	}
}

func TestHIBPIsToldFiveDigitsAlone(t *testing.T) {
	t.Parallel()
	h, asked := ranges(t, 200, otherSuffix+":1")
	if _, err := h.Known(t.Context(), "password"); err != nil {
		t.Fatal(err)
	}
	if asked.URL.Path != "/range/"+passwordPrefix || asked.URL.RawQuery != "" || asked.Header.Get("Add-Padding") != "true" || asked.ContentLength > 0 {
		t.Errorf("asked %s %v", asked.URL, asked.Header)
	}
	if sent := fmt.Sprint(asked.URL, asked.Header); strings.Contains(sent, passwordSuffix[:6]) || strings.Contains(sent, "password") {
		t.Errorf("told more: %s", sent)
	}
}

// What is no range must not pass for "nobody has leaked this", and no error may
// give the digits away: errors are logged.
func TestWhatIsNoRangeIsAnError(t *testing.T) {
	t.Parallel()
	good := passwordSuffix + ":10\r\n"
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"limited": {429, ""}, "broken": {500, good}, "moved": {302, good}, "empty": {200, ""}, "page": {200, "<html>sign in to the airport</html>"},
		"page behind": {200, good + "<html>"}, "no count": {200, passwordSuffix + ":\r\n"}, "bare": {200, passwordSuffix}, "count": {200, passwordSuffix + ":-1"},
		"short": {200, passwordSuffix[1:] + ":10"}, "digits": {200, "Z" + passwordSuffix[1:] + ":10"}, "endless": {200, strings.Repeat(good, 20_000)},
		"one endless line": {200, strings.Repeat("A", 400_000)}, "endless line behind": {200, good + strings.Repeat("A", 400_000)},
	} {
		h, _ := ranges(t, c.status, c.body)
		known, err := h.Known(t.Context(), "password")
		if known || err == nil {
			t.Errorf("%s: %v %v", name, known, err)
		} else if strings.Contains(strings.ToUpper(err.Error()), passwordPrefix) {
			t.Errorf("%s: tells the digits: %v", name, err)
		}
	}
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for name, h := range map[string]*HIBP{"silent": NewHIBP(silent.URL), "gone": NewHIBP("http://127.0.0.1:1/range/")} {
		if known, err := h.Known(ctx, "password"); known || err == nil || strings.Contains(err.Error(), passwordPrefix) {
			t.Errorf("%s: %v %v", name, known, err)
		}
	}
}

// FuzzRange: an answer of any bytes is refused or holds nothing but ranges, and a
// password is found just when its suffix stands there with a count above 0.
func FuzzRange(f *testing.F) {
	f.Add([]byte(passwordSuffix + ":10\r\n" + otherSuffix + ":0"))
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		found, err := inRange(body, passwordSuffix)
		if err != nil {
			if found {
				t.Error("found in what is no range")
			}
			return
		}
		want := false
		for _, line := range strings.Split(strings.ToUpper(string(body)), "\n") {
			rest, ok := strings.CutPrefix(line, passwordSuffix+":")
			want = want || ok && strings.ContainsAny(rest, "123456789")
		}
		if found != want {
			t.Errorf("found %v in %q", found, body)
		}
	})
}
