package account

import (
	"slices"
	"testing"

	"github.com/sallyport/sallyport/models"
)

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
