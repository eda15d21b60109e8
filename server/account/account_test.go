package account

import (
	"slices"
	"testing"

	"github.com/sallyport/sallyport/models"
)

func TestBrowsersAreNamedForPeople(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string][2]string{
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36":                                   {"Chrome", "Linux"},
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36":                         {"Chrome", "Android"},
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1": {"Safari", "iPhone"},
		"": {"", ""},
	} {
		if browser, device := describe(agent); [2]string{browser, device} != want {
			t.Errorf("%q: %q on %q, want %v", agent, browser, device, want)
		}
	}
}

func TestFactorsAreOrderedByUse(t *testing.T) {
	t.Parallel()
	const passkey, totp, face, recovery = models.Passkey, models.TOTP, models.Face, models.Recovery
	type list = []models.Factor
	usable := list{passkey, totp, face, recovery}
	for _, c := range []struct{ usable, used, want list }{
		{usable, nil, list{passkey, totp, face, recovery}},
		{usable, list{face}, list{face, passkey, totp, recovery}},
		{usable, list{totp, face, passkey}, list{totp, face, passkey, recovery}},
		{usable, list{recovery, face}, list{face, passkey, totp, recovery}},
		{list{recovery, totp}, list{recovery}, list{totp, recovery}},
		{list{totp, face}, list{passkey, face}, list{face, totp}}, // the passkey was removed
		{nil, list{totp}, nil},
	} {
		if got := byUse(c.usable, c.used); !slices.Equal(got, c.want) {
			t.Errorf("%v, used %v: got %v, want %v", c.usable, c.used, got, c.want)
		}
	}
}
