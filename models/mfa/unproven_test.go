package mfa

import (
	"testing"

	"github.com/sallyport/sallyport/models"
)

// Whoever knows the password of an account that was brought here could be anybody,
// until its address is proven, or a factor that it had before.
func TestNothingIsAddedByThePasswordAloneBeforeTheAddressIsProven(t *testing.T) {
	t.Parallel()
	for _, event := range []models.Event{
		{Kind: models.FactorEnrolled, Factor: models.Passkey, UV: true}, {Kind: models.FactorEnrolled, Factor: models.TOTP},
		{Kind: models.FactorEnrolled, Factor: models.Face}, {Kind: models.CodesIssued},
	} {
		for _, state := range []models.State{models.EnrolmentRequired, models.Recovering, models.Authenticated} {
			a := attemptIn(state)
			a.MustVerify = true
			_, _, err := Next(policy, a, event, now)
			if refused := models.CodeOf(err) == models.CodeEmailUnverified; err != nil && !refused || refused != (state == models.EnrolmentRequired) {
				t.Errorf("%s, %s %s: %v", state, event.Kind, event.Factor, err)
			}
		}
	}
}
