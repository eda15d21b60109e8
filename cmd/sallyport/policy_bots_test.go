package main

import (
	"testing"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/auth"
)

func TestASiteverifyPolicyNeedsItsKeys(t *testing.T) {
	t.Parallel()
	keys := auth.Siteverify{SiteKey: "key", Secret: "shh"}
	for _, c := range []struct {
		provider models.BotProvider
		keys     auth.Siteverify
		refused  bool
	}{
		{models.BotOff, auth.Siteverify{}, false},
		{models.BotALTCHA, auth.Siteverify{}, false},
		{models.BotSiteverify, keys, false},
		{models.BotSiteverify, auth.Siteverify{SiteKey: "key"}, true},
		{models.BotSiteverify, auth.Siteverify{Secret: "shh"}, true},
	} {
		p := models.DefaultPolicy("dlib-v1")
		p.BotCheck.Provider = c.provider
		if problems := judges(botJudge(Config{Siteverify: c.keys}))(p); (len(problems) > 0) != c.refused {
			t.Errorf("%s with %v: %v", c.provider, c.keys, problems)
		}
	}
}

func TestSiteverifyAddresses(t *testing.T) {
	t.Parallel()
	for u, ok := range map[string]bool{
		"https://challenges.example/siteverify": true, "http://localhost:9000/verify": true,
		"http://challenges.example/siteverify": false, "https://a@b.example": false, "siteverify": false, "": false,
	} {
		_, problems := load(t, "", map[string]string{"SALLYPORT_BOT_CHECK_SITEVERIFY_URL": u})
		if (len(problems) == 0) != ok {
			t.Errorf("%q: %v", u, problems)
		}
	}
}
