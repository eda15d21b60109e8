package web

import "github.com/mileusna/useragent"

// Browser guesses browser and device from a user agent, "" where it says
// nothing. It is for people to recognise a sign-in by, never for deciding.
func Browser(userAgent string) (browser, device string) {
	ua := useragent.Parse(userAgent)
	device = ua.OS
	if ua.Device != "" && ua.Device != "K" { // Chrome says K for every phone
		device = ua.Device
	}
	return ua.Name, device
}
