package main

import (
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/policy"
)

// botJudge refuses a policy that asks a service about bots which the
// configuration has no keys for.
func botJudge(config Config) policy.Judge {
	return func(p models.Policy) []models.Problem {
		if p.BotCheck.Provider != models.BotSiteverify || config.Siteverify.SiteKey != "" && config.Siteverify.Secret != "" {
			return nil
		}
		return []models.Problem{{Key: "bot_check.provider", Message: "can't be siteverify: the configuration lacks bot_check.site_key or bot_check.secret"}}
	}
}

// judges asks each.
func judges(list ...policy.Judge) policy.Judge {
	return func(p models.Policy) (problems []models.Problem) {
		for _, judge := range list {
			problems = append(problems, judge(p)...)
		}
		return problems
	}
}
