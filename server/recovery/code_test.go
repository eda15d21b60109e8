package recovery

import "testing"

func TestCodesReadAsTheyArePrinted(t *testing.T) {
	t.Parallel()
	for row := 1; row <= Count; row++ {
		secret := newSecret()
		if len(secret) != secretChars {
			t.Fatalf("secret %q", secret)
		}
		gotRow, got, err := parse(format(row, secret))
		if err != nil || gotRow != row || got != secret {
			t.Errorf("%s: %d %q %v", format(row, secret), gotRow, got, err)
		}
	}
}

func TestCodesForgiveTyping(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{"07-OIBA-OIBA-OIBA-OIBA", "07oibaoibaoibaoiba", " 07 oiba oiba oiba oiba ", "07-018A-018A-018A-018A", "07–OIBA–OIBA–OIBA–OIBA"} {
		row, secret, err := parse(typed)
		if err != nil || row != 7 || secret != "OIBAOIBAOIBAOIBA" {
			t.Errorf("%q: %d %q %v", typed, row, secret, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("07-ABCD-EFGH-IJKL-MNOP")
	f.Add("00-ABCD-EFGH-IJKL-MNOP")
	f.Fuzz(func(t *testing.T, typed string) {
		row, secret, err := parse(typed)
		if err != nil {
			return
		}
		againRow, again, err := parse(format(row, secret))
		if err != nil || againRow != row || again != secret || row < 1 || row > 99 {
			t.Errorf("%q: %d %q, printed and read again %d %q %v", typed, row, secret, againRow, again, err)
		}
	})
}
