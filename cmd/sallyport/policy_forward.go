package main

import (
	"strconv"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/policy"
)

// forwardJudge refuses rules for an app on Sallyport's own host: its pages could do there
// whatever the account's own do.
func forwardJudge(config Config) policy.Judge {
	return func(p models.Policy) (problems []models.Problem) {
		if config.PublicURL == nil { // a policy can be checked where no server is configured
			return nil
		}
		own, _ := models.ForwardHost(config.PublicURL.Host)
		for i, rule := range p.Forward.Rules {
			if rule.Host == own {
				problems = append(problems, models.Problem{Key: "forward_auth.rules." + strconv.Itoa(i+1) + ".host", Message: "can't be the host of public_url"})
			}
		}
		return problems
	}
}
