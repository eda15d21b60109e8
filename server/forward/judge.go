package forward

import (
	"slices"
	"time"

	"github.com/sallyport/sallyport/models"
)

// lack is what a session lacks for a rule.
type lack int

const (
	nothing    lack = iota
	theSession      // nobody is signed in
	aProof          // a better or a newer one
	theGroup        // no proof changes that
)

func judge(r models.ForwardRule, s models.Session, now time.Time) lack {
	switch {
	case s.State != models.Authenticated:
		return theSession
	case len(r.Groups) > 0 && !slices.ContainsFunc(r.Groups, func(g string) bool { return slices.Contains(s.User.Groups, g) }):
		return theGroup
	case r.ACR != "" && !s.ACR().Meets(r.ACR), r.MaxAge != 0 && now.Sub(models.AuthTime(s.Methods)) > r.MaxAge.Std():
		return aProof
	}
	return nothing
}

func wrongGroup() error {
	return models.Refuse(models.CodeGroupRequired, "your account isn't in a group that may come in here")
}
