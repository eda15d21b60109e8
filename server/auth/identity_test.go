package auth

import "testing"

func TestEmailsHaveOneCanonicalForm(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"Ada@Example.COM":       "ada@example.com",
		" ada@example.com ":     "ada@example.com",
		"ada@bücher.example":    "ada@xn--bcher-kva.example",
		"ada@BÜCHER.example":    "ada@xn--bcher-kva.example",
		"ＡＤＡ@example.com":       "ada@example.com",
		"":                      "",
		"ada":                   "",
		"@example.com":          "",
		"ada@":                  "",
		"a@b@example.com":       "",
		`"a b"@example.com`:     "",
		"ada@[127.0.0.1]":       "",
		"ada@example.com\nbcc:": "",
		"Ada <ada@example.com>": "",
	} {
		_, canonical, err := checkEmail(typed)
		if canonical != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q %v, want %q", typed, canonical, err, want)
		}
		if want != "" && canonicalIdentifier(typed) != want {
			t.Errorf("%q signs in as %q", typed, canonicalIdentifier(typed))
		}
	}
}

func TestUsernames(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"Ada": "ada", "ada.lovelace": "ada.lovelace", "Straße": "strasse", "алиса": "алиса", "ａda": "ada",
		"a": "", "a@b": "", ".ada": "", "ada-": "", "a b": "", "a/b": "", "": "", "ada\u202e": "",
	} {
		_, canonical, err := checkUsername(typed)
		if canonical != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q %v, want %q", typed, canonical, err, want)
		}
	}
}

func FuzzIdentity(f *testing.F) {
	f.Add("ada@example.com")
	f.Add("ada")
	f.Fuzz(func(t *testing.T, typed string) {
		// A canonical form is its own canonical form, or two accounts could
		// share one.
		if _, canonical, err := checkUsername(typed); err == nil {
			if _, again, err := checkUsername(canonical); err != nil || again != canonical {
				t.Errorf("name %q -> %q -> %q %v", typed, canonical, again, err)
			}
			if canonicalIdentifier(typed) != canonical {
				t.Errorf("name %q signs in as %q", typed, canonicalIdentifier(typed))
			}
		}
		if _, canonical, err := checkEmail(typed); err == nil {
			if _, again, err := checkEmail(canonical); err != nil || again != canonical {
				t.Errorf("address %q -> %q -> %q %v", typed, canonical, again, err)
			}
		}
	})
}
