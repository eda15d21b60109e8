package mail

import (
	"fmt"
	"time"
)

// FacePurge tells somebody that the face of their account will be erased, because
// they have not used it since lastUsed, at the earliest on the day of erased.
// site is the name of the site and account the address of its security page.
func FacePurge(to, site, account string, lastUsed, erased time.Time) Message {
	day := func(t time.Time) string { return t.UTC().Format("2 January 2006") }
	return Message{
		To:      to,
		Subject: "Your face sign-in at " + site + " will be removed",
		Text: fmt.Sprintf(`Hello,

you have not signed in to %[1]s with your face since %[2]s. We keep what we
measured of a face only while it is used, so we will erase it on %[3]s
or soon after.

To keep it, sign in with your face before then. To let it go, do nothing: your
other ways to sign in stay as they are, and you can set it up again at any time.

You find how you sign in here: %[4]s

If you never had an account at %[1]s, somebody may have given your address by
mistake. You can ignore this message.
`, site, day(lastUsed), day(erased), account),
	}
}
