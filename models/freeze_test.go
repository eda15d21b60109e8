package models

import (
	"testing"
	"time"
)

// Whoever reads somebody's mail has one letter after another.
func TestDenyingHoldsNobodyOutAgainAndAgain(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	lifted := Freeze{BegunAt: ago(2 * time.Hour), LiftedAt: ago(time.Hour)}
	for name, c := range map[string]struct {
		freeze Freeze
		at     time.Time
		want   Denial
	}{
		"the first":                               {Freeze{}, ago(time.Hour), DenialFrozen},
		"an older fact, once it was lifted":       {lifted, ago(3 * time.Hour), DenialSettled},
		"the sign-in that lifted it":              {lifted, ago(time.Hour), DenialSettled},
		"a newer fact, within a week":             {lifted, ago(time.Minute), DenialSetAside},
		"while it lasts":                          {Freeze{BegunAt: ago(time.Hour), Until: now.Add(time.Hour)}, ago(time.Minute), DenialSetAside},
		"not lifted, within a week":               {Freeze{BegunAt: ago(6 * 24 * time.Hour)}, ago(time.Minute), DenialSetAside},
		"a newer fact, a week later":              {Freeze{BegunAt: ago(FreezeOnce), LiftedAt: ago(6 * 24 * time.Hour)}, ago(time.Minute), DenialFrozen},
		"a fact before the lift, a week later":    {Freeze{BegunAt: ago(FreezeOnce), LiftedAt: ago(6 * 24 * time.Hour)}, ago(FreezeOnce), DenialSettled},
		"a freeze that nobody lifted, long after": {Freeze{BegunAt: ago(30 * 24 * time.Hour)}, ago(10 * 24 * time.Hour), DenialFrozen},
	} {
		if got := c.freeze.Deny(c.at, now); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
