package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// setAppOrigins reads origins as browsers write them: what is compared to the letter must
// be written to the letter.
func setAppOrigins(c *Config, s string) error {
	return toList(func(s string) (string, error) {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != s || s != strings.ToLower(s) || strings.ContainsAny(u.Host, "*@") || strings.HasSuffix(u.Host, ".") {
			return "", fmt.Errorf("must be scheme, host and port in small letters and no more, such as https://app.example.com, is %q", s)
		}
		if u.Port() == map[string]string{"https": "443", "http": "80"}[u.Scheme] && u.Port() != "" {
			return "", fmt.Errorf("must leave out the port that goes without saying, is %q", s)
		}
		if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
			return "", fmt.Errorf("must be https, or http on this machine, is %q", s)
		}
		if c.PublicURL != nil && s == c.PublicURL.Scheme+"://"+c.PublicURL.Host {
			return "", fmt.Errorf("must be of apps, and %q is public_url", s)
		}
		return s, nil
	}, func(c *Config) *[]string { return &c.Apps.Origins })(c, s)
}

// mostNames is how many names browsers take of the related origins of one host (Web
// Authentication Level 3 section 5.11.1).
const mostNames = 5

// apps tells what uses this host's passkeys beside its own pages.
func (f *findings) apps(config Config) {
	var names []string
	for _, origin := range config.Apps.Origins {
		if name := nameOf(origin); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	text := fmt.Sprintf("%d origins, %d Android, %d Apple (apps)", len(config.Apps.Origins), len(config.Apps.Android), len(config.Apps.Apple))
	if len(names) > mostNames {
		f.add(warning, "apps", "%s; the origins have %d names and browsers take %d: some get no passkeys: %s", text, len(names), mostNames, strings.Join(names, ", "))
		return
	}
	f.add(fine, "apps", "%s", text)
}

// nameOf is the part of an origin that somebody registered: "example" of
// https://app.example.co.uk.
func nameOf(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return origin
	}
	registered, err := publicsuffix.EffectiveTLDPlusOne(u.Hostname())
	if err != nil {
		return u.Hostname()
	}
	name, _, _ := strings.Cut(registered, ".")
	return name
}
