package main

import (
	"strings"
	"testing"
)

const fingerprint = "14:6D:E9:83:C5:73:06:50:D8:EE:B9:95:2F:34:FC:64:16:A0:83:42:E6:1D:BE:A8:8A:04:96:B2:3F:CF:44:E5"

// An origin that no browser would write matches nothing, so it is told at the start.
func TestAppsAreNamedToTheLetter(t *testing.T) {
	t.Parallel()
	for value, ok := range map[string]bool{
		"https://app.example.com": true, "https://app.example.com,https://other.example:8443": true, "http://localhost:5173": true, "http://127.0.0.1:5173": true, "": true,
		"https://app.example.com/": false, "https://app.example.com/app": false, "https://App.example.com": false, "HTTPS://app.example.com": false,
		"https://app.example.com:443": false, "http://localhost:80": false, "http://app.example.com": false, "app.example.com": false, "*": false, "null": false,
		"https://*.example.com": false, "https://a@b.example": false, "https://app.example.com.": false, "https://app.example.com?x": false,
		"https://app.example.com#x": false, "http://localhost:8080": false, "https://app.example.com,": false, "ftp://app.example.com": false,
	} {
		c, problems := load(t, "", map[string]string{"SALLYPORT_APPS_ORIGINS": value})
		if (len(problems) == 0) != ok || ok && value != "" && strings.Join(c.Apps.Origins, ",") != value {
			t.Errorf("%q: %v %v", value, c.Apps.Origins, problems)
		}
	}
	for value, ok := range map[string]bool{
		"com.example.notes=" + fingerprint: true, "com.example.notes=" + strings.ToLower(strings.ReplaceAll(fingerprint, ":", "")): true,
		"com.example.notes": false, "com.example.notes=14:6D": false, "notes=" + fingerprint: false, "=" + fingerprint: false, fingerprint: false, "com.example.no tes=xx": false,
	} {
		if _, problems := load(t, "", map[string]string{"SALLYPORT_APPS_ANDROID": value}); (len(problems) == 0) != ok {
			t.Errorf("%q: %v", value, problems)
		}
	}
	for value, ok := range map[string]bool{
		"ABCDE12345.com.example.notes": true, "com.example.notes": false, "ABCDE12345.*": false, "abcde12345.com.example.notes": false,
	} {
		if _, problems := load(t, "", map[string]string{"SALLYPORT_APPS_APPLE": value}); (len(problems) == 0) != ok {
			t.Errorf("%q: %v", value, problems)
		}
	}
}

// Browsers count what was registered, whatever is before or behind it.
func TestTheDoctorCountsTheNamesOfApps(t *testing.T) {
	t.Parallel()
	five := []string{"https://a.example.com", "https://b.example.co.uk", "https://two.example", "https://three.example", "https://four.example", "http://localhost:5173"}
	for want, origins := range map[state][]string{fine: five, warning: append(five, "https://six.example")} {
		var config Config
		config.Apps.Origins = origins
		var f findings
		f.apps(config)
		if len(f) != 1 || f[0].State != want {
			t.Errorf("%d origins: %v", len(origins), f)
		}
	}
}
