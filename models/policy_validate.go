package models

import (
	"fmt"
	"slices"
	"time"
)

// Problem is one thing wrong with a policy: the key, dotted, and a sentence.
type Problem struct{ Key, Message string }

// Validate lists everything wrong with the policy. The bounds are wide: they
// keep out what would lock everybody out or switch a protection off, not what
// an admin may have reasons for.
func (p Policy) Validate() []Problem {
	var problems []Problem
	bad := func(key, format string, args ...any) {
		problems = append(problems, Problem{key, fmt.Sprintf(format, args...)})
	}
	p.validateFactors(bad)
	p.validateFace(bad)

	within := func(key string, d Duration, low, high time.Duration) {
		if d.Std() < low || d.Std() > high {
			bad(key, "must be between %s and %s, is %s", low, high, d)
		}
	}
	within("timeouts.second_factor", p.Timeouts.SecondFactor, time.Minute, time.Hour)
	within("timeouts.enrolment", p.Timeouts.Enrolment, time.Minute, 4*time.Hour)
	within("timeouts.recovery", p.Timeouts.Recovery, time.Minute, 4*time.Hour)
	within("timeouts.idle", p.Timeouts.Idle, time.Minute, 30*24*time.Hour)
	within("timeouts.absolute", p.Timeouts.Absolute, time.Minute, 30*24*time.Hour)
	within("step_up.max_age", p.StepUp.MaxAge, 10*time.Second, time.Hour)
	for key, rule := range map[string]StepUpRule{
		"change": p.StepUp.Change, "recovery_codes": p.StepUp.RecoveryCodes, "export": p.StepUp.Export, "delete": p.StepUp.Delete, "admin": p.StepUp.Admin,
	} {
		within("step_up."+key+".recent", rule.Recent, 0, time.Hour)
		if rule.ACR != "" && rule.ACR.Level() != 2 {
			bad("step_up."+key+".acr", "must be aal2 or mfa, is %q", rule.ACR)
		}
	}
	if p.Timeouts.Idle > p.Timeouts.Absolute {
		bad("timeouts.idle", "must not be longer than timeouts.absolute (%s), is %s", p.Timeouts.Absolute, p.Timeouts.Idle)
	}
	// NIST SP 800-63B-4 section 3.1.1.2: at least 8 with a second factor.
	if p.Password.MinLength < 8 || p.Password.MinLength > 64 {
		bad("password.min_length", "must be between 8 and 64, is %d", p.Password.MinLength)
	}
	if p.Mail.PerHour < 1 || p.Mail.PerHour > 100 {
		bad("mail.per_hour", "must be between 1 and 100, is %d", p.Mail.PerHour)
	}
	within("accounts.deletion_grace", p.Accounts.DeletionGrace, 0, 90*24*time.Hour)
	// Links of letters name their fact for 14 days (LinkNotMe).
	within("retention.events", p.Retention.Events, 31*24*time.Hour, 10*366*24*time.Hour)
	// Less than a day is over before everybody who is told has read it.
	within("recovery.wait", p.Recovery.Wait, 24*time.Hour, 30*24*time.Hour)
	within("remember.lifetime", p.Remember.Lifetime, time.Hour, MaxRemembered)
	p.validateLimits(bad)
	p.validateForward(bad)
	slices.SortStableFunc(problems, func(a, b Problem) int {
		switch {
		case a.Key < b.Key:
			return -1
		case a.Key > b.Key:
			return 1
		}
		return 0
	})
	return problems
}

func (p Policy) validateFactors(bad func(key, format string, args ...any)) {
	known := []Factor{Passkey, TOTP, Face, Recovery}
	for _, f := range p.Factors.Allowed {
		if !slices.Contains(known, f) {
			bad("factors.allowed", "knows passkey, totp, face and recovery, not %q", f)
		}
	}
	for _, key := range p.Unsafe {
		if key != UnsafeLiveness {
			bad("unsafe", "knows %s, not %q", UnsafeLiveness, key)
		}
	}
	if !p.Allows(Passkey) && !p.Allows(TOTP) {
		bad("factors.allowed", "must hold passkey or totp: a way in without a camera has to exist")
	}
}
