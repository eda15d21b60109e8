package oidc

import (
	"slices"
	"time"

	"github.com/sallyport/sallyport/models"
)

// outcome is what an authorization request comes to.
type outcome int

// The outcomes.
const (
	give    outcome = iota // what was asked for
	signIn                 // the person signs in, or goes on with it
	confirm                // they show once more that it's them
	agree                  // they say what the app may know
	choose                 // they say that it is this account
)

// seen is what a request is judged by beside itself.
type seen struct {
	session models.Session
	best    models.ACR // that the account can reach here
	consent models.AppConsent
	begun   time.Time // when the request came first
	agreed  string    // what this session has decided about it: "allow", "deny" or ""
	now     time.Time
}

// judge says what a request comes to. It never gives a context that was not reached: what
// a session has is what its token says. Errors are *refusal.
func judge(r request, s seen) (outcome, error) {
	silent := r.prompts("none")
	if s.session.State != models.Authenticated {
		return ask(silent, signIn, loginRequired)
	}
	if r.hint != "" && r.hint != s.session.User.ID {
		return ask(silent, choose, loginRequired)
	}
	if s.agreed == "deny" || !r.app.Admits(s.session.User.Groups) {
		return 0, refuse(accessDenied, "the person may not, or would rather not, sign in there")
	}
	if proven := models.AuthTime(s.session.Methods); proven.Before(freshSince(r, s)) {
		return ask(silent, confirm, loginRequired)
	}
	has := s.session.ACR()
	if !has.Meets(r.app.ACR) {
		if !s.best.Meets(r.app.ACR) {
			return 0, refuse(unmetRequirements, "the account has no factor that this client accepts")
		}
		return ask(silent, confirm, interactionRequired)
	}
	meets := func(acr models.ACR) bool {
		return slices.ContainsFunc(r.acrs, func(want models.ACR) bool { return want.Level() > 0 && acr.Meets(want) })
	}
	if len(r.acrs) > 0 && !meets(has) {
		switch {
		case meets(s.best) && !silent:
			return confirm, nil
		case meets(s.best) && r.essential:
			return 0, refuse(interactionRequired, "the session has not reached the context that is asked for")
		case r.essential:
			return 0, refuse(unmetRequirements, "the context that is asked for can't be reached")
		}
	}
	if r.prompts("select_account") && s.agreed == "" {
		return choose, nil
	}
	if !r.app.FirstParty && s.agreed == "" && (r.prompts("consent") || !s.consent.Covers(r.scopes)) {
		return ask(silent, agree, consentRequired)
	}
	return give, nil
}

// freshSince is since when a sign-in is young enough for a request. An age counts from
// when the request came: it must not run away from a person who is busy proving.
func freshSince(r request, s seen) time.Time {
	var since time.Time
	if r.maxAge != nil {
		since = s.begun.Add(-*r.maxAge)
	}
	if r.prompts("login") && s.begun.After(since) {
		since = s.begun
	}
	return since
}

func ask(silent bool, what outcome, code string) (outcome, error) {
	if silent {
		return 0, refuse(code, "prompt=none, and the person would have to do something")
	}
	return what, nil
}
