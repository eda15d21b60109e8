package web

import "time"

// sample is a page in one of the states it can be in, filled as the server would fill it.
type sample struct {
	name string
	page Page
}

func samples() []sample {
	at := time.Date(2026, 11, 3, 9, 41, 0, 0, time.UTC)
	later := at.Add(51 * time.Hour)
	ada := &User{Username: "ada", DisplayName: "Ada Byron"}
	layout := func(state, path string) Layout {
		l := Layout{State: state, Path: path, Demo: true, FaceReady: true}
		if state == stateAuthenticated || state == stateEnrolmentRequired {
			l.User = ada
		}
		return l
	}
	consent := []string{
		"We watch you through your camera for a few seconds, and keep 128 numbers for each of the best pictures. The pictures themselves are never stored.",
		"The numbers are used for one thing only: to compare them with your face when you sign in to this account. You can erase them here at any time.",
	}
	passkeys := []Passkey{
		{ID: "0193-a", Name: "Work laptop", CreatedAt: at, LastUsedAt: &later, Synced: true},
		{ID: "0193-b", Name: "Blue key on the key ring", CreatedAt: at},
	}
	face := FaceState{Available: true, ConsentVersion: "2026-11", ConsentText: consent}
	face.CohortText = []string{"May your numbers be in a random sample, so that everybody is measured fairly?"}
	enrolled := face
	enrolled.Enrolled, enrolled.Since, enrolled.Sittings = true, &at, []time.Time{at, later}
	enrolled.Devices = []Device{{ID: "0193-c", Name: "Firefox on Linux", CreatedAt: at, LastUsedAt: later}}
	disabled, outdated, askAgain, lending := enrolled, enrolled, enrolled, enrolled
	disabled.Disabled, outdated.Outdated, askAgain.AskAgain, lending.InCohort = true, true, true, true
	asideFace, setAside := disabled, []Passkey{passkeys[0], passkeys[1]}
	asideFace.SetAside, setAside[1].SetAside = true, true
	broken := FaceState{Reason: "signing in with your face is out of order at the moment: use another way"}
	statement := "Signing in with your face stops a stranger, not somebody who holds your photograph to the camera."
	rows := []SessionRow{
		{Machine: Machine{"Firefox", "Linux"}, ID: "s1", Current: true, IP: "192.0.2.17", Place: "Linköping, Sweden", ACR: "aal2", Methods: []string{"pwd", "passkey"}, CreatedAt: at, LastSeenAt: later, ExpiresAt: later.Add(time.Hour)},
		{Machine: Machine{"Chrome", "Android"}, ID: "s2", IP: "2001:db8:85a3::8a2e:370:7334", ACR: "mfa", Methods: []string{"pwd", "face"}, CreatedAt: at, LastSeenAt: later, ExpiresAt: later.Add(time.Hour)},
		{ID: "s3", IP: "198.51.100.4", ACR: "aal2", Methods: []string{"pwd", "totp"}, CreatedAt: at, LastSeenAt: at, ExpiresAt: later},
	}
	onDevice := rows[0]
	onDevice.ACR, onDevice.Methods = "pwd+device", []string{"pwd", "device"}
	remembered := []RememberedRow{
		{Machine: Machine{"Firefox", "Linux"}, ID: "d1", Current: true, IP: "192.0.2.17", Place: "Linköping, Sweden", LastUsedAt: later, EndsAt: later.Add(28 * 24 * time.Hour)},
		{Machine: Machine{"Chrome", "Android"}, ID: "d2", IP: "2001:db8:85a3::8a2e:370:7334", LastUsedAt: at, EndsAt: at.Add(30 * 24 * time.Hour)},
	}
	messages := []ChatMessage{
		{ID: "m1", Username: "grace", DisplayName: "Grace", Body: "Both doors open. Hello from the other side.", At: at},
		{ID: "m2", Username: "ada", DisplayName: "Ada Byron", Body: "Hello! <script>alert(1)</script> stays words here.", At: at.Add(time.Minute), Mine: true},
		{ID: "m3", Username: "grace", DisplayName: "Grace", Body: "As it should.", At: at.Add(2 * time.Minute)},
	}
	const next = "/chat?room=1&x=\"><script>"
	return []sample{
		{"login", LoginPage{Layout: layout("", "/login"), Next: next}},
		{"register", RegisterPage{Layout: layout("", "/register"), Next: next, PasswordMin: 8, PasswordMax: 256}},
		{"verify", VerifyPage{Layout: layout("second_factor_required", "/verify"), Factors: []string{"passkey", "totp", "face", "recovery"}, FaceAvailable: true, Next: next}},
		{"verify-remember", VerifyPage{Layout: layout("second_factor_required", "/verify"), Factors: []string{"totp", "recovery"}, FaceAvailable: true, RememberFor: "30 days", Subject: "2Jd8bY0kZ1rWc7sV5xQmT3nG9fH4pL6aEoU1iKyRtBw"}},
		{"verify-totp", VerifyPage{Layout: layout("second_factor_required", "/verify"), Factors: []string{"totp", "face", "recovery"}, FaceReason: "signing in with your face is out of order at the moment: use another way"}},
		{"verify-face", VerifyPage{Layout: layout("second_factor_required", "/verify"), Factors: []string{"face", "recovery"}, FaceAvailable: true}},
		{"verify-nothing", VerifyPage{Layout: layout("second_factor_required", "/verify"), Factors: []string{"face"}, FaceReason: "signing in with your face is out of order at the moment: use another way"}},
		{"account", AccountPage{Layout: layout(stateAuthenticated, "/account"), Email: "ada@example.com", EmailHeld: true, EmailVerified: true, Username: "ada", DisplayName: "Ada Byron", CreatedAt: at, PasswordMin: 8, PasswordMax: 256, DeletionGraceDays: 14, FaceStatement: statement}},
		{"account-going", AccountPage{Layout: layout(stateAuthenticated, "/account"), Email: "ada@example.com", EmailHeld: true, EmailVerified: true, Username: "ada", DisplayName: "Ada Byron", CreatedAt: at, PasswordMin: 8, PasswordMax: 256, DeletionDue: &later}},
		{"security", SecurityPage{Layout: layout(stateAuthenticated, "/account/security"), Passkeys: passkeys, TOTPSince: &at, Face: enrolled, RecoveryTotal: 10, RecoveryLeft: 3}},
		{"security-disabled", SecurityPage{Layout: layout(stateAuthenticated, "/account/security"), TOTPSince: &at, Face: disabled}},
		{"security-off", SecurityPage{Layout: layout(stateAuthenticated, "/account/security"), Passkeys: passkeys[:1], Face: enrolled, RecoveryTotal: 10, RecoveryLeft: 3, Off: []string{"passkey", "totp", "recovery"}}},
		{"verify-off", VerifyPage{Layout: layout("second_factor_required", "/verify"), Factors: []string{"passkey"}, Off: true}},
		{"security-outdated", SecurityPage{Layout: layout(stateAuthenticated, "/account/security"), TOTPSince: &at, Face: outdated}},
		{"security-ask-again", SecurityPage{Layout: layout(stateAuthenticated, "/account/security"), TOTPSince: &at, Face: askAgain}},
		{"security-lending", SecurityPage{Layout: layout(stateAuthenticated, "/account/security"), TOTPSince: &at, Face: lending}},
		{"privacy", PrivacyPage{Layout: layout("", "/privacy/biometrics"), Version: "2026-11", Language: "en", Text: consent, Cohort: face.CohortText, UnusedDays: 365, Statement: statement}},
		{"security-set-aside", SecurityPage{
			Layout: layout(stateAuthenticated, "/account/security"), Passkeys: setAside, TOTPSince: &at, TOTPSetAside: true, Face: asideFace, RecoveryTotal: 10, RecoveryLeft: 9, FrozenUntil: &later,
		}},
		{"verify-lost", VerifyPage{Layout: layout("second_factor_required", "/verify"), Factors: []string{"totp"}, Waiting: true, WaitHours: 72}},
		{"verify-under-way", VerifyPage{Layout: layout("second_factor_required", "/verify"), Factors: []string{"totp"}, Waiting: true, WaitHours: 72, UnderWay: true, OverAt: &later}},
		{"account-coming-back", AccountPage{Layout: layout(stateAuthenticated, "/account"), Email: "ada@example.com", Username: "ada", DisplayName: "Ada Byron", CreatedAt: at, PasswordMin: 8, PasswordMax: 256, RecoverySince: &later}},
		{"begin-recovery", RecoveryLinkPage{Layout: layout("", "/link/begin-recovery"), Kind: "begin-recovery"}},
		{"stop-recovery", RecoveryLinkPage{Layout: layout("", "/link/stop-recovery"), Kind: "stop-recovery"}},
		{"finish-recovery", RecoveryLinkPage{Layout: layout("", "/link/finish-recovery"), Kind: "finish-recovery"}},
		{"finish-recovery-known", RecoveryLinkPage{Layout: layout("second_factor_required", "/link/finish-recovery"), Kind: "finish-recovery", ByPassword: true}},
		{"assisted-recovery", RecoveryLinkPage{Layout: layout("", "/link/assisted-recovery"), Kind: "assisted-recovery"}},
		{"reset-keep", ResetPage{Layout: layout("resetting", "/reset"), PasswordMin: 8, PasswordMax: 256, CanKeep: true}},
		{"admin-recoveries", AdminRecoveriesPage{Layout: layout(stateAuthenticated, "/admin/recoveries"), Recoveries: []AssistedRow{
			{ID: "r1", Username: "grace", OpenedBy: "ada", Own: true, BegunAt: at}, {ID: "r2", Username: "alan", OpenedBy: "kurt", BegunAt: at},
			{ID: "r3", Username: "emmy", OpenedBy: "kurt", ApprovedBy: "ada", BegunAt: at},
		}}},
		{"admin-none", AdminRecoveriesPage{Layout: layout(stateAuthenticated, "/admin/recoveries")}},
		{"not-me", NotMePage{Layout: layout("", "/link/not-me")}},
		{"confirm-email", ConfirmEmailPage{Layout: layout("", "/link/confirm-email"), PasswordMax: 256}},
		{"verify-email", ProveEmailPage{Layout: layout("", "/link/verify-email"), Kind: "verify-email"}},
		{"change-email", ProveEmailPage{Layout: layout(stateAuthenticated, "/link/change-email"), Kind: "change-email"}},
		{"second-email", ProveEmailPage{Layout: layout("", "/link/second-email"), Kind: "second-email"}},
		{"undo-email", UndoEmailPage{Layout: layout("", "/link/undo-email")}},
		{"security-unproven", SecurityPage{Layout: layout(stateEnrolmentRequired, "/account/security"), Face: face, Unproven: "ada@example.com", Next: next}},
		{"account-addresses", AccountPage{
			Layout: mailing(layout(stateAuthenticated, "/account")), Email: "ada@example.com", EmailHeld: true, Username: "ada", CreatedAt: at, PasswordMin: 8, PasswordMax: 256,
			SecondEmail: "ada@example.org", EmailAsked: "countess@example.com", SecondEmailAsked: "lovelace@example.net",
		}},
		{"forgot", ForgotPage{Layout: layout("", "/forgot")}},
		{"reset-link", ResetLinkPage{Layout: layout("", "/link/password-reset")}},
		{"reset", ResetPage{Layout: layout("resetting", "/reset"), PasswordMin: 8, PasswordMax: 256}},
		{"security-bare", SecurityPage{Layout: layout(stateAuthenticated, "/account/security"), Passkeys: passkeys[:1], Face: face}},
		{"security-choose", SecurityPage{Layout: layout(stateEnrolmentRequired, "/account/security"), Face: face, Next: "/chat"}},
		{"security-choose-faceless", SecurityPage{Layout: layout(stateEnrolmentRequired, "/account/security"), Face: broken}},
		{"security-choose-codes", SecurityPage{Layout: layout(stateEnrolmentRequired, "/account/security"), Face: face, RecoveryTotal: 10, RecoveryLeft: 10}},
		{"security-recover", SecurityPage{Layout: layout(stateRecovering, "/account/security"), Passkeys: passkeys[:1], Face: broken, RecoveryTotal: 10, RecoveryLeft: 9}},
		{"activity", activity(layout(stateAuthenticated, "/account/activity"), at)},
		{"activity-none", ActivityPage{Layout: layout(stateAuthenticated, "/account/activity"), Older: true}},
		{"sessions", SessionsPage{Layout: layout(stateAuthenticated, "/account/sessions"), Sessions: rows}},
		{"sessions-remembered", SessionsPage{Layout: layout(stateAuthenticated, "/account/sessions"), Sessions: []SessionRow{onDevice, rows[1]}, Remembered: remembered}},
		{"sessions-apps", SessionsPage{Layout: layout(stateAuthenticated, "/account/sessions"), Sessions: rows[:1], Apps: []AppRow{{ID: "others", Name: "Example", Scopes: []string{"openid", "email"}, GivenAt: at}}}},
		{"sessions-one", SessionsPage{Layout: layout(stateAuthenticated, "/account/sessions"), Sessions: rows[:1]}},
		{"authorize", AuthorizePage{Layout: layout(stateAuthenticated, "/authorize/1"), ID: "1", App: "Example", Host: "app.example.com", Scopes: []string{"openid", "profile", "email", "groups", "offline_access"}}},
		{"authorize-choose", AuthorizePage{Layout: layout(stateAuthenticated, "/authorize/1"), ID: "1", App: "Example", Choosing: true}},
		{"authorize-other", AuthorizePage{Layout: layout(stateAuthenticated, "/authorize/1"), ID: "1", App: "Example", Choosing: true, OtherAccount: true}},
		{"device", DevicePage{Layout: layout(stateAuthenticated, "/device"), Code: "WDJB-MJHT"}},
		{"device-found", FoundDevicePage{Layout: layout(stateAuthenticated, "/device/1"), ID: "1", App: "Example TV", Scopes: []string{"openid", "profile", "offline_access"}, Machine: Machine{Device: "Linux"}, IP: "192.0.2.7", CreatedAt: at}},
		{"confirm", ConfirmPage{Layout: layout(stateAuthenticated, "/confirm"), Next: "/chat"}},
		{"form-post", FormPostPage{Layout: layout("", "/oauth/authorize"), Action: "/callback", Fields: []FormField{{"code", "x"}}}},
		{"end-session", EndSessionPage{Layout: layout(stateAuthenticated, "/oauth/end-session")}},
		{"end-session-done", EndSessionPage{Layout: layout("", "/oauth/end-session"), Done: true, After: "/app", Frames: []string{"/frame"}}},
		{"transaction-confirm", TransactionPage{
			Layout: layout("", ""), ID: "1", App: "Example Bank", Step: TransactionConfirm, Display: "page", Name: "Ada Byron", Action: "Send 40 EUR to Ana",
			Details: []string{"To: DE12 5001 0517 0648 4898 90", "On: 27 November 2026"}, Factors: []string{"passkey", "totp", "face"}, EndsAt: later,
		}},
		{"transaction-faceless", TransactionPage{
			Layout: layout("", ""), ID: "1", App: "Example Bank", Step: TransactionConfirm, Action: "Sign in", Details: []string{""}, Factors: []string{"face"},
			FaceReason: "signing in with your face is out of order at the moment: use another way", EndsAt: later,
		}},
		{"transaction-choose", TransactionPage{
			Layout: layout("", ""), ID: "1", App: "Example Bank", Step: TransactionChoose, Name: "Ada Byron", Action: "Sign in", Details: []string{""}, Factors: []string{"passkey", "totp"}, EndsAt: later,
		}},
		{"transaction-enrolled", TransactionPage{Layout: layout("", ""), ID: "1", App: "Example Bank", Step: TransactionEnrolled, Action: "Sign in", Details: []string{""}, Face: &face, EndsAt: later}},
		{"transaction-done", TransactionPage{Layout: layout("", ""), ID: "1", App: "Example Bank", Step: TransactionDone, Action: "Sign in", Details: []string{""}, EndsAt: later}},
		{"transaction-opening", TransactionPage{Layout: layout("", ""), ID: "1", App: "Example Bank", Step: TransactionOpening}},
		{"transaction-elsewhere", TransactionPage{Layout: layout("", ""), ID: "1", App: "Example Bank", Step: TransactionElsewhere}},
		{"transaction-over", TransactionPage{Layout: layout("", ""), ID: "1", App: "Example Bank", Step: TransactionOver}},
		{"chat", ChatPage{Layout: layout(stateAuthenticated, "/chat"), Messages: messages}},
		{"chat-empty", ChatPage{Layout: layout(stateAuthenticated, "/chat")}},
		{"error", ErrorPage{Layout: layout("", "/nowhere"), Status: 404, Code: "not_found"}},
		{"app-error", AppErrorPage{ErrorPage: ErrorPage{Status: 403, Code: "group_required"}}}, // where it leads is another site
		{"error-down", ErrorPage{Layout: layout(stateAuthenticated, "/chat"), Status: 503}},
	}
}

func mailing(layout Layout) Layout {
	layout.Mails = true
	return layout
}

func activity(layout Layout, at time.Time) ActivityPage {
	page := ActivityPage{Layout: layout, More: "0193-a"}
	page.Add(ActivityRow{At: at, Title: "You signed in", Words: "You confirmed it’s you by a passkey.", Browser: "Firefox", Device: "Linux", IP: "192.0.2.7", Current: true})
	page.Add(ActivityRow{At: at.Add(-time.Hour), Title: "Somebody with your password failed the second step", Words: "They tried your authenticator app, and did not get in.", Browser: "Chrome", Device: "Android", IP: "2001:db8::1"})
	page.Add(ActivityRow{At: at.Add(-48 * time.Hour), Title: "Your account was made", Words: "Somebody registered with your address and chose a password."})
	return page
}
