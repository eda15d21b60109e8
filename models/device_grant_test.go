package models_test

import (
	"testing"

	"github.com/sallyport/sallyport/models"
)

func TestAUserCodeIsReadAsItIsTyped(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 200 {
		code := models.UserCode()
		if models.ReadUserCode(code) != code || seen[code] {
			t.Fatalf("%s is read as %q, or came twice", code, models.ReadUserCode(code))
		}
		seen[code] = true
	}
	for typed, want := range map[string]string{
		"wdjb-mjht": "WDJB-MJHT", "WDJBMJHT": "WDJB-MJHT", "wdjb mjht": "WDJB-MJHT", "WDJB–MJHT": "WDJB-MJHT", "w-d-j-b-m-j-h-t": "WDJB-MJHT",
		"": "", "WDJB-MJH": "", "WDJB-MJHTT": "", "WDJA-MJHT": "", "WDJB-MJH7": "", "WDJB_MJHT": "", "ＷDJB-MJHT": "",
	} {
		if got := models.ReadUserCode(typed); got != want {
			t.Errorf("%q is read as %q, want %q", typed, got, want)
		}
	}
}
