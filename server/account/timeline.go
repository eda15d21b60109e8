package account

import (
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/models"
)

// said is how the timeline speaks of a fact. {factor}, {left}, {group}, {app} and {host} stand for what its
// detail says.
type said struct{ title, words string }

// timeline has words for every fact that an account's audit log may hold.
var timeline = map[string]said{
	"account_created":           {"Your account was made", "Somebody registered with your address and chose a password."},
	"user_imported":             {"Your account was brought here", "It came with the password that it had where it was before."},
	"password_passed":           {"Your password was typed", "It was right. The second step comes after it."},
	"factor_passed":             {"A second step was passed", "By {factor}. That alone did not finish the sign-in."},
	"signed_in":                 {"You signed in", "You confirmed it’s you by {factor}."},
	"stepped_up":                {"You confirmed it’s you", "You were asked once more, and answered by {factor}."},
	"password_reset_begun":      {"The link for a new password was opened", "From the letter that was sent to your address."},
	"recovery_code_used":        {"A recovery code was used", "It won’t work again. You have {left} left."},
	"recovery_asked":            {"A letter about a way back was asked for", "By somebody who typed your password. Nothing begins without the letter’s link."},
	"recovery_begun":            {"A way back was begun", "Somebody said that they’ve lost every second step, and waits."},
	"recovery_waiting":          {"A way back is under way", "We told you of it once more."},
	"recovery_ready":            {"A way back was opened", "The waiting was over. We sent a letter with a link."},
	"recovery_stopped":          {"A way back was stopped", "Nobody comes in by it."},
	"recovery_entered":          {"Somebody came in by a way back", "They could set up a new second step, and nothing else."},
	"recovery_requested":        {"An admin was asked to let you back in", "Another one has to agree."},
	"recovery_approved":         {"Two admins let you back in", "We sent a letter with a link."},
	"assisted_opened":           {"You asked to let somebody back in", "Another admin has to agree."},
	"assisted_approved":         {"You agreed to let somebody back in", "They were sent a letter with a link."},
	"admin_granted":             {"You became an admin", "You may help people who lost everything they sign in with."},
	"admin_revoked":             {"You are no admin any more", "Somebody who runs this site decided so."},
	"group_joined":              {"You were put into a group", "Apps may let you do more since then. Its name is {group}."},
	"group_left":                {"You were taken out of a group", "Apps may let you do less since then. Its name is {group}."},
	"app_signed_in":             {"You signed in to an app", "We told {app} that it was you."},
	"device_signed_in":          {"You signed a device in", "By the code that it showed. You find it where you’re signed in."},
	"app_allowed":               {"You allowed an app to know about you", "It is called {app}."},
	"app_withdrawn":             {"You shut an app out", "{app} has to ask you again."},
	"app_confirmed":             {"You confirmed it’s you for an app", "It asked for that once more."},
	"code_reused":               {"A sign-in to an app was taken back", "What we gave {app} for it came twice, so somebody may have copied it. It was ended."},
	"refresh_token_reused":      {"An app was signed out", "What {app} kept of your sign-in came twice, so somebody may have copied it. It was ended."},
	"second_factor_failed":      {"Somebody with your password failed the second step", "They tried {factor}, and did not get in."},
	"sign_in_unfinished":        {"Somebody with your password stopped before the second step", "They did not get in."},
	"factor_added":              {"A second step was added", "Since then you can sign in by {factor}."},
	"factor_removed":            {"A second step was removed", "You no longer sign in by {factor}. Everywhere else was signed out."},
	"factor_disabled":           {"A second step was switched off", "There were too many failed tries in a row by {factor}. Set it up anew to use it again."},
	"codes_issued":              {"New recovery codes were made", "Older codes don’t work any more."},
	"password_changed":          {"Your password was changed", "Everywhere else was signed out."},
	"password_reset_offered":    {"A new password was offered", "We sent you a letter with a link to choose one."},
	"breach_check_failed":       {"Your new password was not looked up", "We could not ask whether it is among leaked ones, and took it."},
	"device_key_added":          {"A browser was registered for its camera", "It vouches for the camera when you sign in with your face."},
	"device_key_removed":        {"A browser was taken off the list", "It no longer vouches for its camera."},
	"device_remembered":         {"A browser was remembered", "There your password alone lets you in, for a while. For changes you are asked for more."},
	"remembered_device_removed": {"A remembered browser was forgotten", "There you are asked for your second step again."},
	"new_device":                {"A new browser signed in", "We had not seen it at your account before."},
	"first_device":              {"Your first browser was remembered", "Others that sign in are new to us, and we tell you of them."},
	"passkey_counter_regressed": {"A passkey may have been copied", "It counted backwards. If you can’t think why, remove it."},
	"session_ended":             {"A sign-in was ended", "That browser or app has to sign in again."},
	"other_sessions_ended":      {"You signed out everywhere else", "Only the browser you did it in stayed signed in."},
	"all_sessions_ended":        {"You signed out everywhere", "This browser too."},
	"sessions_revoked":          {"Sign-ins were ended", "Those browsers and apps have to sign in again."},
	"webhook_added":             {"You added a webhook", "It is told what happens at accounts here."},
	"webhook_changed":           {"You changed a webhook", "Where it goes, what it is told, or whether it is on."},
	"webhook_removed":           {"You removed a webhook", "It is told nothing any more."},
	"webhook_secret_rotated":    {"You made a new secret for a webhook", "For a day the one before works too."},
	"client_added":              {"You added an app", "It may sign people in here."},
	"client_changed":            {"You changed an app", "What it may do, or where people go on."},
	"client_removed":            {"You removed an app", "Everybody was signed out there, and it signs nobody in any more."},
	"client_secret_rotated":     {"You made a new secret for an app", "For a day the one before works too."},
	"email_confirmed":           {"Your address was confirmed", "The link that we sent there was followed."},
	"email_claimed":             {"Somebody gave your address as theirs", "They got nothing by it. We told you in a letter."},
	"email_lost":                {"Your address was confirmed by another account", "You never confirmed it here. Sign in by your username, and give another."},
	"email_change_asked":        {"You asked for another address", "We sent a letter with a link to it."},
	"email_changed":             {"Your address was changed", "For seven days the one before can take that back."},
	"email_restored":            {"Your address was changed back", "By the letter that went to the one before. Everybody was signed out."},
	"second_email_asked":        {"You asked for a second address", "We sent a letter with a link to it."},
	"second_email_added":        {"A second address was added", "We write there too about what happens to your account."},
	"second_email_removed":      {"Your second address was removed", "We no longer write there."},
	"denied":                    {"You said that something wasn’t you", "We did what the letter said: what was added was set aside, and everybody was signed out."},
	"freeze_lifted":             {"Your account was unlocked", "You came back by {factor}, which you had before."},
	"face_consent_given":        {"You agreed to the use of your face", "What you agreed to is in the file with your data."},
	"face_consent_withdrawn":    {"You took back an agreement about your face", "What rested on it was erased."},
	"face_refused":              {"A try with a face was refused", "The camera did not show what it should, or another face."},
	"face_purge_ahead":          {"Your face will be erased", "You have not used it for long. We sent you a letter."},
	"face_purged":               {"Your face was erased", "You had not used it for long."},
	"app_entered":               {"An app was opened", "{host} let you in because you are signed in here."},
	"exported":                  {"Your data was downloaded", "Everything that we keep about you, but for secrets."},
	"deletion_requested":        {"Your account was marked for deletion", "Everybody was signed out. Until the day comes you can keep it."},
	"deletion_taken_back":       {"Your account stays", "The deletion was taken back."},
	"deletion_begun":            {"Your account is being erased", "Its time had come."},
}

// ofNobody are the facts of no account.
var ofNobody = []string{
	"face_cohort_activated", "account_erased", "webhook_gone",
	// Of an app's subject, who has no account here.
	"transaction_begun", "transaction_opened", "transaction_passed", "transaction_denied", "transaction_redeemed", "transaction_failed", "subject_erased",
}

var factorNames = map[models.Factor]string{
	models.Password: "your password", models.Passkey: "a passkey", models.TOTP: "your authenticator app", models.Face: "your face",
	models.Recovery: "a recovery code", models.Device: "a browser that you had remembered",
}

// describe puts a fact into words. One that has none yet is told by its name: what
// can't be explained must still not be hidden.
func describe(e models.AuditEvent) (title, words string) {
	found, ok := timeline[e.Fact]
	if !ok {
		return "Something happened at your account", "We call it “" + strings.ReplaceAll(e.Fact, "_", " ") + "”."
	}
	kind, _ := e.Detail["factor"].(string)
	factor := factorNames[models.Factor(kind)]
	if factor == "" {
		factor = "a second step"
	}
	left := "fewer"
	if n, ok := e.Detail["left"].(float64); ok {
		left = fmt.Sprint(n)
	}
	group, _ := e.Detail["group"].(string)
	app, _ := e.Detail["app"].(string)
	host, _ := e.Detail["host"].(string)
	return found.title, strings.NewReplacer("{factor}", factor, "{left}", left, "{group}", group, "{app}", app, "{host}", host).Replace(found.words)
}
